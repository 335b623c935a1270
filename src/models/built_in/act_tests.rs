//! Whole turns that change something, over a folder in memory.

use super::folder_tests::{Folder, Talk};

fn talk(folder: &mut Folder, text: &str) -> (String, Vec<String>) {
    let mut talk = Talk::acting(folder);
    let said = talk.ask(text);
    (said, talk.calls)
}

#[test]
fn a_file_is_renamed_after_a_look_and_keeps_its_kind() {
    let mut folder = Folder::office();
    let (said, calls) = talk(&mut folder, "rename the travel policy to rules");
    assert_eq!(calls.last().unwrap(), r#"move_file {"source":"Travel policy.md","destination":"rules.md"}"#);
    assert!(said.starts_with("`Travel policy.md` is now `rules.md`."), "{said}");
    assert!(folder.text("rules.md").is_some() && folder.text("Travel policy.md").is_none());
}

#[test]
fn a_file_is_moved_into_a_folder_wherever_that_is() {
    let mut folder = Folder::office();
    let (said, _) = talk(&mut folder, "move invoices/inv-001.txt into the archive folder");
    assert!(said.starts_with("`invoices/inv-001.txt` is now `invoices/archive/inv-001.txt`."), "{said}");
}

#[test]
fn a_note_goes_to_the_end_of_its_file_or_makes_it() {
    let mut folder = Folder::office();
    let (said, _) = talk(&mut folder, "note: call the landlord");
    assert!(said.starts_with("I added this at the end of `notes.txt`."), "{said}");
    assert!(folder.text("notes.txt").unwrap().ends_with("acme again\ncall the landlord\n"));
    let (said, _) = talk(&mut folder, "write \"milk\" into shopping.txt");
    assert!(said.starts_with("I made `shopping.txt` with this text."), "{said}");
    assert_eq!(folder.text("shopping.txt").unwrap(), "milk\n");
}

#[test]
fn a_note_finds_its_place_behind_lines_that_repeat() {
    let mut folder = Folder::of(&[("list.txt", "tea\nmilk\ntea\n\n")]);
    talk(&mut folder, "add \"bread\" to list.txt");
    assert_eq!(folder.text("list.txt").unwrap(), "tea\nmilk\ntea\nbread\n\n");
    let mut folder = Folder::of(&[("list.txt", &"tea\n".repeat(60))]);
    let (said, calls) = talk(&mut folder, "add \"bread\" to list.txt");
    assert!(said.starts_with("The last lines of `list.txt` stand in it more than once"), "{said} {calls:?}");
}

#[test]
fn text_is_replaced_once_or_after_a_question_everywhere() {
    let mut folder = Folder::office();
    let (said, calls) = talk(&mut folder, "replace Monday with \"next Tuesday\" in notes.txt");
    assert!(said.starts_with("I replaced `Monday` by `next Tuesday` in `notes.txt`, 1 time."), "{said}");
    assert!(calls.iter().all(|call| !call.starts_with("ask_user")), "{calls:?}");
    folder.answer = Some("Replace all 2".into());
    let (said, _) = talk(&mut folder, "replace ACME with Acme in notes.txt");
    assert!(said.contains("2 times"), "{said}");
    assert!(!folder.text("notes.txt").unwrap().contains("ACME"));
    folder.answer = Some("Leave everything as it is".into());
    let (said, calls) = talk(&mut folder, "replace 'hotel' with 'inn' in ledger-march.csv");
    assert!(said.starts_with("I replaced") && calls.len() == 3, "one place needs no question: {said} {calls:?}");
    let (said, _) = talk(&mut folder, "replace absent with present in notes.txt");
    assert!(said.starts_with("I found no `absent` in `notes.txt`"), "{said}");
}

#[test]
fn which_of_two_files_is_asked_and_the_answer_is_taken() {
    let mut folder = Folder::office();
    folder.answer = Some("ledger-march.csv".into());
    let (said, calls) = talk(&mut folder, "delete the ledger");
    assert!(calls[1].starts_with("ask_user") && calls[1].contains("Which one do you mean?"), "{calls:?}");
    assert!(said.starts_with("I deleted `ledger-march.csv`."), "{said}");
    let mut folder = Folder::office();
    folder.answer = Some("neither".into());
    let (said, calls) = talk(&mut folder, "delete the ledger");
    assert!(said.contains("left everything as it is") && calls.len() == 2, "{said} {calls:?}");
}

#[test]
fn a_name_that_is_only_near_is_not_changed_without_a_word() {
    let mut folder = Folder::office();
    folder.answer = Some("None of them; leave everything as it is".into());
    let (said, calls) = talk(&mut folder, "delete ntoes.txt");
    assert!(calls.last().unwrap().starts_with("ask_user") && said == "I left everything as it is.", "{said} {calls:?}");
    folder.answer = Some("notes.txt".into());
    let (said, _) = talk(&mut folder, "delete ntoes.txt");
    assert!(said.starts_with("I deleted `notes.txt`."), "{said}");
}

#[test]
fn a_no_of_the_person_is_told_as_one() {
    for (text, tool) in [
        ("delete notes.txt", "delete_file"),
        ("run ls -l", "shell_execute"),
        ("rename notes.txt to minutes.txt", "move_file"),
        ("add \"x\" to notes.txt", "edit_file"),
    ] {
        let mut folder = Folder::office();
        folder.broken = Some((tool, "The person denied this call, so it was not run."));
        let (said, _) = talk(&mut folder, text);
        assert_eq!(said, "You said no to this, so it was not done and nothing was changed.", "{text}");
    }
}

#[test]
fn a_command_is_run_and_its_output_shown() {
    let mut folder = Folder::office();
    let (said, calls) = talk(&mut folder, "run `wc -l *.csv`");
    assert_eq!(calls, [r#"shell_execute {"command":"wc -l *.csv"}"#]);
    assert_eq!(said, "`wc -l *.csv` ran.\n\n```\noutput of wc -l *.csv\n```");
    folder.broken = Some(("shell_execute", "The command ended with exit code 2.\nno such file"));
    let (said, _) = talk(&mut folder, "run wc -l absent");
    assert!(said.starts_with("`wc -l absent` failed.") && said.contains("exit code 2"), "{said}");
}

#[test]
fn parts_are_done_in_order_with_a_plan_and_it_means_the_file_before() {
    let mut folder = Folder::office();
    let (said, calls) =
        talk(&mut folder, "rename notes.txt to minutes.txt, then count the lines of it; delete README.md");
    assert!(
        said.contains("`notes.txt` is now `minutes.txt`.") && said.contains("`minutes.txt` has 4 lines."),
        "{said}"
    );
    assert!(said.contains("I deleted `README.md`."), "{said}");
    let plans: Vec<&String> = calls.iter().filter(|call| call.starts_with("task_tracker")).collect();
    assert_eq!(plans.len(), 4);
    assert_eq!(plans[3].matches("completed").count(), 3);
}

#[test]
fn what_fails_ends_the_parts_behind_it() {
    let mut folder = Folder::office();
    folder.broken = Some(("move_file", "`minutes.txt` is there already, and nothing is replaced."));
    let (said, calls) = talk(&mut folder, "rename notes.txt to minutes.txt, then delete README.md");
    assert!(said.contains("1 part of your request was not done"), "{said}");
    assert!(calls.iter().all(|call| !call.starts_with("delete_file")), "{calls:?}");
}

#[test]
fn a_new_file_replaces_none() {
    let mut folder = Folder::office();
    let (said, calls) = talk(&mut folder, "create a file notes.txt with \"x\"");
    assert!(said.starts_with("`notes.txt` is there already") && calls.len() == 1, "{said} {calls:?}");
    let (said, _) = talk(&mut folder, "create an empty file agenda.md");
    assert!(said.starts_with("I made the empty file `agenda.md`."), "{said}");
}

#[test]
fn a_file_is_read_anew_after_it_was_changed() {
    let mut folder = Folder::office();
    let (said, _) = talk(&mut folder, "delete notes.txt, then read notes.txt");
    assert!(said.contains("I deleted `notes.txt`.") && !said.contains("Call ACME"), "{said}");
}
