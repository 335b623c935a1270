//! How a person has set up the page. It stands in a cookie, so that the server draws the page as it will stay.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    pub theme: Theme,
    pub left_open: bool,
    pub right_open: bool,
    /// Widths in pixels.
    pub left: u16,
    pub right: u16,
    pub tab: Tab,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
    Contrast,
}

/// What the right panel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tab {
    #[default]
    Logs,
    Progress,
    Changes,
}

pub const LEFT_WIDTHS: (u16, u16) = (200, 480);
pub const RIGHT_WIDTHS: (u16, u16) = (260, 640);

impl Default for Look {
    fn default() -> Self {
        Self { theme: Theme::System, left_open: true, right_open: true, left: 272, right: 364, tab: Tab::Logs }
    }
}

impl Theme {
    pub const ALL: [Self; 4] = [Self::System, Self::Light, Self::Dark, Self::Contrast];

    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Contrast => "contrast",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

impl Tab {
    pub const ALL: [Self; 3] = [Self::Logs, Self::Progress, Self::Changes];

    pub fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Progress => "progress",
            Self::Changes => "changes",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.name() == name)
    }
}

impl Look {
    pub const COOKIE: &str = "cowork_look";

    /// As it stands in the cookie: `dark.1.0.272.364.logs`.
    pub fn written(&self) -> String {
        let open = |open: bool| if open { "1" } else { "0" };
        let (left, right) = (self.left.to_string(), self.right.to_string());
        [self.theme.name(), open(self.left_open), open(self.right_open), &left, &right, self.tab.name()].join(".")
    }

    /// Anything that does not fit is as if it were not there.
    pub fn read(text: &str) -> Self {
        let mut look = Self::default();
        let mut parts = text.split('.');
        let mut next = || parts.next().unwrap_or_default();
        look.theme = Theme::named(next()).unwrap_or_default();
        look.left_open = next() != "0";
        look.right_open = next() != "0";
        look.left = next().parse().unwrap_or(look.left).clamp(LEFT_WIDTHS.0, LEFT_WIDTHS.1);
        look.right = next().parse().unwrap_or(look.right).clamp(RIGHT_WIDTHS.0, RIGHT_WIDTHS.1);
        look.tab = Tab::named(next()).unwrap_or_default();
        look
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_read_as_it_was_written() {
        let look =
            Look { theme: Theme::Dark, left_open: false, right_open: true, left: 300, right: 400, tab: Tab::Changes };
        assert_eq!(Look::read(&look.written()), look);
    }

    #[test]
    fn what_anybody_wrote_into_the_cookie_is_harmless() {
        for odd in ["", "....", "dark", "<b>.1.1.9999999.x.y", "light.0.0.1.65535.logs.more"] {
            let look = Look::read(odd);
            assert!((LEFT_WIDTHS.0..=LEFT_WIDTHS.1).contains(&look.left), "{odd}");
            assert!((RIGHT_WIDTHS.0..=RIGHT_WIDTHS.1).contains(&look.right), "{odd}");
        }
        assert_eq!(Look::read("nothing of ours"), Look::default());
    }
}
