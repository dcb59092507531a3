//! A pattern of topics.

mod sets;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::error::{TopicError, Wildcard, check};
use super::{SEPARATOR, Topic};

/// A pattern of topics: a topic filter of MQTT 5 (section 4.7), of 1 to
/// [`LONGEST_TOPIC`](super::LONGEST_TOPIC) bytes, without control characters.
///
/// - `+` as a whole level matches any one level, including an empty level.
/// - `#` as the last level matches its parent and everything below it: `a/#` matches `a`, `a/`
///   and `a/b/c`.
/// - A pattern that begins with a wildcard does not match a reserved topic.
/// - `$share` has no special meaning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern<'a>(Cow<'a, str>);

/// One level of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatternLevel<'p> {
    /// Matches one level that equals this text.
    Literal(&'p str),
    /// `+`: matches any one level.
    OneLevel,
    /// `#`: matches the parent and all levels below it.
    Rest,
}

impl<'a> Pattern<'a> {
    /// Creates a pattern from a text.
    ///
    /// # Errors
    /// Returns an error if the text is not a pattern.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Result<Self, TopicError> {
        let text = text.into();
        check(&text, |wildcard, level, at| {
            let before = text[..at].chars().next_back();
            let after = text[at + 1..].chars().next();
            let is_whole =
                before.is_none_or(|c| c == SEPARATOR) && after.is_none_or(|c| c == SEPARATOR);
            if !is_whole {
                return Err(TopicError::PartOfLevel {
                    wildcard,
                    level,
                    at,
                });
            }
            if wildcard == Wildcard::Rest && after.is_some() {
                return Err(TopicError::NotLast { level, at });
            }
            Ok(())
        })?;
        Ok(Pattern(text))
    }

    /// Returns the pattern without borrowed data.
    pub fn into_owned(self) -> Pattern<'static> {
        Pattern(Cow::Owned(self.0.into_owned()))
    }

    /// Creates a pattern from a text that has the form of a pattern, but may be longer than
    /// [`LONGEST_TOPIC`](super::LONGEST_TOPIC) bytes.
    pub(super) fn of_any_length(text: impl Into<Cow<'a, str>>) -> Self {
        Pattern(text.into())
    }
}

impl Pattern<'_> {
    /// Returns the pattern's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern matches a topic. The time is linear in the topic's length.
    pub fn matches(&self, topic: &Topic<'_>) -> bool {
        self.matches_with(topic, |level| level)
    }

    /// As [`Pattern::matches`], but compares the topic's levels with what `replace` returns for
    /// the pattern's levels without wildcards.
    pub(super) fn matches_with<'p>(
        &'p self,
        topic: &Topic<'_>,
        replace: impl Fn(&'p str) -> &'p str,
    ) -> bool {
        if topic.is_reserved() && self.begins_with_wildcard() {
            return false;
        }
        let mut levels = topic.levels();
        for level in self.levels() {
            match level {
                PatternLevel::Rest => return true,
                PatternLevel::OneLevel if levels.next().is_none() => return false,
                PatternLevel::OneLevel => {}
                PatternLevel::Literal(text) if levels.next() != Some(replace(text)) => {
                    return false;
                }
                PatternLevel::Literal(_) => {}
            }
        }
        levels.next().is_none()
    }

    /// Whether the pattern matches a message. Only `#` matches a message without a topic.
    pub fn matches_message(&self, topic: Option<&Topic<'_>>) -> bool {
        match topic {
            Some(topic) => self.matches(topic),
            None => self.matches_all(),
        }
    }

    /// Whether the pattern is `#`.
    pub fn matches_all(&self) -> bool {
        self.0 == Wildcard::Rest.as_str()
    }

    /// Whether the pattern has a wildcard. A pattern without wildcards matches only the topic with
    /// the same text.
    pub fn has_wildcard(&self) -> bool {
        self.0.contains(['+', '#'])
    }

    fn begins_with_wildcard(&self) -> bool {
        self.0.starts_with(['+', '#'])
    }

    /// Returns the levels in order, at least one.
    pub(super) fn levels(&self) -> impl DoubleEndedIterator<Item = PatternLevel<'_>> + Clone {
        self.0.split(SEPARATOR).map(|level| match level {
            "+" => PatternLevel::OneLevel,
            "#" => PatternLevel::Rest,
            text => PatternLevel::Literal(text),
        })
    }
}

impl fmt::Display for Pattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Pattern<'static> {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        Pattern::new(text.to_owned())
    }
}
