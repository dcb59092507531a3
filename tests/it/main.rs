//! arauto from outside: real sockets, real processes, the contract's own bytes.
//!
//! One binary, one file a behaviour. No test sleeps: each waits for what it needs
//! and [`support::watchdog`] ends the process where that never comes.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so with its line; most of these are `expect` all the same"
)]

mod cli;
mod contract;
mod errors;
#[cfg(unix)] // signals, limits of descriptors, a disk of its own
mod faults;
#[cfg(unix)]
mod files;
mod holding;
mod journal;
mod layers;
mod limits;
mod many_readers;
#[cfg(unix)] // it looks at the sources only
mod pages;
mod presence;
#[cfg(unix)]
mod raw_dialect;
mod readers;
mod reconnect;
mod registration;
mod report;
mod resume;
mod retry_table;
mod revocation;
#[cfg(unix)]
mod seqpacket;
#[cfg(unix)]
mod server_user;
mod shutdown;
#[cfg(unix)]
mod socket_file;
#[cfg(unix)]
mod sockets;
mod support;
mod text_dialect;
#[cfg(unix)] // it signals, and looks at modes
mod tls;
mod what_happens;
#[cfg(windows)]
mod windows;
