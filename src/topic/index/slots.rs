//! A table that gives each value a number, valid until the value is removed.

/// A table of values. The slot of a removed value is used again.
#[derive(Debug)]
pub(super) struct Slots<T> {
    values: Vec<T>,
    /// The numbers of the slots whose values were removed.
    free: Vec<u32>,
}

impl<T: Copy> Slots<T> {
    pub(super) const fn new() -> Self {
        Slots {
            values: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Adds a value and returns its slot.
    pub(super) fn insert(&mut self, value: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.values[slot as usize] = value;
            return slot;
        }
        // The last two numbers mark absent nodes and wildcards in the trie.
        assert!(
            self.values.len() < u32::MAX as usize - 1,
            "the table is full"
        );
        let slot = self.values.len() as u32;
        grow_slowly(&mut self.values);
        self.values.push(value);
        slot
    }

    /// Frees a slot. Frees the table's memory when all slots are free.
    pub(super) fn remove(&mut self, slot: u32) {
        self.free.push(slot);
        if self.free.len() == self.values.len() {
            *self = Slots::new();
        }
    }

    #[cfg(test)]
    pub(super) fn capacity_in_bytes(&self) -> usize {
        size_of::<T>() * self.values.capacity() + size_of::<u32>() * self.free.capacity()
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() - self.free.len()
    }
}

impl<T> std::ops::Index<u32> for Slots<T> {
    type Output = T;

    fn index(&self, slot: u32) -> &T {
        &self.values[slot as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Slots<T> {
    fn index_mut(&mut self, slot: u32) -> &mut T {
        &mut self.values[slot as usize]
    }
}

/// Reserves room for one more value. `Vec` would double its capacity and leave up to half of it
/// unused. This function leaves at most a ninth of a long vector unused.
pub(super) fn grow_slowly<T>(values: &mut Vec<T>) {
    if values.len() == values.capacity() {
        values.reserve_exact(8.max(values.len() / 8));
    }
}
