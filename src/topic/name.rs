//! A message's topic.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::error::{TopicError, check};
use super::{MOST_LEVELS, SEPARATOR};

/// A message's topic: 1 to [`LONGEST_TOPIC`](super::LONGEST_TOPIC) bytes without `+`, `#` and
/// control characters. `/` separates its levels. Each level may be empty.
///
/// Topics are compared byte by byte. A topic whose first level begins with `$` is reserved: a
/// client cannot publish to it, and a pattern that begins with a wildcard does not match it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic<'a>(Cow<'a, str>);

impl<'a> Topic<'a> {
    /// Creates a topic from a text. The topic may be reserved.
    ///
    /// # Errors
    /// Returns an error if the text is not a topic.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Result<Self, TopicError> {
        let text = text.into();
        check(&text, |wildcard, level, at| {
            Err(TopicError::WildcardInTopic {
                wildcard,
                level,
                at,
            })
        })?;
        Ok(Topic(text))
    }

    /// Creates the topic of a client's message from a text.
    ///
    /// # Errors
    /// Returns an error if the text is not a topic or if the topic is reserved.
    pub fn of_client(text: impl Into<Cow<'a, str>>) -> Result<Self, TopicError> {
        let topic = Topic::new(text)?;
        if topic.is_reserved() {
            return Err(TopicError::Reserved);
        }
        Ok(topic)
    }

    /// Creates a topic from a text that was checked before.
    #[cfg(feature = "server")]
    pub(crate) fn of_checked(text: &'a str) -> Self {
        Topic(Cow::Borrowed(text))
    }

    /// Returns the topic without borrowed data.
    pub fn into_owned(self) -> Topic<'static> {
        Topic(Cow::Owned(self.0.into_owned()))
    }

    /// Returns a topic that borrows this one.
    pub fn as_borrowed(&self) -> Topic<'_> {
        Topic(Cow::Borrowed(&self.0))
    }
}

impl Topic<'_> {
    /// Returns the topic's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the levels in order, at least one and at most 257.
    pub fn levels(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        debug_assert!(self.0.len() < MOST_LEVELS);
        self.0.split(SEPARATOR)
    }

    /// Whether the first level begins with `$`.
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with('$')
    }
}

impl fmt::Display for Topic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Topic<'static> {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        Topic::new(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::{LONGEST_TOPIC, Wildcard};

    #[test]
    fn topic_with_any_levels_is_accepted() {
        for text in [
            "a", "/", "//", "a/", "/a", "a//b", "$x", " ", "é/ü", "a$b", "%u",
        ] {
            assert!(Topic::new(text).is_ok(), "{text:?}");
        }
        let longest = "/".repeat(LONGEST_TOPIC);
        let longest = Topic::new(longest).expect("256 bytes are allowed");
        assert_eq!(longest.levels().count(), MOST_LEVELS);
    }

    #[test]
    fn topic_error_names_the_level_and_the_byte() {
        let cases = [
            ("", TopicError::Empty),
            (
                "é/a+",
                TopicError::WildcardInTopic {
                    wildcard: Wildcard::OneLevel,
                    level: 2,
                    at: 4,
                },
            ),
            (
                "#",
                TopicError::WildcardInTopic {
                    wildcard: Wildcard::Rest,
                    level: 1,
                    at: 0,
                },
            ),
            (
                "a//b\u{85}",
                TopicError::Control {
                    character: '\u{85}',
                    level: 3,
                    at: 4,
                },
            ),
        ];
        for (text, error) in cases {
            assert_eq!(Topic::new(text), Err(error), "{text:?}");
        }
        let long = "é".repeat(129);
        let error = Topic::new(long.as_str()).expect_err("258 bytes are too long");
        assert_eq!(error.to_string(), "it has 258 bytes, and 256 are allowed");
        let error = Topic::new("a/\u{7f}").expect_err("control characters are refused");
        let text = "level 2 has the control character U+007F (at byte 2)";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn reserved_topic_is_refused_only_from_a_client() {
        for text in ["$", "$SYS/a", "$a"] {
            assert!(Topic::new(text).is_ok());
            assert_eq!(Topic::of_client(text), Err(TopicError::Reserved));
        }
        assert!(Topic::of_client("a/$b").is_ok());
    }
}
