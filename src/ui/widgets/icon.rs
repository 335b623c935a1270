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
    PanelLeft,
    PanelRight,
    Look,
    Search,
    Archive,
    Pin,
    Circle,
    File,
    Download,
    Upload,
    Shield,
    Copy,
    Question,
    Again,
    Pen,
    Fork,
    Clip,
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
            Self::PanelLeft => "M4 5h16v14H4zM10 5v14",
            Self::PanelRight => "M4 5h16v14H4zM14 5v14",
            Self::Look => "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
            Self::Search => "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20",
            Self::Archive => "M4 5h16v4H4zM5.5 9v10h13V9M10 13h4",
            Self::Pin => "M9 4h6l-1 6 3 3H7l3-3zM12 13v7",
            Self::Circle => "M12 19a7 7 0 1 0 0-14 7 7 0 0 0 0 14z",
            Self::File => "M6 3.5h8l4 4v13H6zM14 3.5v4h4",
            Self::Download => "M12 4v11M7 10.5l5 5 5-5M5 20h14",
            Self::Upload => "M12 15V4M7 8.5l5-5 5 5M5 20h14",
            Self::Shield => "M12 3.5l7 2.5v5.5c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6z",
            Self::Copy => "M9 9h11v11H9zM5 15H4V4h11v1",
            Self::Question => "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.5",
            Self::Again => "M19 12a7 7 0 1 1-2.2-5.1M19 3.5V8h-4.5",
            Self::Pen => "M5 19l1-4L16.5 4.5l3 3L9 18z",
            Self::Clip => {
                "M19 11.5l-7.5 7.5a4.5 4.5 0 0 1-6.4-6.4L13 4.8a3 3 0 0 1 4.3 4.2l-7.8 7.9a1.5 1.5 0 0 1-2.2-2.1L14 8"
            }
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
