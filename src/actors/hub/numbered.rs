//! Messages that their producers have numbered, and the hub's verdict on each.

use std::sync::Arc;

use super::bodies::Bodies;
use crate::wire::{Body, Seq};

/// Numbered messages of one user that go to the hub together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct NumberedBodies {
    /// One body for each number.
    bodies: Bodies,
    numbers: Vec<Number>,
}

/// The number of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Number {
    /// The name under which `n` counts.
    pub(super) producer: Arc<str>,
    pub(super) n: u64,
    /// Whether the message must not be published, even if its number is the next one.
    pub(super) is_refused: bool,
}

/// The verdict on a numbered message.
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
}

impl Verdict {
    /// Whether the message was published now.
    pub(super) fn is_new(self) -> bool {
        matches!(self, Verdict::Published(_))
    }
}

impl NumberedBodies {
    /// Adds a message.
    pub fn push(&mut self, producer: &str, n: u64, body: &Body<'_>) {
        self.bodies.push(body);
        self.push_number(producer, n, false);
    }

    /// Adds the number of a message that must not be published: only the verdict is asked for.
    pub fn push_refused(&mut self, producer: &str, n: u64) {
        self.bodies.push_empty();
        self.push_number(producer, n, true);
    }

    fn push_number(&mut self, producer: &str, n: u64, is_refused: bool) {
        let producer = match self.numbers.last() {
            Some(last) if &*last.producer == producer => Arc::clone(&last.producer),
            _ => Arc::from(producer),
        };
        self.numbers.push(Number {
            producer,
            n,
            is_refused,
        });
    }

    /// Returns the length of all bodies, as CBOR items, in bytes.
    pub fn bytes(&self) -> usize {
        self.bodies.bytes()
    }

    pub(super) fn numbers(&self) -> &[Number] {
        &self.numbers
    }

    /// Returns the bodies that these verdicts publish.
    pub(super) fn published<'a>(
        &'a self,
        verdicts: &'a [Verdict],
    ) -> impl Iterator<Item = &'a [u8]> {
        let bodies = self.bodies.iter().zip(verdicts);
        bodies.filter_map(|(body, verdict)| verdict.is_new().then_some(body))
    }
}
