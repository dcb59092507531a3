//! The parts of a server beside its sessions, as the report names them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An actor or thread that every session depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Component {
    /// The actor that accepts the connections of one endpoint.
    Acceptor,
    /// The actor that owns the accounts.
    Auth,
    /// The actor that owns the log.
    Hub,
    /// The task that wakes the readers of one thread.
    Relay,
    /// A thread that runs sessions.
    SessionThread,
    /// The thread that writes the database.
    Store,
}

impl Component {
    /// Every component.
    pub(super) const ALL: [Component; 6] = [
        Component::Acceptor,
        Component::Auth,
        Component::Hub,
        Component::Relay,
        Component::SessionThread,
        Component::Store,
    ];

    /// Returns the component's name, as sentences of the report begin with it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Component::Acceptor => "an acceptor",
            Component::Auth => "auth",
            Component::Hub => "the hub",
            Component::Relay => "a relay of broadcasts",
            Component::SessionThread => "a session thread",
            Component::Store => "the store",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An actor that is no session, in a report's list. It is serialized as its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActorName {
    /// The actor that owns the accounts.
    Auth,
    /// The actor that owns the log.
    Hub,
    /// The actor that accepts the connections of this endpoint.
    Acceptor(String),
    /// An actor that this version does not know.
    Other(String),
}

/// The text before an acceptor's endpoint.
const ACCEPTOR: &str = "acceptor ";

impl fmt::Display for ActorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActorName::Auth => f.write_str("auth"),
            ActorName::Hub => f.write_str("hub"),
            ActorName::Acceptor(endpoint) => write!(f, "{ACCEPTOR}{endpoint}"),
            ActorName::Other(name) => f.write_str(name),
        }
    }
}

impl From<&str> for ActorName {
    fn from(text: &str) -> ActorName {
        match (text, text.strip_prefix(ACCEPTOR)) {
            ("auth", _) => ActorName::Auth,
            ("hub", _) => ActorName::Hub,
            (_, Some(endpoint)) => ActorName::Acceptor(endpoint.to_owned()),
            (name, None) => ActorName::Other(name.to_owned()),
        }
    }
}

impl Serialize for ActorName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ActorName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| text.as_str().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actor_name_reads_back_from_its_text() {
        for (text, name) in [
            ("auth", ActorName::Auth),
            ("hub", ActorName::Hub),
            (
                "acceptor unix:@a b",
                ActorName::Acceptor("unix:@a b".to_owned()),
            ),
            ("acceptor", ActorName::Other("acceptor".to_owned())),
            ("", ActorName::Other(String::new())),
            ("bridge", ActorName::Other("bridge".to_owned())),
        ] {
            assert_eq!(ActorName::from(text), name);
            let json = serde_json::to_value(&name).expect("a name is json");
            assert_eq!(json, serde_json::Value::from(text));
            assert_eq!(
                serde_json::from_value::<ActorName>(json).expect("it is read"),
                name
            );
        }
    }
}
