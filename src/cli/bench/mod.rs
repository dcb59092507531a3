//! `arauto bench`: measures how fast a server is, and what it costs.
//!
//! The clients must never be slower than the server. So they take their connections raw
//! ([`arauto::RawSession`]), go over the frames without decoding them
//! ([`arauto::wire::cbor::FrameScanner`]) and read into one buffer a thread. They still check
//! that no seq of a broadcast is missing.
//!
//! | file | what it holds |
//! |---|---|
//! | `measurement`, `options` | what all measurements do, and their options |
//! | `fanout`, `request`, `login`, `connections`, `shutdown` | the measurements |
//! | `target`, `bench_server`, `process` | the server: a child process, or one that runs |
//! | `connector`, `threads` | how clients log in, on several threads |
//! | `client`, `outbox`, `timer`, `timestamp` | a client of the load engine, on tokio |
//! | `readers`, `publisher`, `publishers`, `requester`, `requesters` | what clients do |
//! | `progress`, `figures` | what is shown meanwhile, and in the end |
//!
//! The load engine (`crate::load`) decides what a client writes and how it is timed;
//! benches/peers shares it.

mod bench_server;
mod client;
mod connections;
mod connector;
mod fanout;
mod figures;
mod login;
mod measurement;
mod options;
mod outbox;
mod process;
mod progress;
mod publisher;
mod publishers;
mod readers;
mod request;
mod requester;
mod requesters;
mod shutdown;
mod target;
mod threads;
mod timer;
mod timestamp;

use super::exit::Failure;
use measurement::{Run, perform};

#[derive(clap::Args)]
#[command(
    after_help = "Each starts a server of its own and stops it, unless --endpoint \
    names one that runs. docs/bench.md says what each figure means."
)]
pub(super) struct Args {
    #[command(subcommand)]
    work: Work,
}

#[derive(clap::Subcommand)]
enum Work {
    /// Publish to many leitores: deliveries a second, and what each costs.
    Fanout(Run<fanout::Args>),
    /// Ask and be answered, in closed loops: requests a second, and how long each takes.
    Request(Run<request::Args>),
    /// Log many clients in at the same moment: how long until all are in.
    Login(Run<login::Args>),
    /// Keep many idle sessions: the server's memory for each.
    Connections(Run<connections::Args>),
    /// Stop a server that has many sessions: how long that takes. The server that
    /// --endpoint names is stopped.
    Shutdown(Run<shutdown::Args>),
}

pub(super) fn run(args: Args) -> Result<u8, Failure> {
    match args.work {
        Work::Fanout(work) => perform(&work),
        Work::Request(work) => perform(&work),
        Work::Login(work) => perform(&work),
        Work::Connections(work) => perform(&work),
        Work::Shutdown(work) => perform(&work),
    }
}
