//! The names of the optional features of the contract.

use std::str::FromStr;

use super::named::impl_named;
use crate::parse_error::ParseError;

/// An optional feature of the contract. `welcome` lists those that the endpoint serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// Topics, filters, kept values, direct messages and headers.
    Topics,
    /// Publishing exactly once, by the numbers that a producer gives its messages.
    Producer,
    /// Cursors: read positions that the server remembers.
    Cursor,
    /// Services: clients that answer the requests of others.
    Services,
}

impl Feature {
    /// Every feature.
    pub const ALL: [Feature; 4] = [
        Feature::Topics,
        Feature::Producer,
        Feature::Cursor,
        Feature::Services,
    ];

    /// Returns the feature's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Feature::Topics => "topics",
            Feature::Producer => "producer",
            Feature::Cursor => "cursor",
            Feature::Services => "services",
        }
    }
}

impl_named!(Feature);

impl FromStr for Feature {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut known = Feature::ALL.into_iter();
        let feature = known.find(|feature| feature.as_str() == text);
        let expected = "topics, producer, cursor or services";
        feature.ok_or_else(|| ParseError::new("feature", text, expected))
    }
}
