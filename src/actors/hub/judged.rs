//! Messages that the hub judges one by one, and its verdict on each.
//!
//! The hub alone knows which numbers of a producer are in the stream, and which values are kept.

use std::sync::Arc;

use super::contents::Contents;
use crate::log::{Content, KeptLimit};
use crate::wire::{Publish, Seq};

/// Messages of one user that the hub judges, and that go to it together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct JudgedContents {
    contents: Contents,
    /// One for each message.
    claims: Vec<Claim>,
}

/// The claim of a message: the number that it has, and whether it may be published.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Claim {
    /// The number that its producer gave it.
    pub(super) number: Option<Number>,
    /// Whether the message must not be published, even if its number is the next one.
    pub(super) is_refused: bool,
}

/// The number of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Number {
    /// The name under which `n` counts.
    pub(super) producer: Arc<str>,
    pub(super) n: u64,
}

/// The verdict on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It was published now.
    Published(Seq),
    /// It was published before, with this seq; 0 if that is no longer known.
    Repeated(Seq),
    /// Its number is above the producer's next one.
    OutOfOrder {
        /// The highest number that was published.
        highest: u64,
    },
    /// Its number is the next one, and it was given to the hub as one that must not be published.
    Refused,
    /// It was not published, as its value cannot be kept.
    NotKept(KeptLimit),
}

impl Verdict {
    /// Whether the message was published now.
    pub(super) fn is_new(self) -> bool {
        matches!(self, Verdict::Published(_))
    }
}

impl JudgedContents {
    /// Adds a message, which must have been checked. `number` is its producer's name and the number
    /// that it gave the message.
    pub fn push(&mut self, number: Option<(&str, u64)>, publish: &Publish<'_>) {
        self.contents.push_publish(publish);
        self.push_claim(number, false);
    }

    /// Adds the number of a message that must not be published: only the verdict is asked for.
    pub fn push_refused(&mut self, number: (&str, u64)) {
        self.contents.push_empty();
        self.push_claim(Some(number), true);
    }

    fn push_claim(&mut self, number: Option<(&str, u64)>, is_refused: bool) {
        let last = self.claims.last().and_then(|claim| claim.number.as_ref());
        let number = number.map(|(producer, n)| {
            let producer = match last {
                Some(last) if &*last.producer == producer => Arc::clone(&last.producer),
                _ => Arc::from(producer),
            };
            Number { producer, n }
        });
        self.claims.push(Claim { number, is_refused });
    }

    /// Returns the length of all messages in bytes.
    pub fn bytes(&self) -> usize {
        self.contents.bytes()
    }

    /// Returns each message and what it claims.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Claim, Content<'_>)> {
        self.claims.iter().zip(self.contents.iter())
    }

    /// Returns the messages that these verdicts publish.
    pub(super) fn published<'a>(
        &'a self,
        verdicts: &'a [Verdict],
    ) -> impl Iterator<Item = Content<'a>> {
        let contents = self.contents.iter().zip(verdicts);
        contents.filter_map(|(content, verdict)| verdict.is_new().then_some(content))
    }
}
