//! Why a text is not a topic, or not a pattern.

use super::{LONGEST_TOPIC, SEPARATOR};

/// Why a text is not a topic, or not a pattern. Offsets are in bytes from the start of the text,
/// from 0; levels are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    /// The text is empty.
    #[error("it is empty: a topic has at least one byte")]
    Empty,
    /// The text is longer than [`LONGEST_TOPIC`] bytes.
    #[error("it has {length} bytes, and {LONGEST_TOPIC} are allowed")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A character is of the general category Cc.
    #[error("level {level} has the control character U+{:04X} (at byte {at})", u32::from(*character))]
    Control {
        /// The character.
        character: char,
        /// The level that it stands in.
        level: usize,
        /// Its offset.
        at: usize,
    },
    /// A topic has the character of a wildcard.
    #[error("level {level} has \"{wildcard}\", which only a pattern may have (at byte {at})")]
    WildcardInTopic {
        /// The wildcard.
        wildcard: Wildcard,
        /// The level that it stands in.
        level: usize,
        /// Its offset.
        at: usize,
    },
    /// A pattern's wildcard is not a whole level.
    #[error(
        "level {level} has \"{wildcard}\" beside other characters (at byte {at}): a wildcard is a whole level"
    )]
    PartOfLevel {
        /// The wildcard.
        wildcard: Wildcard,
        /// The level that it stands in.
        level: usize,
        /// Its offset.
        at: usize,
    },
    /// A pattern's `#` is not its last level.
    #[error(
        "level {level} is \"#\", and further levels follow (at byte {at}): \"#\" is the last level"
    )]
    NotLast {
        /// The level.
        level: usize,
        /// Its offset.
        at: usize,
    },
    /// The topic's first level begins with `$`.
    #[error("level 1 begins with \"$\" (at byte 0): such topics are reserved for the server")]
    Reserved,
}

/// A wildcard of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wildcard {
    /// `+`: any one level.
    OneLevel,
    /// `#`: the parent and all levels below it.
    Rest,
}

impl Wildcard {
    /// Returns the wildcard that a character is.
    pub(super) fn of(character: char) -> Option<Wildcard> {
        match character {
            '+' => Some(Wildcard::OneLevel),
            '#' => Some(Wildcard::Rest),
            _ => None,
        }
    }

    /// Returns the wildcard as a pattern has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Wildcard::OneLevel => "+",
            Wildcard::Rest => "#",
        }
    }
}

impl std::fmt::Display for Wildcard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Checks what topics and patterns have in common: the length, and no control characters. Gives
/// every wildcard's character to `judge`, with its level and its offset.
pub(super) fn check(
    text: &str,
    mut judge: impl FnMut(Wildcard, usize, usize) -> Result<(), TopicError>,
) -> Result<(), TopicError> {
    match text.len() {
        0 => return Err(TopicError::Empty),
        length if length > LONGEST_TOPIC => return Err(TopicError::TooLong { length }),
        _ => {}
    }
    let mut level = 1;
    for (at, character) in text.char_indices() {
        if character == SEPARATOR {
            level += 1;
        } else if character.is_control() {
            return Err(TopicError::Control {
                character,
                level,
                at,
            });
        } else if let Some(wildcard) = Wildcard::of(character) {
            judge(wildcard, level, at)?;
        }
    }
    Ok(())
}
