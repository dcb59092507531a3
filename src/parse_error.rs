//! The error of texts that name no value of a type.

/// A text that names no value of a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {what} {text:?}: it must be {expected}")]
pub struct ParseError {
    what: &'static str,
    text: String,
    expected: &'static str,
}

impl ParseError {
    /// `what` names the type, and `expected` says how its values are written.
    pub(crate) fn new(what: &'static str, text: &str, expected: &'static str) -> ParseError {
        ParseError {
            what,
            text: text.to_owned(),
            expected,
        }
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }
}
