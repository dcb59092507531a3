//! What the tests need of the operating system, under the same names on each.
//!
//! One file a system; tests of what all systems have in common name none of them.

#[cfg(unix)]
#[path = "os/unix.rs"]
mod system;
#[cfg(windows)]
#[path = "os/windows.rs"]
mod system;

pub use system::*;
