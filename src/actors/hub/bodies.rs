//! The bodies of messages that go to the hub together.

use smallvec::SmallVec;

use crate::actors::spare;
use crate::wire::{Body, cbor};

/// Bodies as CBOR items, in one buffer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bodies {
    items: Vec<u8>,
    /// The end of each item in `items`.
    ends: SmallVec<[usize; 4]>,
}

impl Default for Bodies {
    fn default() -> Self {
        Bodies {
            items: spare::take(),
            ends: SmallVec::new(),
        }
    }
}

impl Drop for Bodies {
    fn drop(&mut self) {
        spare::give(std::mem::take(&mut self.items));
    }
}

impl Bodies {
    /// Adds a body.
    pub fn push(&mut self, body: &Body<'_>) {
        cbor::encode_body(body, &mut self.items);
        self.ends.push(self.items.len());
    }

    /// Adds no body, for a message that has none.
    pub(super) fn push_empty(&mut self) {
        self.ends.push(self.items.len());
    }

    /// Returns the length of all items in bytes.
    pub fn bytes(&self) -> usize {
        self.items.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends
            .iter()
            .map(move |end| &self.items[std::mem::replace(&mut start, *end)..*end])
    }
}
