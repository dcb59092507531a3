//! Buffers that are handed round within a thread.
//!
//! An idle session holds no buffer, and a busy one does not ask the allocator for
//! one each time: what it has emptied waits here for whoever needs one next.

use std::cell::RefCell;

/// Buffers that wait, at most.
const KEPT: usize = 8;

/// A buffer that has grown beyond this is given back to the allocator.
const LARGEST: usize = 256 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer; with room in it, where there is one to spare.
pub(super) fn take() -> Vec<u8> {
    SPARE.with_borrow_mut(|spare| spare.pop().unwrap_or_default())
}

/// Gives a buffer to whoever needs one next.
pub(super) fn give(mut buffer: Vec<u8>) {
    if buffer.capacity() == 0 || buffer.capacity() > LARGEST {
        return;
    }
    buffer.clear();
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < KEPT {
            spare.push(buffer);
        }
    });
}
