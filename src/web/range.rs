//! The `Range` header: one piece of a file.

/// What of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    All,
    /// From `first` to `last`, both included.
    Part {
        first: u64,
        last: u64,
    },
    /// It begins behind the end.
    Beyond,
}

impl Range {
    /// Several ranges at once, another unit and nonsense get the whole file, as RFC 9110 allows.
    pub fn read(header: Option<&str>, size: u64) -> Self {
        let range = header.and_then(|header| header.strip_prefix("bytes=")).map(str::trim);
        let Some((first, last)) = range.and_then(|range| range.split_once('-')) else { return Self::All };
        match (number(first), number(last)) {
            (Some(first), None) if last.is_empty() => part(first, u64::MAX, size),
            (Some(first), Some(last)) if first <= last => part(first, last, size),
            (None, Some(0)) if first.is_empty() => Self::Beyond,
            (None, Some(length)) if first.is_empty() => part(size.saturating_sub(length), u64::MAX, size),
            _ => Self::All,
        }
    }
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn part(first: u64, last: u64, size: u64) -> Range {
    if first >= size {
        return Range::Beyond;
    }
    Range::Part { first, last: last.min(size - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_everything_else_is_the_whole() {
        let part = |first, last| Range::Part { first, last };
        for (header, range) in [
            (None, Range::All),
            (Some("bytes=0-3"), part(0, 3)),
            (Some("bytes=4-"), part(4, 9)),
            (Some("bytes=-3"), part(7, 9)),
            (Some("bytes=-30"), part(0, 9)),
            (Some("bytes=5-500"), part(5, 9)),
            (Some("bytes=10-"), Range::Beyond),
            (Some("bytes=-0"), Range::Beyond),
            (Some("bytes=3-2"), Range::All),
            (Some("bytes=0-1,3-4"), Range::All),
            (Some("bytes=-"), Range::All),
            (Some("bytes=a-b"), Range::All),
            (Some("bytes=99999999999999999999-"), Range::All),
            (Some("lines=0-1"), Range::All),
        ] {
            assert_eq!(Range::read(header, 10), range, "{header:?}");
        }
        assert_eq!(Range::read(Some("bytes=0-"), 0), Range::Beyond);
    }
}
