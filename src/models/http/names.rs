//! Names of tools, and ids of calls, as the wire allows them: 1 to 64 of the characters `a-z A-Z 0-9 _ -`.

use std::collections::HashSet;

/// The wire's limit, in characters.
const MAX_NAME: usize = 64;

/// The names of one request, both ways. Only those that had to be changed are kept.
#[derive(Clone, Debug, Default)]
pub struct WireNames {
    changed: Vec<Changed>,
}

#[derive(Clone, Debug)]
struct Changed {
    name: String,
    wire: String,
}

impl WireNames {
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let (fitting, others): (Vec<&str>, Vec<&str>) = names.into_iter().partition(|name| fits(name));
        let mut taken: HashSet<String> = fitting.into_iter().map(str::to_owned).collect();
        let mut changed: Vec<Changed> = Vec::new();
        for name in others {
            if changed.iter().any(|known| known.name == name) {
                continue;
            }
            let wire = free(&fitted(name), &taken);
            taken.insert(wire.clone());
            changed.push(Changed { name: name.to_owned(), wire });
        }
        Self { changed }
    }

    /// The name to send. One that is not among them, such as a tool that is no longer offered, is only made to fit.
    pub fn wire(&self, name: &str) -> String {
        if fits(name) {
            return name.to_owned();
        }
        self.changed.iter().find(|known| known.name == name).map_or_else(|| fitted(name), |known| known.wire.clone())
    }

    /// The name that the model means.
    pub fn original(&self, wire: &str) -> String {
        self.changed.iter().find(|known| known.wire == wire).map_or(wire, |known| &known.name).to_owned()
    }
}

fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn fits(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(allowed)
}

fn fitted(name: &str) -> String {
    if name.is_empty() {
        return "_".into();
    }
    name.chars().take(MAX_NAME).map(|c| if allowed(c) { c } else { '_' }).collect()
}

/// `wire`, numbered where another tool has it already.
fn free(wire: &str, taken: &HashSet<String>) -> String {
    let mut candidate = wire.to_owned();
    let mut number = 2;
    while taken.contains(&candidate) {
        let suffix = format!("_{number}");
        let stem = &wire[..wire.len().min(MAX_NAME - suffix.len())];
        candidate = format!("{stem}{suffix}");
        number += 1;
    }
    candidate
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_dotted_name_is_sent_with_underscores_and_comes_back_whole() {
        let names = WireNames::new(["read_file", "mcp.files.read"]);
        assert_eq!(names.wire("mcp.files.read"), "mcp_files_read");
        assert_eq!(names.original("mcp_files_read"), "mcp.files.read");
        assert_eq!(names.wire("read_file"), "read_file");
        assert_eq!(names.original("read_file"), "read_file");
    }

    #[test]
    fn a_name_that_fits_keeps_itself_even_when_another_would_become_it() {
        let names = WireNames::new(["a.b", "a b", "a_b"]);
        assert_eq!(names.wire("a_b"), "a_b");
        assert_eq!([names.wire("a.b"), names.wire("a b")], ["a_b_2", "a_b_3"]);
    }

    #[test]
    fn a_tool_that_is_no_longer_offered_is_made_to_fit() {
        assert_eq!(WireNames::default().wire("gone.tool"), "gone_tool");
        assert_eq!(WireNames::default().wire(""), "_");
    }

    proptest! {
        #[test]
        fn every_set_of_names_fits_the_wire_and_comes_back(names in proptest::collection::hash_set(".{0,80}|[ab._]{1,3}|[a.]{70}", 0..12)) {
            let map = WireNames::new(names.iter().map(String::as_str));
            let mut seen = HashSet::new();
            for name in &names {
                let wire = map.wire(name);
                prop_assert!(fits(&wire), "{wire}");
                prop_assert_eq!(&map.original(&wire), name);
                prop_assert!(seen.insert(wire));
            }
        }
    }
}
