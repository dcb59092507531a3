//! Clients that mean harm, each kind against a server of its own: the real binary.
//!
//! One file a kind. One test runs at a time, as most look at the clock or at the
//! server's memory. Where a bar is a time, the best of three rounds counts, and each
//! round is printed: a busy machine may spoil one, a slow server spoils them all.
#![cfg(target_os = "linux")] // what a process holds is asked of /proc
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so with its line; most of these are `expect` all the same"
)]

mod bombs;
mod churn;
mod descriptors;
mod dripped;
mod full_disk;
mod guess;
mod latency;
mod names;
mod process;
mod slow;
mod storm;
#[path = "../it/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with tests/it, which needs more"
)]
mod support;
mod unread;

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::Served;

/// That frames keep to the schema is what tests/it looks at.
mod contract {
    use crate::support::Frame;

    pub fn client_sends(_: &Frame) {}

    pub fn server_sends(_: &Frame, _: &[u8]) {}
}

/// Held by each test: they would be in each other's way.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner) // one that failed is over too
}

/// A server that logs little, as thousands of refusals would be most of its work.
fn serve(arguments: &[&str]) -> Served {
    let folder = tempfile::tempdir().expect("a folder can be made");
    Served::altered(folder, arguments, |mut command| {
        command.arg("--no-console").env("ARAUTO_LOG", "error");
        command
    })
}

/// Lets this process open so many descriptors; the server raises its own limit.
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
