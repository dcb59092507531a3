//! The operating system as the tests use it: one interface, with an implementation for each
//! system.

#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

pub use system::*;
