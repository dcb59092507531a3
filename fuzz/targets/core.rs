//! A session's core alone, through any steps: frames, results of work, orders, time, and changes
//! of its outside.
//!
//! Behind each step must hold, as the header of src/actors/session/core/testing/drive.rs says:
//! - each admitted frame is answered once, in the order of the frames, and `closing` counts them
//!   right;
//! - nothing follows `closing`;
//! - a session that waits for time says for how long, and comes to its end;
//! - what is saved and read back is the same core, and goes on in its place.
//!
//! An input that begins with 0xff is a saved session instead: reading it panics nowhere, and
//! takes memory in proportion, and what was read and written again is read as the same.

#![no_main]

use arauto::fuzzing::core::{read_saved, take_steps};
use arauto_fuzz::memory::peak;
use libfuzzer_sys::fuzz_target;

/// A log, its readers and the thread's buffers: they do not depend on the input.
const SURROUNDINGS: usize = 512 * 1024;

fuzz_target!(|data: &[u8]| {
    match data {
        [0xff, saved @ ..] => {
            let ((), peak) = peak(|| read_saved(saved));
            let most = SURROUNDINGS + 128 * saved.len();
            assert!(peak <= most, "{} bytes took {peak} of memory", saved.len());
        }
        steps => take_steps(steps),
    }
});
