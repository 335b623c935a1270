//! What a person can ask of this model.

/// A request, understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    List(Scope, ListAsk),
    Find(FileQuery, FindAsk),
    Search(Search),
    File(Target, FileAsk),
    /// "What is in X", where X may be a folder or a file.
    Look(Vec<String>),
    Compare(Target, Target),
    /// Two files that one name fits: "the two ledgers".
    ComparePair(Vec<String>),
    Act(Act),
    /// One after the other, each in the person's words.
    Several(Vec<(String, Intent)>),
    Decline(Reason),
}

/// Something to change or to run.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// A line at the end of a file, which is made where there is none.
    Append {
        text: String,
        target: Target,
    },
    Create {
        path: String,
        text: String,
    },
    Rename {
        from: Target,
        to: String,
    },
    MoveInto {
        from: Target,
        folder: String,
    },
    MoveTo {
        from: Target,
        path: String,
    },
    Delete(Target),
    Replace {
        old: String,
        new: String,
        target: Target,
    },
    Run(String),
    Plan(Vec<String>),
}

impl Act {
    /// The same with another file; `None` where there is none in it.
    pub fn retarget(self, other: Target) -> Option<Self> {
        match self {
            Self::Append { text, .. } => Some(Self::Append { text, target: other }),
            Self::Rename { to, .. } => Some(Self::Rename { from: other, to }),
            Self::MoveInto { folder, .. } => Some(Self::MoveInto { from: other, folder }),
            Self::MoveTo { path, .. } => Some(Self::MoveTo { from: other, path }),
            Self::Delete(_) => Some(Self::Delete(other)),
            Self::Replace { old, new, .. } => Some(Self::Replace { old, new, target: other }),
            Self::Create { .. } | Self::Run(_) | Self::Plan(_) => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ListAsk {
    Entries,
    Count,
    Biggest,
    Smallest,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FindAsk {
    Names,
    Count,
    Newest,
    Oldest,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FileQuery {
    /// A glob for the kind of file, such as `*.csv`.
    pub kind: Option<String>,
    /// Parts of the name; a quoted one may hold blanks.
    pub name: Vec<String>,
    pub scope: Scope,
    /// The person did not say "file": if no name fits, the text of the files is searched.
    pub maybe_text: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    pub needle: String,
    pub scope: Scope,
    /// Words that are the scope if there is such a folder or file, and else the end of the needle: "parking in Hamburg".
    pub tail: Option<String>,
    pub kind: Option<String>,
    pub ask: SearchAsk,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SearchAsk {
    Files,
    Lines,
    Count,
}

/// Where to look.
#[derive(Clone, Debug, PartialEq)]
pub enum Scope {
    Everywhere,
    Folder(String),
    File(Target),
    /// A name that may be a folder's or a file's.
    Loose(Vec<String>),
}

/// Which file is meant.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    Path(String),
    /// A file name whose case or beginning isn't sure, as a glob.
    Pattern(String),
    Named(Vec<String>),
    /// "It": the file of the turn before.
    Last,
    /// "The second one" of the list in the answer before, from 1.
    Nth(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FileAsk {
    Read,
    Head(usize),
    Tail(usize),
    Range(usize, usize),
    Count(Units),
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    pub lines: bool,
    pub words: bool,
    pub columns: bool,
    pub rows: bool,
}

/// What was asked that this model can't do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    Greeting,
    Write,
    Change,
    Summarise,
    Translate,
    Calculate,
    Explain,
    ManyFiles,
    /// Files by size, date or by what they are not.
    Criterion,
    /// Not understood, or nothing that is in the folder.
    Unclear,
}
