//! What the tests need of the operating system, under the same names on each.
//!
//! One file a system; tests of what all systems have in common name none of them.

#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

pub use system::*;
