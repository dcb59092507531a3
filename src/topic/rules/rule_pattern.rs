//! A rule's pattern, in which `%u` stands for the user's name.

use std::fmt;
use std::str::FromStr;

use crate::topic::{Pattern, Topic, TopicError};

/// The level that stands for the user's name.
const USER: &str = "%u";

/// A rule's pattern: a [`Pattern`] in which a level `%u` matches one level that is exactly the
/// user's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RulePattern {
    /// The pattern as it was written: `%u` is a literal level.
    pattern: Pattern<'static>,
    /// Whether a level is `%u`.
    has_user: bool,
}

/// The error of a text that is not a rule's pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The text is not a pattern.
    #[error(transparent)]
    Pattern(#[from] TopicError),
    /// `%u` is not a whole level.
    #[error(
        "level {level} has \"%u\" beside other characters (at byte {at}): the user's name is a whole level"
    )]
    PartOfLevel {
        /// The level, counted from 1.
        level: usize,
        /// The offset of `%u` in bytes.
        at: usize,
    },
}

impl RulePattern {
    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        self.pattern.as_str()
    }

    /// Whether the pattern matches a message, with a user's name in place of `%u`. Returns `None` if
    /// the pattern has `%u` and there is no such name.
    pub(super) fn matches(&self, user: Option<&str>, topic: Option<&Topic<'_>>) -> Option<bool> {
        if !self.has_user {
            return Some(self.pattern.matches_message(topic));
        }
        let user = user?;
        // Only `#` matches a message without a topic, and it has no `%u`.
        Some(topic.is_some_and(|topic| {
            let replace = |level| if level == USER { user } else { level };
            self.pattern.matches_with(topic, replace)
        }))
    }

    /// Returns the pattern with a user's name in place of `%u`; `None` if the pattern has `%u` and
    /// there is no such name.
    pub(super) fn for_user(&self, user: Option<&str>) -> Option<Pattern<'static>> {
        if !self.has_user {
            return Some(self.pattern.clone());
        }
        let user = user?;
        let levels = self.as_str().split('/');
        let levels: Vec<&str> = levels
            .map(|level| if level == USER { user } else { level })
            .collect();
        Some(Pattern::of_any_length(levels.join("/")))
    }
}

impl FromStr for RulePattern {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let pattern: Pattern<'static> = text.parse()?;
        let mut start = 0;
        let mut has_user = false;
        for (index, level) in text.split('/').enumerate() {
            match level.find(USER) {
                Some(_) if level == USER => has_user = true,
                Some(at) => {
                    return Err(RuleError::PartOfLevel {
                        level: index + 1,
                        at: start + at,
                    });
                }
                None => {}
            }
            start += level.len() + 1;
        }
        Ok(RulePattern { pattern, has_user })
    }
}

impl fmt::Display for RulePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pattern.fmt(f)
    }
}
