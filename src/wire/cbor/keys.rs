//! The keys of a client's frames, and the type of each value.

/// A key that the server reads.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) is_required: bool,
}

/// The type that the value of a key must have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Uint,
    /// A seq: an unsigned integer from 1.
    Seq,
    Text,
    /// A text string or a byte string.
    Body,
    Bool,
    /// An array of text strings.
    Texts,
    /// A map of text strings to text strings, each key once.
    Headers,
    /// A map with these keys.
    Map(&'static [Key]),
}

impl Kind {
    /// Returns the kind as error messages name it.
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Kind::Uint | Kind::Seq => "an unsigned integer",
            Kind::Text => "a text string",
            Kind::Body => "a text string or a byte string",
            Kind::Bool => "true or false",
            Kind::Texts => "an array of text strings",
            Kind::Headers => "a map of text strings",
            Kind::Map(_) => "a map",
        }
    }
}

const fn required(name: &'static str, kind: Kind) -> Key {
    Key {
        name,
        kind,
        is_required: true,
    }
}

const fn optional(name: &'static str, kind: Kind) -> Key {
    Key {
        name,
        kind,
        is_required: false,
    }
}

const ID: Key = required("id", Kind::Uint);

const LOGIN: &[Key] = &[
    ID,
    required("user", Kind::Text),
    required("password", Kind::Text),
    optional("resume", Kind::Map(RESUME)),
    optional("filter", Kind::Texts),
    optional("presence", Kind::Bool),
    optional("kept", Kind::Bool),
    optional("cursor", Kind::Text),
];

const RESUME: &[Key] = &[
    required("stream", Kind::Text),
    required("after", Kind::Uint),
    optional("term", Kind::Uint),
];

const CURSOR: &[Key] = &[
    required("account", Kind::Text),
    required("name", Kind::Text),
];

const REMOVE_CURSOR: &[Key] = &[
    ID,
    required("account", Kind::Text),
    required("name", Kind::Text),
];

const REQUEST: &[Key] = &[
    ID,
    required("body", Kind::Body),
    optional("service", Kind::Text),
    optional("timeout", Kind::Uint),
    optional("headers", Kind::Headers),
];

const PUBLISH: &[Key] = &[
    ID,
    required("body", Kind::Body),
    optional("topic", Kind::Text),
    optional("headers", Kind::Headers),
    optional("keep", Kind::Bool),
    optional("to", Kind::Text),
    optional("producer", Kind::Text),
    optional("n", Kind::Uint),
];

const SUBSCRIBE: &[Key] = &[
    ID,
    optional("add", Kind::Texts),
    optional("remove", Kind::Texts),
    optional("kept", Kind::Bool),
];

const TOPICS: &[Key] = &[
    ID,
    optional("pattern", Kind::Text),
    optional("after", Kind::Text),
];

const SERVICE: Key = required("service", Kind::Text);

/// Whether there is exactly one of `body` and `error` is checked where the frame is read.
const ANSWER: &[Key] = &[
    required("call", Kind::Uint),
    optional("body", Kind::Body),
    optional("headers", Kind::Headers),
    optional("error", Kind::Map(ANSWER_ERROR)),
];

const ANSWER_ERROR: &[Key] = &[
    required("code", Kind::Text),
    required("message", Kind::Text),
];

/// Returns the keys of this client frame that the server reads. Any other key may have any
/// well-formed value, which is ignored.
pub(super) fn of(frame: &str) -> &'static [Key] {
    match frame {
        "login" => LOGIN,
        "request" => REQUEST,
        "publish" => PUBLISH,
        "subscribe" => SUBSCRIBE,
        "topics" => TOPICS,
        "who" | "ping" | "fim" | "sessions" => const { &[ID] },
        "cursors" => const { &[ID, optional("after", Kind::Map(CURSOR))] },
        "remove_cursor" => REMOVE_CURSOR,
        "shutdown" => const { &[ID, optional("now", Kind::Bool)] },
        "ack" => const { &[required("seq", Kind::Seq)] },
        "offer" => const { &[ID, SERVICE, optional("limit", Kind::Uint)] },
        "withdraw" => const { &[ID, SERVICE] },
        "answer" => ANSWER,
        "services" => const { &[ID, optional("after", Kind::Text)] },
        _ => &[],
    }
}
