//! A set of texts. Each text is stored once and has a number.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::slots::Slots;

/// A set of texts. A text keeps its number as long as it is used.
#[derive(Debug)]
pub struct Texts {
    /// The texts, one after the other, with unused bytes between them.
    bytes: Vec<u8>,
    /// The number of bytes between the texts that no text uses any more.
    unused: usize,
    places: Slots<StoredText>,
    by_text: HashTable<u32>,
    /// Keyed at random, as clients choose the texts.
    hasher: RandomState,
}

/// The position of a text, and the number of its uses.
#[derive(Debug, Clone, Copy)]
struct StoredText {
    /// The offset of the text in bytes.
    start: u32,
    /// The length of the text in bytes.
    length: u16,
    uses: u32,
}

impl StoredText {
    fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..][..usize::from(self.length)]
    }
}

impl Texts {
    /// Creates an empty set.
    pub fn new() -> Self {
        Texts {
            bytes: Vec::new(),
            unused: 0,
            places: Slots::new(),
            by_text: HashTable::new(),
            hasher: RandomState::new(),
        }
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.by_text.is_empty()
    }

    /// Returns the count of texts.
    pub fn len(&self) -> usize {
        self.by_text.len()
    }

    /// Returns the number of a text; `None` if the text is not in the set.
    pub fn find(&self, text: &str) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        let (places, bytes) = (&self.places, &self.bytes);
        let is_text = |number: &u32| places[*number].of(bytes) == text.as_bytes();
        let hash = self.hasher.hash_one(text.as_bytes());
        self.by_text.find(hash, is_text).copied()
    }

    /// Returns the number of a text, and counts one more use of it.
    ///
    /// # Panics
    /// If the text has 64 KiB or more, or all texts together have 4 GiB.
    pub fn take(&mut self, text: &str) -> u32 {
        let Texts {
            bytes,
            places,
            by_text,
            hasher,
            ..
        } = self;
        let hash = hasher.hash_one(text.as_bytes());
        let entry = by_text.entry(
            hash,
            |number| places[*number].of(bytes) == text.as_bytes(),
            |number| hasher.hash_one(places[*number].of(bytes)),
        );
        match entry {
            Entry::Occupied(found) => {
                let number = *found.get();
                places[number].uses += 1;
                number
            }
            Entry::Vacant(place) => {
                let start =
                    u32::try_from(bytes.len()).expect("all texts together have less than 4 GiB");
                if bytes.capacity() - bytes.len() < text.len() {
                    bytes.reserve_exact(text.len().max(bytes.len() / 8).max(64));
                }
                bytes.extend_from_slice(text.as_bytes());
                let length = u16::try_from(text.len()).expect("a pattern is short");
                let number = places.insert(StoredText {
                    start,
                    length,
                    uses: 1,
                });
                place.insert(number);
                number
            }
        }
    }

    /// Counts one use of a text less. Removes the text after its last use, and returns whether it
    /// was removed.
    ///
    /// # Panics
    /// May panic if the text was removed before.
    pub fn release(&mut self, number: u32) -> bool {
        let place = &mut self.places[number];
        place.uses -= 1;
        if place.uses > 0 {
            return false;
        }
        let place = *place;
        let hash = self.hasher.hash_one(place.of(&self.bytes));
        if let Ok(found) = self.by_text.find_entry(hash, |other| *other == number) {
            found.remove();
        }
        self.places.remove(number);
        self.unused += usize::from(place.length);
        if self.is_empty() {
            (self.bytes, self.unused) = (Vec::new(), 0);
            self.by_text = HashTable::new();
        } else if self.unused > 1024 + self.bytes.len() / 2 {
            self.pack();
        }
        true
    }

    /// Returns the text with a number.
    ///
    /// # Panics
    /// May panic if the text was removed.
    pub fn text(&self, number: u32) -> &str {
        let text = self.places[number].of(&self.bytes);
        std::str::from_utf8(text).expect("only whole texts are added")
    }

    /// Returns the length in bytes of the text with a number.
    ///
    /// # Panics
    /// May panic if the text was removed.
    pub fn length(&self, number: u32) -> usize {
        usize::from(self.places[number].length)
    }

    #[cfg(test)]
    pub(super) fn capacity_in_bytes(&self) -> usize {
        let places = self.places.capacity_in_bytes();
        self.bytes.capacity() + places + self.by_text.allocation_size()
    }

    /// Moves the texts together, so that at most about half of the bytes are unused.
    fn pack(&mut self) {
        let mut packed = Vec::with_capacity(self.bytes.len() - self.unused);
        for number in &self.by_text {
            let place = &mut self.places[*number];
            let text = place.of(&self.bytes);
            place.start =
                u32::try_from(packed.len()).expect("packed texts are not longer than before");
            packed.extend_from_slice(text);
        }
        self.bytes = packed;
        self.unused = 0;
        let (hasher, places, bytes) = (&self.hasher, &self.places, &self.bytes);
        let hash = |number: &u32| hasher.hash_one(places[*number].of(bytes));
        self.by_text.shrink_to_fit(hash);
    }
}
