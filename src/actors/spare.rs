//! Reusable buffers, one pool for each thread.
//!
//! An idle session holds no buffer, and a busy one need not ask the allocator for each one:
//! the buffer that it has emptied waits here for the next session that needs one.

use std::cell::RefCell;

/// The most buffers that a thread's pool holds.
const POOLED: usize = 8;

/// The largest buffer that is pooled, in bytes; a larger one is freed.
const LARGEST: usize = 256 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Returns an empty buffer, one with capacity if the pool has any.
pub(super) fn take() -> Vec<u8> {
    SPARE.with_borrow_mut(|spare| spare.pop().unwrap_or_default())
}

/// Puts a buffer into the pool.
pub(super) fn give(mut buffer: Vec<u8>) {
    if buffer.capacity() == 0 || buffer.capacity() > LARGEST {
        return;
    }
    buffer.clear();
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < POOLED {
            spare.push(buffer);
        }
    });
}
