//! Where this server begins below its host's name, behind a proxy that has other things beside it.

use serde::{Deserialize, Serialize};

/// Empty, or such as `/cowork`. Every address that is told to somebody has it in front.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasePath(String);

impl BasePath {
    /// `None` where it is no path that browsers and proxies leave as it is.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        let is_step = |step: &str| !step.is_empty() && step.chars().all(plain) && step.chars().any(|c| c != '.');
        match text.strip_prefix('/') {
            None if text.is_empty() => Some(Self::default()),
            Some(steps) if steps.split('/').all(is_step) => Some(Self(text.to_owned())),
            _ => None,
        }
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of what stands at `path` of this server.
    pub fn at(&self, path: &str) -> String {
        [&self.0, path].concat()
    }

    /// What an address means here; `None` where it is not below the base.
    pub fn inside<'p>(&self, address: &'p str) -> Option<&'p str> {
        match address.strip_prefix(self.as_str())? {
            "" => Some("/"),
            path if path.starts_with('/') => Some(path),
            path if path.starts_with('?') => Some(path),
            _ => None,
        }
    }

    /// Where the browser shows our cookies.
    pub fn cookie_path(&self) -> &str {
        if self.is_root() { "/" } else { &self.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_a_plain_path() {
        for (text, base) in [("", ""), ("/", ""), ("/cowork", "/cowork"), ("/a/b-c.d_~/", "/a/b-c.d_~")] {
            assert_eq!(BasePath::parse(text).unwrap().as_str(), base);
        }
        for wrong in ["cowork", "//a", "/a//b", "/..", "/a/./b", "/a b", "/a?b", "/a%2f", "/ä", "https://a"] {
            assert_eq!(BasePath::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_goes_out_comes_back_and_nothing_else_is_inside() {
        let base = BasePath::parse("/office/cowork").unwrap();
        for path in ["/", "/sessions/a?b=/c", "/cowork/sessions"] {
            assert_eq!(base.inside(&base.at(path)), Some(path));
            assert_eq!(BasePath::default().inside(path), Some(path));
        }
        assert_eq!(base.inside("/office/cowork"), Some("/"));
        for outside in ["/", "/office", "/office/coworkers", "/cowork/sessions", "office/cowork/"] {
            assert_eq!(base.inside(outside), None, "{outside}");
        }
        assert_eq!((base.cookie_path(), BasePath::default().cookie_path()), ("/office/cowork", "/"));
    }
}
