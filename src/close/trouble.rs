//! The problems of a stop, beside the broadcasts that sessions did not get.
//!
//! The report has each trouble as a sentence for people, and has had it so from the start. So the
//! sentence is also the form in which a trouble is written and read back.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Component;

/// Something that went wrong in a stop, beside what sessions did not get. It is serialized as its
/// sentence.
///
/// A report that is read from a file has [`Trouble::Other`] in the place of
/// [`Trouble::Database`], whose sentence is the database's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trouble {
    /// The hub did not seal the log in time, or is gone: broadcasts may follow the head.
    LogUnsealed,
    /// The listeners were not sealed in time: the last sessions may not be listed.
    ListenersUnsealed,
    /// So many more sessions than the report lists had failed before the stop.
    FailedSessionsUnlisted(u64),
    /// A part of the server panicked.
    Panicked(Component),
    /// The database failed; the text is its own.
    Database(String),
    /// The database did not close in time. What was acknowledged is on disk.
    DatabaseUnclosed,
    /// The database was not closed, because the system gave no thread for it.
    DatabaseCloserMissing,
    /// A thread that runs sessions did not end in time.
    SessionThreadUnended,
    /// The threads that run sessions were not waited for, because the system gave no thread for
    /// it.
    SessionThreadsUnjoined,
    /// Sessions of so many listeners were still there when everything had stopped.
    SessionsAlive {
        /// The number of listeners.
        listeners: usize,
    },
    /// The server was told to stop while it started, and the disk did not answer.
    StartNotAbandoned,
    /// The server did not stop in time: nothing is known of its sessions.
    ServerSilent,
    /// The thread that runs the server panicked: nothing is known of its sessions.
    ServerThreadPanicked,
    /// A sentence that this version does not know.
    Other(String),
}

/// The end of the sentence about a panic.
const PANICKED: &str = " panicked";

const FAILED_UNLISTED: &str = " more sessions had failed before the server stopped";

/// The sentence about sessions that are alive, around the number of their listeners.
const ALIVE: (&str, &str) = ("sessions of ", " listeners are still alive");

impl Trouble {
    /// Every trouble whose sentence is always the same.
    const FIXED: [Trouble; 9] = [
        Trouble::LogUnsealed,
        Trouble::ListenersUnsealed,
        Trouble::DatabaseUnclosed,
        Trouble::DatabaseCloserMissing,
        Trouble::SessionThreadUnended,
        Trouble::SessionThreadsUnjoined,
        Trouble::StartNotAbandoned,
        Trouble::ServerSilent,
        Trouble::ServerThreadPanicked,
    ];

    /// Returns the trouble with this sentence, if it is one with a part that changes.
    fn parse_variable(sentence: &str) -> Option<Trouble> {
        if let Some(name) = sentence.strip_suffix(PANICKED) {
            let mut components = Component::ALL.into_iter();
            let found = components.find(|component| component.as_str() == name);
            return found.map(Trouble::Panicked);
        }
        if let Some(count) = sentence.strip_suffix(FAILED_UNLISTED) {
            return count.parse().ok().map(Trouble::FailedSessionsUnlisted);
        }
        let count = sentence.strip_prefix(ALIVE.0)?.strip_suffix(ALIVE.1)?;
        let listeners = count.parse().ok()?;
        Some(Trouble::SessionsAlive { listeners })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trouble::LogUnsealed => {
                "the log was not sealed: there may be broadcasts after its head"
            }
            Trouble::ListenersUnsealed => {
                "the listeners were not sealed: sessions that came last may not be listed"
            }
            Trouble::DatabaseUnclosed => {
                "the database did not close in time; all acknowledged changes are in it or in its \
                 write-ahead log"
            }
            Trouble::DatabaseCloserMissing => {
                "the database was not closed: cannot start a thread for it"
            }
            Trouble::SessionThreadUnended => "a session's thread did not end in time",
            Trouble::SessionThreadsUnjoined => "the session threads were not joined",
            Trouble::StartNotAbandoned => {
                "the start could not be abandoned in time: the data folder's disk does not answer"
            }
            Trouble::ServerSilent => {
                "the server did not answer in time; the state of its sessions is unknown"
            }
            Trouble::ServerThreadPanicked => {
                "the server's own thread panicked; the state of its sessions is unknown"
            }
            Trouble::Database(sentence) | Trouble::Other(sentence) => sentence,
            Trouble::Panicked(component) => return write!(f, "{component}{PANICKED}"),
            Trouble::FailedSessionsUnlisted(count) => return write!(f, "{count}{FAILED_UNLISTED}"),
            Trouble::SessionsAlive { listeners } => {
                return write!(f, "{}{listeners}{}", ALIVE.0, ALIVE.1);
            }
        })
    }
}

