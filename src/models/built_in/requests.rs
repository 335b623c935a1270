//! The yardstick: sixty requests in the words of office staff, written before the code that understands them.
//! The folder to imagine: notes.txt, ledger-march.csv, ledger-april.csv, invoices/ (inv-001.txt…, archive/),
//! Travel policy.md, README.md, offer a.docx.

/// What the first step must be. Arguments are compared as JSON objects.
#[derive(Clone, Copy, Debug)]
pub enum First {
    Call(&'static str, &'static str),
    /// No call; the answer says what the model can do.
    Capabilities,
}

pub struct Asked {
    pub text: &'static str,
    /// The file that the turn before read, for requests that lean on it.
    pub after: Option<&'static str>,
    pub first: First,
}

const fn call(text: &'static str, tool: &'static str, args: &'static str) -> Asked {
    Asked { text, after: None, first: First::Call(tool, args) }
}

const fn follow(text: &'static str, after: &'static str, args: &'static str) -> Asked {
    Asked { text, after: Some(after), first: First::Call("read_file", args) }
}

const fn refuse(text: &'static str) -> Asked {
    Asked { text, after: None, first: First::Capabilities }
}

pub const REQUESTS: [Asked; 60] = [
    // Listing.
    call("What's in this folder?", "list_directory", r#"{"path":"."}"#),
    call("list the files please", "list_directory", r#"{"path":"."}"#),
    call("Could you show me what is inside the invoices folder?", "list_directory", r#"{"path":"invoices"}"#),
    call("LIST INVOICES/ARCHIVE/", "list_directory", r#"{"path":"INVOICES/ARCHIVE"}"#),
    call("which files do we have here", "list_directory", r#"{"path":"."}"#),
    call("how many files are in the folder invoices?", "list_directory", r#"{"path":"invoices"}"#),
    call("what are the biggest files here?", "list_directory", r#"{"path":"."}"#),
    call("what is in invoices?", "list_directory", r#"{"path":"."}"#),
    // Finding files by name or kind.
    call("find all csv files", "glob_find", r#"{"pattern":"**/*.csv"}"#),
    call("Are there any PDFs?", "glob_find", r#"{"pattern":"**/*.pdf"}"#),
    call("pls find me the file called ledger", "glob_find", r#"{"pattern":"**/*ledger*"}"#),
    call("Where is the travel policy?", "glob_find", r#"{"pattern":"**/*travel*"}"#),
    call("how many txt files are there in invoices", "glob_find", r#"{"pattern":"**/*.txt","path":"invoices"}"#),
    call("show all files with march in the name", "glob_find", r#"{"pattern":"**/*march*"}"#),
    call("do we have any word documents", "glob_find", r#"{"pattern":"**/*.{doc,docx,odt,rtf}"}"#),
    call("Which file is the newest?", "glob_find", r#"{"pattern":"**/*"}"#),
    call("fnid *.md", "glob_find", r#"{"pattern":"**/*.md"}"#),
    call("I am looking for a file named \"offer a\"", "glob_find", r#"{"pattern":"**/*offer a*"}"#),
    // Searching text.
    call(
        "Which files mention ACME?",
        "ripgrep_search",
        r#"{"pattern":"ACME","case_insensitive":true,"files_only":true}"#,
    ),
    call("search for \"total due\"", "ripgrep_search", r#"{"pattern":"total due","case_insensitive":true}"#),
    call(
        "serach for hotel in the invoices folder",
        "ripgrep_search",
        r#"{"pattern":"hotel","path":"invoices","case_insensitive":true}"#,
    ),
    call("Please look for 'per diem' in Travel policy.md", "glob_find", r#"{"pattern":"**/*Travel*policy.md"}"#),
    call(
        "what files contain the word needle",
        "ripgrep_search",
        r#"{"pattern":"needle","case_insensitive":true,"files_only":true}"#,
    ),
    call(
        "how often does ACME appear in notes.txt?",
        "ripgrep_search",
        r#"{"pattern":"ACME","path":"notes.txt","case_insensitive":true}"#,
    ),
    call(
        "where is \"1.200,00 (net)\" mentioned?",
        "ripgrep_search",
        r#"{"pattern":"1\\.200,00 \\(net\\)","case_insensitive":true}"#,
    ),
    call(
        "is there anything about parking in the invoices folder",
        "ripgrep_search",
        r#"{"pattern":"parking","path":"invoices","case_insensitive":true}"#,
    ),
    call(
        "does notes.txt mention Miller?",
        "ripgrep_search",
        r#"{"pattern":"Miller","path":"notes.txt","case_insensitive":true}"#,
    ),
    call("find the phrase delete me", "ripgrep_search", r#"{"pattern":"delete me","case_insensitive":true}"#),
    // Reading.
    call("read notes.txt", "read_file", r#"{"path":"notes.txt"}"#),
    call("Can you open the README for me, please?", "glob_find", r#"{"pattern":"**/*README*"}"#),
    call("show me invoices/inv-001.txt", "read_file", r#"{"path":"invoices/inv-001.txt"}"#),
    call("raed the notes", "glob_find", r#"{"pattern":"**/*note*"}"#),
    call("what does \"Travel policy.md\" say?", "read_file", r#"{"path":"Travel policy.md"}"#),
    call("SHOW ME NOTES.TXT", "glob_find", r#"{"pattern":"**/NOTES.TXT"}"#),
    call("I'd like to see the content of ledger-march.csv", "read_file", r#"{"path":"ledger-march.csv"}"#),
    call("first 10 lines of ledger-april.csv", "read_file", r#"{"path":"ledger-april.csv","line_end":10}"#),
    call("Show the first five lines of notes.txt.", "read_file", r#"{"path":"notes.txt","line_end":5}"#),
    call(
        "please show lines 20 to 30 of README.md",
        "read_file",
        r#"{"path":"README.md","line_start":20,"line_end":30}"#,
    ),
    // Counting.
    call("How many lines does notes.txt have?", "read_file", r#"{"path":"notes.txt"}"#),
    call("count the words in `Travel policy.md`", "read_file", r#"{"path":"Travel policy.md"}"#),
    call("how many colums are in ledger-march.csv", "read_file", r#"{"path":"ledger-march.csv"}"#),
    call("word count of the travel policy", "glob_find", r#"{"pattern":"**/*travel*"}"#),
    call("Number of rows in ledger-april.csv?", "read_file", r#"{"path":"ledger-april.csv"}"#),
    follow("and how many words?", "notes.txt", r#"{"path":"notes.txt"}"#),
    // Comparing.
    call("compare ledger-march.csv and ledger-april.csv", "read_file", r#"{"path":"ledger-march.csv"}"#),
    call(
        "What's the difference between invoices/inv-001.txt and invoices/inv-002.txt?",
        "read_file",
        r#"{"path":"invoices/inv-001.txt"}"#,
    ),
    call("compair the march ledger with the april ledger", "glob_find", r#"{"pattern":"**/*ledger*"}"#),
    follow("compare it with README.md", "notes.txt", r#"{"path":"notes.txt"}"#),
    // What it can't do.
    refuse("Write an email to ACME about the overdue invoice"),
    refuse("please delete the old files"),
    refuse("summarise Travel policy.md"),
    refuse("Can you translate notes.txt into German?"),
    refuse("what's the weather like tomorrow?"),
    refuse("calculate the total of the amount column in ledger-march.csv"),
    refuse("rename all the invoices"),
    refuse("How much did we spend on hotels in March?"),
    refuse("find all empty files and remove them"),
    refuse("give me a short summary of the invoices"),
    refuse("hi, what can you do?"),
    refuse("why is our revenue down"),
];

/// Written after the code. At the first try 14 of 15 were right and none wrong; the first was not understood.
pub const HELD_OUT: [Asked; 15] = [
    call("Hi, could you pull up the april ledger for me?", "glob_find", r#"{"pattern":"**/*ledger*"}"#),
    call("what documents are in the invoices/archive folder", "list_directory", r#"{"path":"invoices/archive"}"#),
    call("Is ACME mentioned in any of the invoices?", "list_directory", r#"{"path":"."}"#),
    call("display the top 20 rows of ledger-march.csv", "read_file", r#"{"path":"ledger-march.csv","line_end":20}"#),
    call("give me the last line of notes.txt", "read_file", r#"{"path":"notes.txt","line_end":1}"#),
    call("how many spreadsheets do we have?", "glob_find", r#"{"pattern":"**/*.{csv,tsv,xls,xlsx,ods}"}"#),
    call("search everything for 'VAT number'", "ripgrep_search", r#"{"pattern":"VAT number","case_insensitive":true}"#),
    call("whats the diff between notes.txt and README.md", "read_file", r#"{"path":"notes.txt"}"#),
    call(
        "which txt files contain Miller",
        "ripgrep_search",
        r#"{"pattern":"Miller","glob":"*.txt","case_insensitive":true,"files_only":true}"#,
    ),
    call("PLEASE COUNT THE WORDS IN NOTES.TXT", "glob_find", r#"{"pattern":"**/NOTES.TXT"}"#),
    call("can u check if the travel policy says anything about taxis", "list_directory", r#"{"path":"."}"#),
    call("Any pictures in here?", "glob_find", r#"{"pattern":"**/*.{png,jpg,jpeg,gif,webp,svg,heic,bmp,tif,tiff}"}"#),
    refuse("make a copy of notes.txt"),
    refuse("Who won the match yesterday?"),
    refuse("please forward the offer to Mr. Miller"),
];

/// Requests that an earlier version acted on wrongly, found by trying; each stands for a rule.
pub const ONCE_WRONG: [Asked; 16] = [
    refuse("who wrote notes.txt?"),
    refuse("find files that don't mention ACME"),
    refuse("find files bigger than 1 MB"),
    refuse("how many hotels are in ledger-march.csv"),
    refuse("how do I get to the airport"),
    refuse("count all words in all files"),
    refuse("open README.md and notes.txt"),
    refuse("read notes.txt to me in French"),
    refuse("Are there files that contain both hotel and taxi?"),
    refuse("rm *.txt"),
    refuse("show more"),
    call("what's inside invoices/archive?", "list_directory", r#"{"path":"invoices/archive"}"#),
    call("list csv files in invoices/archive", "glob_find", r#"{"pattern":"**/*.csv","path":"invoices/archive"}"#),
    call(
        "is there a document that mentions overtime",
        "ripgrep_search",
        r#"{"pattern":"overtime","case_insensitive":true,"files_only":true}"#,
    ),
    call(
        "which documents talk about the ACME contract?",
        "ripgrep_search",
        r#"{"pattern":"ACME contract","case_insensitive":true,"files_only":true}"#,
    ),
    call("find everything with 2024 in the name", "glob_find", r#"{"pattern":"**/*2024*"}"#),
];

const fn steps(text: &'static str, tasks: &'static str) -> Asked {
    call(text, "task_tracker", tasks)
}

/// Requests to change something, written before the code that understands them. The first step looks whether the file
/// is there: nobody is to be asked about what can't be done.
pub const ACTS: [Asked; 51] = [
    // Renaming and moving.
    call("rename notes.txt to minutes.txt", "glob_find", r#"{"pattern":"notes.txt"}"#),
    call("pls renmae ledger-march.csv to ledger-2024-03.csv", "glob_find", r#"{"pattern":"ledger-march.csv"}"#),
    call("Could you rename the travel policy to \"Travel rules.md\"?", "glob_find", r#"{"pattern":"**/*travel*"}"#),
    call("move invoices/inv-001.txt into the archive folder", "glob_find", r#"{"pattern":"invoices/inv-001.txt"}"#),
    call("mv notes.txt invoices/", "glob_find", r#"{"pattern":"notes.txt"}"#),
    call("please put README.md in the invoices folder", "glob_find", r#"{"pattern":"README.md"}"#),
    // Deleting.
    call("delete README.md please", "glob_find", r#"{"pattern":"README.md"}"#),
    call("please remove the file ledger-april.csv", "glob_find", r#"{"pattern":"ledger-april.csv"}"#),
    call("delte invoices/inv-002.txt", "glob_find", r#"{"pattern":"invoices/inv-002.txt"}"#),
    call("rm notes.txt", "glob_find", r#"{"pattern":"notes.txt"}"#),
    // Replacing text.
    call("replace \"Monday\" with \"Tuesday\" in notes.txt", "glob_find", r#"{"pattern":"notes.txt"}"#),
    call("chnage 'ACME' to 'Acme Ltd' in notes.txt", "glob_find", r#"{"pattern":"notes.txt"}"#),
    call("in notes.txt replace hotel by hostel", "glob_find", r#"{"pattern":"notes.txt"}"#),
    call("can you replace 150 with 170 in the travel policy", "glob_find", r#"{"pattern":"**/*travel*"}"#),
    // Notes.
    call("add \"Ask Miller about the offer\" to notes.txt", "glob_find", r#"{"pattern":"notes.txt"}"#),
    call("append a line 'total,150' to ledger-march.csv", "glob_find", r#"{"pattern":"ledger-march.csv"}"#),
    call("note: call the landlord on Friday", "glob_find", r#"{"pattern":"notes.txt"}"#),
    call("Hi, make a note: taxi receipt is missing, ask Bob", "glob_find", r#"{"pattern":"notes.txt"}"#),
    call("note that the taxi receipt is missing", "glob_find", r#"{"pattern":"notes.txt"}"#),
    call("Write a note in summary.md: ACME is settled", "glob_find", r#"{"pattern":"summary.md"}"#),
    call("pls add a short note to invoices/open.txt: 0231 is late", "glob_find", r#"{"pattern":"invoices/open.txt"}"#),
    call("write 'see you at 10' into todo.txt", "glob_find", r#"{"pattern":"todo.txt"}"#),
    call("create a new file called agenda.md", "glob_find", r#"{"pattern":"agenda.md"}"#),
    call("creat a file minutes.txt with \"Present: Anna, Bob\"", "glob_find", r#"{"pattern":"minutes.txt"}"#),
    // Commands.
    call("run `ls -l invoices`", "shell_execute", r#"{"command":"ls -l invoices"}"#),
    call("please run the command wc -l notes.txt", "shell_execute", r#"{"command":"wc -l notes.txt"}"#),
    call("run ls -la", "shell_execute", r#"{"command":"ls -la"}"#),
    call("execute: sort -u notes.txt | head -3", "shell_execute", r#"{"command":"sort -u notes.txt | head -3"}"#),
    call("git status", "git_command", r#"{"args":["status"]}"#),
    call("run git log --oneline", "git_command", r#"{"args":["log","--oneline"]}"#),
    // Plans.
    steps(
        "make a plan: read the policy; ask Miller; book the hotel",
        r#"{"tasks":[{"content":"read the policy","status":"pending"},{"content":"ask Miller","status":"pending"},{"content":"book the hotel","status":"pending"}]}"#,
    ),
    steps(
        "rename notes.txt to minutes.txt, then delete README.md",
        r#"{"tasks":[{"content":"rename notes.txt to minutes.txt","status":"in_progress"},{"content":"delete README.md","status":"pending"}]}"#,
    ),
    // What sounds alike and is not to be acted upon.
    refuse("delete all csv files"),
    refuse("delete everything in invoices"),
    refuse("rename all files to lower case"),
    refuse("move everything to the archive"),
    refuse("replace the old price list"),
    refuse("change the password"),
    refuse("add up the amounts"),
    refuse("run the quarterly report"),
    refuse("write a note in notes.txt and README.md: we are done"),
    refuse("make a plan for the summer party"),
    refuse("don't delete notes.txt"),
    refuse("should I delete notes.txt?"),
    refuse("add a chart to README.md"),
    refuse("create an invoice for ACME"),
    refuse("delete the second paragraph of notes.txt"),
    refuse("write a letter to ACME and save it as letter.txt"),
    refuse("update notes.txt"),
    refuse("rename notes.txt to minutes.txt, then translate it"),
    refuse("delete notes.txt and README.md"),
];
