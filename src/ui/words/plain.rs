//! Words of the pages without the page's program: signing in, sharing, and what kept a page from being shown.

use super::Language;

pub struct PlainWords {
    pub sign_in: &'static str,
    pub too_often: &'static str,
    pub wrong: &'static str,
    pub by_proxy: &'static str,
    /// Before and after the name of the command.
    pub by_link: [&'static str; 2],
    pub name: &'static str,
    pub password: &'static str,
    pub used_link: &'static str,
    pub used_link_text: [&'static str; 2],
    pub to_start: &'static str,
    pub signed_in: &'static str,
    /// Before and after the person's name.
    pub you_are: [&'static str; 2],
    pub to_sessions: &'static str,
    pub sign_out: &'static str,

    /// Of a session that can't be brought back here.
    pub session_gone: &'static str,

    pub sharing: &'static str,
    /// `{0}` is who the session belongs to.
    pub belongs_to: &'static str,
    pub everybodys: &'static str,
    pub shared_with_nobody: &'static str,
    pub everybody: &'static str,
    /// `{0}` is a name.
    pub watches: &'static str,
    pub takes_part: &'static str,
    pub take_back: &'static str,
    pub share_with: &'static str,
    pub share_with_hint: &'static str,
    pub part: &'static str,
    pub may_watch: &'static str,
    pub may_take_part: &'static str,
    pub share: &'static str,
}

pub fn plain(language: Language) -> &'static PlainWords {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
    }
}

static ENGLISH: PlainWords = PlainWords {
    sign_in: "Sign in",
    too_often: "There were too many wrong attempts. Wait a minute, then try again.",
    wrong: "Name or password is wrong. Try again.",
    by_proxy: "Your organisation signs you in: open Cowork under the address that you were given.",
    by_link: [
        "Whoever runs this Cowork finds a link in the terminal where it was started. It works once, for a minute. ",
        " prints a new one.",
    ],
    name: "Name",
    password: "Password",
    used_link: "This link does not work any more",
    used_link_text: [
        "It was used already, or it is older than a minute. Nothing is lost: ",
        " in a terminal on the machine of the server prints a new one.",
    ],
    to_start: "To the start",
    signed_in: "Signed in",
    you_are: ["You are ", ". What you do here stands in the log under this name."],
    to_sessions: "To your sessions",
    sign_out: "Sign out",

    session_gone: "The session is not there any more: it was deleted, or it is no longer shared with you. Files in its folder \
         were not touched. Choose another session, or begin a new one.",

    sharing: "Sharing",
    belongs_to: "This session belongs to {0}.",
    everybodys: "This session is everybody's who may sign in: it was made where nobody had a name.",
    shared_with_nobody: "It is shared with nobody.",
    everybody: "Everybody",
    watches: "{0} may watch",
    takes_part: "{0} takes part",
    take_back: "Take back",
    share_with: "With",
    share_with_hint: "a name, or * for everybody",
    part: "Who",
    may_watch: "may watch",
    may_take_part: "takes part",
    share: "Share",
};

static GERMAN: PlainWords = PlainWords {
    sign_in: "Anmelden",
    too_often: "Das waren zu viele falsche Versuche. Warten Sie eine Minute und versuchen Sie es dann noch einmal.",
    wrong: "Name oder Passwort ist falsch. Versuchen Sie es noch einmal.",
    by_proxy: "Ihre Organisation meldet Sie an: Öffnen Sie Cowork unter der Adresse, die Sie bekommen haben.",
    by_link: [
        "Wer dieses Cowork betreibt, findet einen Link im Terminal, in dem es gestartet wurde. Er gilt einmal, eine \
         Minute lang. ",
        " gibt einen neuen aus.",
    ],
    name: "Name",
    password: "Passwort",
    used_link: "Dieser Link gilt nicht mehr",
    used_link_text: [
        "Er wurde schon benutzt, oder er ist älter als eine Minute. Nichts ist verloren: ",
        " in einem Terminal auf dem Rechner des Servers gibt einen neuen aus.",
    ],
    to_start: "Zum Anfang",
    signed_in: "Angemeldet",
    you_are: ["Sie sind ", ". Was Sie hier tun, steht unter diesem Namen im Protokoll."],
    to_sessions: "Zu Ihren Sitzungen",
    sign_out: "Abmelden",

    session_gone: "Die Sitzung gibt es nicht mehr: Sie wurde gelöscht, oder sie ist nicht mehr mit Ihnen geteilt. Die Dateien in \
         ihrem Ordner blieben unberührt. Wählen Sie eine andere Sitzung, oder beginnen Sie eine neue.",

    sharing: "Teilen",
    belongs_to: "Diese Sitzung gehört {0}.",
    everybodys: "Diese Sitzung gehört allen, die sich anmelden dürfen: Sie entstand, als niemand einen Namen hatte.",
    shared_with_nobody: "Sie ist mit niemandem geteilt.",
    everybody: "Alle",
    watches: "{0} darf zusehen",
    takes_part: "{0} macht mit",
    take_back: "Zurücknehmen",
    share_with: "Mit",
    share_with_hint: "ein Name, oder * für alle",
    part: "Wer",
    may_watch: "darf zusehen",
    may_take_part: "macht mit",
    share: "Teilen",
};
