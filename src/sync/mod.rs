//! Atomics, locks and wakers of state that threads share.
//!
//! The log, the counter of frames in work, the rules of live sessions, the cursors and the services take
//! these from here, so that the tests of their interleavings (`--cfg shuttle`, see `tests/interleavings.sh`) can put a
//! scheduler behind each of them. Every other build re-exports the real types.

#[cfg(not(all(test, shuttle)))]
pub use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};

#[cfg(not(all(test, shuttle)))]
pub use futures_util::task::AtomicWaker;
#[cfg(not(all(test, shuttle)))]
pub use parking_lot::{Mutex, RwLock};

#[cfg(all(test, shuttle))]
mod scheduled;
#[cfg(all(test, shuttle))]
pub use scheduled::{
    AtomicBool, AtomicU8, AtomicU64, AtomicUsize, AtomicWaker, Mutex, Ordering, RwLock,
};
