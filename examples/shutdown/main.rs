//! `shutdown [NAME [RUNS]]` stops a small server in five wrong ways and in the right way, and
//! counts the requests that each of them loses.
//!
//! ```sh
//! cargo run --example shutdown                 # all six, as a table
//! cargo run --example shutdown -- ctx-stop     # one of them
//! cargo run --example shutdown -- all 20       # twenty runs of each: median and range
//! ```
//!
//! Each server is a file that can be read alone; its wrong line is marked. Server and client run
//! in one process, but count independently: see `common/account.rs`.

use std::process::ExitCode;

#[cfg(unix)]
mod close_unread;
#[cfg(unix)]
mod common;
#[cfg(unix)]
mod ctx_stop;
#[cfg(unix)]
mod drop_runtime;
#[cfg(unix)]
mod marker;
#[cfg(unix)]
mod right;
#[cfg(unix)]
mod show;
#[cfg(unix)]
mod system_stop;

/// The exit code of sysexits(3) for a service that is not available.
#[cfg(not(unix))]
const UNAVAILABLE: u8 = 69;

#[cfg(unix)]
fn main() -> ExitCode {
    show::main(std::env::args().skip(1).collect())
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!("shutdown: its six servers need unix sockets; run it on Linux, or read the sources");
    ExitCode::from(UNAVAILABLE)
}
