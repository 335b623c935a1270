//! The conversation: transcript, steps, composer, queue.

use super::Plural;

pub struct ChatWords {
    pub conversation: &'static str,
    pub earlier: &'static str,
    pub to_newest: &'static str,
    pub ready: &'static str,
    pub ready_text: &'static str,
    pub working: &'static str,

    pub message: &'static str,
    pub ask_placeholder: &'static str,
    pub add_placeholder: &'static str,
    pub send: &'static str,
    pub stop: &'static str,

    pub attach: &'static str,
    pub steer: &'static str,
    pub steer_text: &'static str,
    pub answer_placeholder: &'static str,
    pub approval_placeholder: &'static str,
    pub suggestions: &'static str,
    /// In the order of the commands.
    pub commands: [&'static str; 6],

    pub waits_for_you: Plural,
    pub waiting_for_you: &'static str,
    pub thinking: &'static str,
    pub steered: &'static str,
    pub loading: &'static str,
    pub news: Plural,

    pub copy: &'static str,
    pub edit: &'static str,
    pub save: &'static str,
    pub remove: &'static str,
    pub waiting_messages: &'static str,
    pub held: &'static str,
    pub sent_next: &'static str,
    pub send_next: &'static str,
    pub send_now: &'static str,
}

pub const ENGLISH: ChatWords = ChatWords {
    conversation: "Conversation",
    earlier: "Earlier messages",
    to_newest: "To the newest",
    ready: "Ready to work",
    ready_text: "Describe what you need. You see every step, and nothing outside the folder is touched.",
    working: "Working",

    message: "Message",
    ask_placeholder: "Ask for something",
    add_placeholder: "Add something; it is sent next",
    send: "Send",
    stop: "Stop",
    attach: "Attach",
    steer: "Tell it now",
    steer_text: "Into the running turn, without waiting for its end",
    answer_placeholder: "Your message answers the question above",
    approval_placeholder: "Answer above, or add something; it is sent next",
    suggestions: "Suggestions",
    commands: [
        "stop what runs",
        "choose what the agent may do",
        "choose who answers",
        "give this session another title, written behind it",
        "download the conversation",
        "show this",
    ],

    waits_for_you: Plural { one: "1 thing waits for your answer", many: "{0} things wait for your answer" },
    waiting_for_you: "Waiting for you",
    thinking: "Thinking",
    steered: "while it worked",
    loading: "Loading earlier messages",
    news: Plural { one: "1 new", many: "{0} new" },

    copy: "Copy",
    edit: "Edit",
    save: "Save",
    remove: "Remove",

    waiting_messages: "Waiting messages",
    held: "Kept: sent after what you do next, or now",
    sent_next: "Sent next",
    send_next: "Send next",
    send_now: "Send now",
};

pub const GERMAN: ChatWords = ChatWords {
    conversation: "Unterhaltung",
    earlier: "Frühere Nachrichten",
    to_newest: "Zum Neuesten",
    ready: "Bereit",
    ready_text: "Beschreiben Sie, was Sie brauchen. Sie sehen jeden Schritt, und nichts außerhalb des Ordners wird berührt.",
    working: "Arbeitet",

    message: "Nachricht",
    ask_placeholder: "Was soll getan werden?",
    add_placeholder: "Etwas hinzufügen; es wird als Nächstes gesendet",
    send: "Senden",
    stop: "Anhalten",
    attach: "Anhängen",
    steer: "Gleich sagen",
    steer_text: "In die laufende Runde, ohne ihr Ende abzuwarten",
    answer_placeholder: "Ihre Nachricht beantwortet die Frage oben",
    approval_placeholder: "Oben antworten, oder etwas hinzufügen; es wird als Nächstes gesendet",
    suggestions: "Vorschläge",
    commands: [
        "anhalten, was läuft",
        "wählen, was der Agent darf",
        "wählen, wer antwortet",
        "dieser Sitzung den Titel geben, der dahinter steht",
        "die Unterhaltung herunterladen",
        "dies zeigen",
    ],

    waits_for_you: Plural { one: "Eines wartet auf Ihre Antwort", many: "{0} Dinge warten auf Ihre Antwort" },
    waiting_for_you: "Wartet auf Sie",
    thinking: "Denkt nach",
    steered: "während der Arbeit",
    loading: "Frühere Nachrichten werden geladen",
    news: Plural { one: "1 neues", many: "{0} neue" },

    copy: "Kopieren",
    edit: "Ändern",
    save: "Speichern",
    remove: "Entfernen",

    waiting_messages: "Wartende Nachrichten",
    held: "Aufgehoben: folgt auf Ihren nächsten Schritt, oder jetzt",
    sent_next: "Als Nächstes",
    send_next: "Als Nächstes senden",
    send_now: "Jetzt senden",
};
