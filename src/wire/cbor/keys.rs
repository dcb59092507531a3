//! The keys of a client's frames: the type of each value, and the keys of features that this
//! server does not support.

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
];

const RESUME: &[Key] = &[
    required("stream", Kind::Text),
    required("after", Kind::Uint),
    optional("term", Kind::Uint),
];

/// Returns the keys of this client frame that the server reads. Any other key may have any
/// well-formed value, which is ignored.
pub(super) fn of(frame: &str) -> &'static [Key] {
    match frame {
        "login" => LOGIN,
        "request" | "publish" => const { &[ID, required("body", Kind::Body)] },
        "who" | "ping" | "fim" | "sessions" | "subscribe" | "offer" | "withdraw" => const { &[ID] },
        "shutdown" => const { &[ID, optional("now", Kind::Bool)] },
        "ack" => const { &[required("seq", Kind::Seq)] },
        "answer" => const { &[required("call", Kind::Uint)] },
        _ => &[],
    }
}

/// Returns the keys of this client frame that belong to features which the contract defines and
/// this server does not support.
pub(super) fn unserved(frame: &str) -> &'static [&'static str] {
    match frame {
        "login" => &["filter", "presence", "kept", "cursor"],
        "publish" => &["topic", "headers", "keep", "to", "producer", "n"],
        "request" => &["service", "timeout", "headers"],
        _ => &[],
    }
}
