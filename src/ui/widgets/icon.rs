//! The icon set: strokes on a 24-unit grid, inline, in the colour of the text.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    Logo,
    Plus,
    Check,
    Cross,
    Folder,
    Send,
    Stop,
    Chat,
    Step,
    Flag,
    Spark,
    Up,
    Warning,
    Clock,
    Menu,
    Logs,
    Copy,
    Again,
    Pen,
    Fork,
}

impl Glyph {
    fn path(self) -> &'static str {
        match self {
            Self::Logo => "M8 4v16M16 4v16M4 8h16M4 16h16",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Check => "M5 12.5l4.5 4.5L19 7.5",
            Self::Cross => "M6 6l12 12M18 6L6 18",
            Self::Folder => "M3 7a2 2 0 0 1 2-2h4l2 2.5h8a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
            Self::Send => "M12 19V5M6 11l6-6 6 6",
            Self::Stop => "M7 7h10v10H7z",
            Self::Chat => "M4 5h16v11H10l-4 3.5V16H4z",
            Self::Step => "M8 5.5v13l10-6.5z",
            Self::Flag => "M6 21V4h12l-3 4 3 4H6",
            Self::Spark => "M12 3v5M12 16v5M3 12h5M16 12h5",
            Self::Up => "M12 19V6M6.5 11.5L12 6l5.5 5.5",
            Self::Warning => "M12 4l9 16H3zM12 10v4M12 17v.5",
            Self::Clock => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2",
            Self::Menu => "M5 12h.01M12 12h.01M19 12h.01",
            Self::Logs => "M5 6h14M5 12h14M5 18h9",
            Self::Copy => "M9 9h10v11H9zM5 15V4h10v2",
            Self::Again => "M19 12a7 7 0 1 1-2.2-5.1M19 3.5V8h-4.5",
            Self::Pen => "M5 19l1-4L16.5 4.5l3 3L9 18z",
            Self::Fork => "M7 4v16M7 13c0-4 10-1 10-6M17 7V4M14.5 6.5L17 4l2.5 2.5",
        }
    }
}

/// Decoration: the words beside it say the same, so assistive technology skips it.
#[component]
pub fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=glyph.path()></path>
        </svg>
    }
}
