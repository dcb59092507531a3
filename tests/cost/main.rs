//! What one frame costs the server: system calls and allocations. Counts, not times.
//!
//! `cargo test --test cost -- --nocapture` prints them; docs/performance.md has them.
#![cfg(target_os = "linux")] // strace(1)

mod allocations;
mod client;
mod system_calls;