impl From<String> for Trouble {
    fn from(sentence: String) -> Trouble {
        let mut fixed = Trouble::FIXED.into_iter();
        let known = fixed.find(|trouble| trouble.to_string() == sentence);
        known
            .or_else(|| Trouble::parse_variable(&sentence))
            // A count may be written in another way than this version's.
            .filter(|trouble| trouble.to_string() == sentence)
            .unwrap_or(Trouble::Other(sentence))
    }
}

impl Serialize for Trouble {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Trouble {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Trouble::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every trouble, with the sentence that reports have had from the start.
    fn sentences() -> Vec<(Trouble, &'static str)> {
        vec![
            (
                Trouble::LogUnsealed,
                "the log was not sealed: there may be broadcasts after its head",
            ),
            (
                Trouble::ListenersUnsealed,
                "the listeners were not sealed: sessions that came last may not be listed",
            ),
            (
                Trouble::FailedSessionsUnlisted(6),
                "6 more sessions had failed before the server stopped",
            ),
            (
                Trouble::Panicked(Component::Acceptor),
                "an acceptor panicked",
            ),
            (Trouble::Panicked(Component::Auth), "auth panicked"),
            (Trouble::Panicked(Component::Hub), "the hub panicked"),
            (
                Trouble::Panicked(Component::Relay),
                "a relay of broadcasts panicked",
            ),
            (
                Trouble::Panicked(Component::SessionThread),
                "a session thread panicked",
            ),
            (Trouble::Panicked(Component::Store), "the store panicked"),
            (
                Trouble::DatabaseUnclosed,
                "the database did not close in time; all acknowledged changes are in it or in its \
                 write-ahead log",
            ),
            (
                Trouble::DatabaseCloserMissing,
                "the database was not closed: cannot start a thread for it",
            ),
            (
                Trouble::SessionThreadUnended,
                "a session's thread did not end in time",
            ),
            (
                Trouble::SessionThreadsUnjoined,
                "the session threads were not joined",
            ),
            (
                Trouble::SessionsAlive { listeners: 2 },
                "sessions of 2 listeners are still alive",
            ),
            (
                Trouble::StartNotAbandoned,
                "the start could not be abandoned in time: the data folder's disk does not answer",
            ),
            (
                Trouble::ServerSilent,
                "the server did not answer in time; the state of its sessions is unknown",
            ),
            (
                Trouble::ServerThreadPanicked,
                "the server's own thread panicked; the state of its sessions is unknown",
            ),
            (Trouble::Other("the moon fell".to_owned()), "the moon fell"),
        ]
    }

    #[test]
    fn trouble_is_written_as_its_sentence_and_reads_back() {
        for (trouble, sentence) in sentences() {
            let json = serde_json::to_value(&trouble).expect("a trouble is json");
            assert_eq!(json, serde_json::Value::from(sentence));
            let read: Trouble = serde_json::from_value(json).expect("it is read");
            assert_eq!(read, trouble, "{sentence}");
        }
        let fixed = Trouble::FIXED.iter();
        let listed = sentences();
        assert!(
            fixed
                .clone()
                .all(|one| listed.iter().any(|(known, _)| known == one))
        );
    }

    #[test]
    fn unknown_sentence_is_kept_as_it_is() {
        for sentence in [
            "",
            " panicked",
            "the kitchen panicked",
            "+6 more sessions had failed before the server stopped",
            "sessions of  listeners are still alive",
            "sessions of 99999999999999999999999 listeners are still alive",
        ] {
            let trouble = Trouble::from(sentence.to_owned());
            assert_eq!(trouble, Trouble::Other(sentence.to_owned()));
            assert_eq!(trouble.to_string(), sentence);
        }
    }

    #[test]
    fn database_trouble_reads_back_as_its_sentence() {
        let trouble = Trouble::Database("arauto.db: disk full".to_owned());
        let json = serde_json::to_string(&trouble).expect("a trouble is json");
        let read: Trouble = serde_json::from_str(&json).expect("it is read");
        assert_eq!(read, Trouble::Other(trouble.to_string()));
    }
}
