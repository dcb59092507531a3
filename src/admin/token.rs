//! The secret of requests over TCP.

use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
use sha2::{Digest, Sha256};

/// The secret of requests over TCP. Its debug text does not show it.
#[derive(Clone)]
pub(crate) struct Token(Arc<str>);

impl Token {
    /// Makes a token of a secret.
    pub(crate) fn new(secret: &str) -> Token {
        Token(Arc::from(secret))
    }

    /// Returns whether this is the token. The time that it takes tells nothing about the token.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        Sha256::digest(self.0.as_bytes()) == Sha256::digest(given)
    }

    /// Returns whether both have the same secret.
    pub(super) fn is_same(&self, other: &Token) -> bool {
        self.is(other.0.as_bytes())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// The token that requests over TCP need, which can be replaced. Clones share it. Without one they
/// get to know of health only.
#[derive(Debug, Clone, Default)]
pub(crate) struct CurrentToken(Arc<RwLock<Option<Token>>>);

impl CurrentToken {
    /// Replaces the token for later requests.
    pub(crate) fn set(&self, token: Option<Token>) {
        *self.0.write() = token;
    }

    /// Returns the token of this moment.
    pub(super) fn get(&self) -> Option<Token> {
        self.0.read().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_not_in_its_debug_text() {
        assert_eq!(format!("{:?}", Token::new("segredo")), "Token");
    }
}
