//! Unified diffs.

use std::{borrow::Cow, time::Duration};

use similar::TextDiff;

use crate::workspace::WorkspacePath;

/// A longer diff is cut at a line, in bytes: far more than a person reads, and it travels in one frame.
pub const MAX_DIFF_BYTES: usize = 256 * 1024;
/// The largest file that is compared line by line, in bytes.
pub const MAX_DIFF_FILE_BYTES: u64 = 1024 * 1024;
/// After this a diff gets coarser instead of later.
const LONGEST: Duration = Duration::from_secs(2);
/// Lines around each change, as everywhere.
const CONTEXT: usize = 3;
/// A NUL among the first bytes makes a file binary, as git has it.
const BINARY_PROBE_BYTES: usize = 8 * 1024;

/// One side of a diff: a path with what was there.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    pub path: &'a WorkspacePath,
    /// `None`: there was nothing.
    pub bytes: Option<&'a [u8]>,
}

pub fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(BINARY_PROBE_BYTES).any(|byte| *byte == 0)
}

/// The difference line by line, or `None` where a side is binary or too large for one. Bytes that aren't UTF-8 are
/// shown replaced.
pub fn unified(before: Side<'_>, after: Side<'_>) -> Option<String> {
    let (old, new) = (before.text()?, after.text()?);
    let diff = TextDiff::configure().timeout(LONGEST).diff_lines(old.as_ref(), new.as_ref());
    let mut unified = diff.unified_diff();
    unified.context_radius(CONTEXT).header(&before.name("a"), &after.name("b"));
    Some(cut(unified.to_string()))
}

impl Side<'_> {
    fn text(&self) -> Option<Cow<'_, str>> {
        let bytes = self.bytes.unwrap_or_default();
        let comparable = bytes.len() as u64 <= MAX_DIFF_FILE_BYTES && !is_binary(bytes);
        comparable.then(|| String::from_utf8_lossy(bytes))
    }

    fn name(&self, prefix: &str) -> String {
        match self.bytes {
            Some(_) => format!("{prefix}/{}", self.path.as_str().replace(char::is_control, "\u{fffd}")),
            None => "/dev/null".into(),
        }
    }
}

pub(super) fn cut(mut diff: String) -> String {
    if diff.len() > MAX_DIFF_BYTES {
        let end = diff[..diff.floor_char_boundary(MAX_DIFF_BYTES)].rfind('\n').map_or(0, |end| end + 1);
        let left = diff[end..].lines().count();
        diff.truncate(end);
        diff.push_str(&format!("[cut: {left} more lines]\n"));
    }
    diff
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(before: Option<&str>, after: Option<&str>) -> Option<String> {
        let path = WorkspacePath::parse("x/a.txt").unwrap();
        unified(
            Side { path: &path, bytes: before.map(str::as_bytes) },
            Side { path: &path, bytes: after.map(str::as_bytes) },
        )
    }

    #[test]
    fn a_diff_has_its_headers_and_tells_a_missing_last_line_break() {
        assert_eq!(
            diff(Some("a\nb\n"), Some("a\nc")).unwrap(),
            "--- a/x/a.txt\n+++ b/x/a.txt\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n"
        );
        assert_eq!(diff(None, Some("a\n")).unwrap(), "--- /dev/null\n+++ b/x/a.txt\n@@ -0,0 +1 @@\n+a\n");
        assert_eq!(diff(Some("a\n"), None).unwrap(), "--- a/x/a.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
    }

    #[test]
    fn binary_and_large_files_have_none_and_a_long_one_is_cut_at_a_line() {
        assert_eq!(diff(Some("a\0"), Some("a")), None);
        assert_eq!(diff(None, Some(&"a".repeat(MAX_DIFF_FILE_BYTES as usize + 1))), None);
        let long = diff(None, Some(&"äöü\n".repeat(100_000))).unwrap();
        assert!(long.len() < MAX_DIFF_BYTES + 100);
        assert!(long.ends_with(" more lines]\n") && long.contains("+äöü\n[cut: "), "{}", &long[long.len() - 60..]);
        let lines = long.lines().count() - 4;
        assert!(long.ends_with(&format!("[cut: {} more lines]\n", 100_000 - lines)));
    }
}
