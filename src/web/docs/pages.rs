//! Which pages the documentation has, in their order.

/// One Markdown file.
pub struct Page {
    /// Its address behind `/docs/`.
    pub name: &'static str,
    pub text: &'static str,
    /// For the list of all pages.
    pub about: &'static str,
}

pub struct Group {
    pub title: &'static str,
    pub pages: &'static [Page],
}

macro_rules! page {
    ($name:literal, $about:literal) => {
        Page { name: $name, text: include_str!(concat!("../../../docs/", $name, ".md")), about: $about }
    };
}

macro_rules! picture {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../docs/pictures/", $name)))
    };
}

pub static GROUPS: &[Group] = &[
    Group {
        title: "Working with it",
        pages: &[
            page!("tutorial", "ten minutes with sample files"),
            page!("staff", "what everything on the page is for"),
        ],
    },
    Group {
        title: "Running it",
        pages: &[
            page!("operators", "from a bare Debian to a team with TLS; backup, export, import"),
            page!("configuration", "every key of loom.toml"),
            page!("security", "what is promised, and what is not"),
            page!("sandbox", "what commands of the agent can reach"),
            page!("errors", "every error code, and what helps"),
        ],
    },
    Group {
        title: "The API",
        pages: &[
            page!("api", "calls, frames, and what holds between them"),
            page!("frames", "an example of every frame"),
            page!("events", "the log, its chain, and an example of every event"),
            page!("uploads", "names, limits and promises of uploads"),
            page!("guarantees", "what is promised, and which test shows it"),
            page!("performance", "what was measured, and how"),
        ],
    },
    Group {
        title: "The program",
        pages: &[
            Page {
                name: "architecture",
                text: include_str!("../../../ARCHITECTURE.md"),
                about: "how it is built, and why",
            },
            page!("agent", "the agent, promise by promise"),
            page!("tools", "what the agent can do"),
            page!("development", "working on the program"),
        ],
    },
];

/// Pictures of the pages, by their file's name.
pub static PICTURES: &[(&str, &[u8])] =
    &[picture!("finished-light.webp"), picture!("approval-light.webp"), picture!("changes-light.webp")];

impl Page {
    /// The first heading.
    pub fn title(&self) -> &'static str {
        self.text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(self.name)
    }
}

pub fn named(name: &str) -> Option<&'static Page> {
    GROUPS.iter().flat_map(|group| group.pages).find(|page| page.name == name)
}

/// Where a link of a page leads: the address of another page, with its heading. None where no page is.
pub fn place(link: &str) -> Option<String> {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let behind = if heading.is_empty() { String::new() } else { format!("#{heading}") };
    let own = file.trim_start_matches("../").trim_start_matches("docs/");
    match own {
        "" if file.is_empty() => Some(behind),
        "" | "README.md" => Some("/docs".into()),
        _ => {
            let name = own.strip_suffix(".md")?.to_lowercase();
            named(&name).map(|page| format!("/docs/{}{behind}", page.name))
        }
    }
}
