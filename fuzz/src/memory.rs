//! How much memory something takes: every allocation is counted.
//!
//! libFuzzer limits what the whole process holds, which is far too coarse to see one
//! frame that costs a thousand times its length.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

#[global_allocator]
static COUNTED: Counted = Counted;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counted;

#[expect(unsafe_code, reason = "an allocator is unsafe; this one hands all on")]
// SAFETY: memory comes from, and goes back to, the system's allocator with the same layout.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `alloc` got it from there, with this layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// Returns the result of `work`, and the peak of the bytes that it held beyond those before.
pub fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let done = work();
    let peak = PEAK.load(Ordering::Relaxed);
    (done, peak.saturating_sub(before))
}

/// Does `work` on an input of `length` bytes, within memory in proportion to it.
///
/// # Panics
/// If it takes more.
pub fn in_proportion<T>(length: usize, work: impl FnOnce() -> T) -> T {
    let (done, peak) = peak(work);
    let most = 8 * 1024 + 32 * length;
    assert!(
        peak <= most,
        "{length} bytes of input took {peak} of memory"
    );
    done
}
