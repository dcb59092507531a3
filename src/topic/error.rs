//! The errors of topics and patterns, and the checks that the two share.

use super::{LONGEST_TOPIC, SEPARATOR};

/// The error of a text that is not a topic or not a pattern.
///
/// Offsets are in bytes from the start of the text, from 0. Levels are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    /// The text is empty.
    #[error("it is empty: a topic has at least one byte")]
    Empty,
    /// The text is longer than [`LONGEST_TOPIC`] bytes.
    #[error("it has {length} bytes, and {LONGEST_TOPIC} are allowed")]
    TooLong {
        /// The text's length in bytes.
        length: usize,
    },
    /// The text has a control character (general category Cc).
    #[error("level {level} has the control character U+{:04X} (at byte {at})", u32::from(*character))]
    Control {
        /// The control character.
        character: char,
        /// The level that contains the character.
        level: usize,
        /// The character's offset.
        at: usize,
    },
    /// A topic contains a wildcard character.
    #[error("level {level} has \"{wildcard}\", which only a pattern may have (at byte {at})")]
    WildcardInTopic {
        /// The wildcard.
        wildcard: Wildcard,
        /// The level that contains the wildcard.
        level: usize,
        /// The wildcard's offset.
        at: usize,
    },
    /// A pattern's wildcard is not a whole level.
    #[error(
        "level {level} has \"{wildcard}\" beside other characters (at byte {at}): a wildcard is a whole level"
    )]
    PartOfLevel {
        /// The wildcard.
        wildcard: Wildcard,
        /// The level that contains the wildcard.
        level: usize,
        /// The wildcard's offset.
        at: usize,
    },
    /// A pattern's `#` is not its last level.
    #[error(
        "level {level} is \"#\", and further levels follow (at byte {at}): \"#\" is the last level"
    )]
    NotLast {
        /// The level of the `#`.
        level: usize,
        /// The offset of the `#`.
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
    /// Returns the wildcard of a character; `None` if the character is not a wildcard.
    pub(super) fn of(character: char) -> Option<Wildcard> {
        match character {
            '+' => Some(Wildcard::OneLevel),
            '#' => Some(Wildcard::Rest),
            _ => None,
        }
    }

    /// Returns the wildcard's text in a pattern.
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

/// Checks the rules that topics and patterns share: the length, and that there are no control
/// characters. Calls `judge` for each wildcard character, with the wildcard, its level and its
/// offset.
///
/// # Errors
/// Returns the first error from the start of the text.
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
