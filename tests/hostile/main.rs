//! Hostile clients, each kind against its own server: the real binary.
//!
//! One file for each kind. One test runs at a time, because most measure time or the server's
//! memory. If a limit is a time, the best of three rounds counts, and each round is printed: a busy
//! machine may spoil one round, a slow server fails in all.
#![cfg(target_os = "linux")] // the resources of a process are read from /proc
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so with its line; most of these are `expect` all the same"
)]

mod alone;
mod amplification;
mod churn;
mod contract;
mod descriptors;
mod full_disk;
mod guess;
mod latency;
mod login_timing;
mod process;
mod services;
mod slow;
mod slow_line;
mod storm;
#[path = "../it/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with tests/it, which needs more"
)]
mod support;
mod unread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::alone::alone;
use crate::support::Served;

/// Starts a server that logs errors only: logging thousands of refusals would be most of its work.
fn serve(arguments: &[&str]) -> Served {
    let folder = tempfile::tempdir().expect("a folder can be made");
    Served::with_command(folder, arguments, |mut command| {
        command.arg("--no-console").env("ARAUTO_LOG", "error");
        command
    })
}

/// Raises this process's limit of descriptors to at least this number. The server raises its own.
fn may_open(descriptors: u64) {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    assert!(
        most >= descriptors,
        "{descriptors} descriptors are needed, and {most} allowed: ulimit -Hn"
    );
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("no more than is allowed");
}
