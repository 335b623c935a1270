//! The container holds what `./run` starts and what the unit runs: one build, one place, one command.

fn line<'a>(text: &'a str, start: &str) -> &'a str {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(start));
    let found = lines.next_back().unwrap_or_else(|| panic!("there is no line {start:?}"));
    found.trim()
}

#[test]
fn it_is_built_by_the_script_that_run_calls_and_by_nothing_else() {
    let (run, file) = (include_str!("../../run"), include_str!("../../deploy/Containerfile"));
    let guide = include_str!("../../docs/operators.md");
    assert!(run.contains("program=$(\"$root/scripts/program\")"));
    assert!(file.contains("\nRUN program=$(scripts/program) && install -m 755 \"$program\" /usr/local/bin/cowork\n"));
    assert!(guide.contains("install -m 755 \"$(scripts/program)\" /usr/local/bin/cowork "));
    for own_way in ["cargo", "scripts/setup", "scripts/page"] {
        let commands = |text: &str| text.lines().any(|line| !line.starts_with('#') && line.contains(own_way));
        assert!(!commands(run) && !commands(file), "{own_way} is for scripts/program");
    }
}

#[test]
fn it_runs_what_the_unit_runs_as_a_user_of_its_own() {
    let (file, unit) = (include_str!("../../deploy/Containerfile"), include_str!("../../deploy/cowork.service"));
    let program = "/usr/local/bin/cowork";
    assert_eq!(line(file, "COPY --from=build "), format!("{program} {program}"));
    let list = |start: &str| serde_json::from_str::<Vec<String>>(line(file, start)).unwrap();
    let mut command = [list("ENTRYPOINT "), list("CMD ")].concat();
    // Others reach it through the container's own address; that nobody does who can't sign in is the program's to see to.
    assert_eq!(command.split_off(command.len() - 2), ["--host", "0.0.0.0"]);
    assert_eq!(command.join(" "), line(unit, "ExecStart="));
    assert_eq!(line(file, "USER "), line(unit, "User="));
}
