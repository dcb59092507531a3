//! Tests arauto from the outside: with sockets, processes and the contract's bytes.
//!
//! All tests are one binary, with one file for each subject. No test sleeps: each waits for a
//! condition, and [`support::watchdog`] aborts the process if the condition never holds.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so with its line; most of these are `expect` all the same"
)]

mod admin;
#[cfg(unix)] // needs signals, file modes and mounts
mod audit;
mod behaviour;
mod cli;
mod configuration;
mod contract;
mod cursor;
mod errors;
#[cfg(unix)] // needs signals, descriptor limits and mounts
mod faults;
#[cfg(unix)]
mod files;
mod filters;
mod journal;
mod layers;
mod limits;
mod many_readers;
#[cfg(unix)] // a broker of its own, on a unix socket
mod mosquitto;
#[cfg(unix)] // shells and their pipes
mod offer;
#[cfg(unix)] // reads only the sources, so one system is enough
mod pages;
mod permissions;
mod presence;
mod producer;
#[cfg(unix)]
mod raw_dialect;
mod readers;
mod reconnect;
mod registration;
mod reload;
mod report;
mod resume;
mod retry_table;
mod revocation;
#[cfg(unix)]
mod seqpacket;
#[cfg(unix)]
mod server_user;
mod services;
mod shutdown;
#[cfg(unix)]
mod socket_file;
#[cfg(unix)]
mod sockets;
mod stalling_readers;
mod support;
#[cfg(target_os = "linux")]
mod systemd;
mod text_dialect;
#[cfg(unix)] // needs signals and file modes
mod tls;
mod topics;
#[cfg(unix)] // shells
mod traces;
#[cfg(windows)]
mod windows;
