//! Lines of a text that are like others, whatever their spaces.

use std::collections::HashMap;

/// Places that are compared letter by letter, those that promise most first.
const MAX_COMPARED: usize = 4_000;
/// A longer line is alike only if it is the same, in bytes.
const MAX_LINE_BYTES: usize = 1_000;
/// How many kinds of letters are told apart in the first estimate.
const KINDS: usize = 64;
/// How many places a caller learns of.
const MAX_GIVEN: usize = 50;

/// A line and where it stands in its text, in bytes, without its line break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    pub text: &'a str,
    pub start: usize,
    pub end: usize,
}

/// A run of lines with as many that aren't empty as those that are looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Alike {
    /// Counted from 0.
    pub first: usize,
    pub last: usize,
    /// From 0 to 1.
    pub score: f32,
    /// The same but for spaces.
    pub same: bool,
}

pub fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        let bare = line.strip_suffix('\n').unwrap_or(line);
        lines.push(Line { text: bare, start, end: start + bare.len() });
        start += line.len();
    }
    lines
}

impl Alike {
    /// Each line that was looked for with the one that it met.
    pub fn pairs<'a>(&self, text: &[Line<'a>], old: &[Line<'a>]) -> Vec<(&'a str, &'a str)> {
        let there = text[self.first..=self.last].iter().filter(|line| !line.text.trim().is_empty());
        let wanted = old.iter().filter(|line| !line.text.trim().is_empty());
        wanted.zip(there).map(|(wanted, there)| (wanted.text, there.text)).collect()
    }
}

/// A line without its spaces, and how often it has each kind of letter.
struct Bare {
    text: String,
    kinds: [u16; KINDS],
}

impl Bare {
    fn new(line: &str) -> Self {
        let text = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut kinds = [0; KINDS];
        for byte in text.bytes() {
            let kind = &mut kinds[byte as usize % KINDS];
            *kind = u16::saturating_add(*kind, 1);
        }
        Self { text, kinds }
    }

    /// Never less than the true likeness.
    fn at_most(&self, other: &Self) -> f32 {
        let common: u32 = self.kinds.iter().zip(&other.kinds).map(|(a, b)| u32::from(*a.min(b))).sum();
        ratio(common as usize, self, other)
    }

    fn like(&self, other: &Self) -> f32 {
        if self.text == other.text {
            return 1.0;
        }
        if self.text.len().max(other.text.len()) > MAX_LINE_BYTES {
            return 0.0;
        }
        let (a, b) = (self.text.as_bytes(), other.text.as_bytes());
        let diff = similar::capture_diff_slices(similar::Algorithm::Myers, a, b);
        let common = diff.iter().map(|op| if op.tag() == similar::DiffTag::Equal { op.old_range().len() } else { 0 });
        ratio(common.sum(), self, other)
    }
}

fn ratio(common: usize, a: &Bare, b: &Bare) -> f32 {
    let both = a.text.len() + b.text.len();
    if both == 0 { 1.0 } else { 2.0 * common as f32 / both as f32 }
}

/// The places most like `old`, best first. Ends early, with what it has, when `halted` says so.
pub fn best(text: &[Line<'_>], old: &[Line<'_>], halted: &dyn Fn() -> bool) -> Vec<Alike> {
    let filled = |line: &&Line<'_>| !line.text.trim().is_empty();
    let wanted: Vec<Bare> = old.iter().filter(filled).map(|line| Bare::new(line.text)).collect();
    let (places, there): (Vec<usize>, Vec<Bare>) = text
        .iter()
        .enumerate()
        .filter(|(_, line)| filled(line))
        .map(|(place, line)| (place, Bare::new(line.text)))
        .unzip();
    if wanted.is_empty() || wanted.len() > there.len() {
        return Vec::new();
    }
    let window = |at: usize| &there[at..at + wanted.len()];
    let mut promising: Vec<(usize, f32)> =
        (0..=there.len() - wanted.len()).map(|at| (at, weighed(&wanted, window(at), |_, a, b| a.at_most(b)))).collect();
    promising.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let mut known: HashMap<(usize, &str), f32> = HashMap::new();
    let mut found: Vec<Alike> = Vec::new();
    for (at, promise) in promising.into_iter().take(MAX_COMPARED) {
        // Nothing that follows can come among the first two.
        if found.get(1).is_some_and(|second| second.score > promise) || halted() {
            break;
        }
        let score = weighed(&wanted, window(at), |line, a, b| {
            *known.entry((line, b.text.as_str())).or_insert_with(|| a.like(b))
        });
        let same = wanted.iter().zip(window(at)).all(|(a, b)| a.text == b.text);
        found.push(Alike { first: places[at], last: places[at + wanted.len() - 1], score, same });
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.first.cmp(&b.first)));
        found.truncate(MAX_GIVEN);
    }
    found
}

/// The likeness of all lines together, long ones counting for more.
fn weighed<'a>(wanted: &[Bare], there: &'a [Bare], mut like: impl FnMut(usize, &Bare, &'a Bare) -> f32) -> f32 {
    let (mut sum, mut all) = (0.0, 0.0);
    for (line, (a, b)) in wanted.iter().zip(there).enumerate() {
        let weight = a.text.len().max(b.text.len()) as f32;
        sum += weight * like(line, a, b);
        all += weight;
    }
    if all == 0.0 { 0.0 } else { sum / all }
}
