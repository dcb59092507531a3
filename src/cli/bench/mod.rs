//! `arauto bench`: how fast a server is, and what it costs.
//!
//! The clients must never be what is slow. So they take their connections raw
//! ([`arauto::RawSession`]), go over the frames without decoding them
//! ([`arauto::wire::cbor::FrameScanner`]) and read into one buffer a thread; what they
//! still check of every broadcast is that no seq is missing.
//!
//! | file | what it holds |
//! |---|---|
//! | `fanout`, `request`, `login`, `connections`, `shutdown` | the works |
//! | `stage` | the server, the way in, who watches |
//! | `own`, `process` | a server as a child, what Linux says of it |
//! | `door`, `ear`, `crowd`, `escritor`, `press`, `asker`, `askers`, `closers` | the clients |
//! | `figures`, `latency` | what was found |

mod asker;
mod askers;
mod closers;
mod connections;
mod crowd;
mod door;
mod ear;
mod escritor;
mod fanout;
mod figures;
mod latency;
mod login;
mod own;
mod pace;
mod press;
mod process;
mod request;
mod shutdown;
mod stage;
mod stamp;
mod threads;
mod watch;

use std::path::PathBuf;

use serde::Serialize;

use super::exit::{Failure, sysexits};
use super::password::PasswordArgs;
use super::resources::{self, Requirements};
use super::tls::TrustArgs;
use super::whole_file;
use figures::{Document, Figures, json_failed};
use stage::Stage;

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
    Fanout(fanout::Args),
    /// Ask and be answered, in closed loops: requests a second, and how long each takes.
    Request(request::Args),
    /// Log many clients in at the same moment: how long until all are in.
    Login(login::Args),
    /// Keep many idle sessions: the server's memory for each.
    Connections(connections::Args),
    /// Stop a server that has many sessions: how long that takes. The server that
    /// --endpoint names is stopped.
    Shutdown(shutdown::Args),
}

/// What every work can be told.
#[derive(clap::Args, Serialize)]
struct Common {
    /// Measure this server, which runs, and not one that the bench starts. Its CPU
    /// and memory are known where it is a process of this machine's. The accounts'
    /// password is asked for as by the other commands.
    #[arg(long, value_name = "ENDPOINT")]
    #[serde(skip)]
    endpoint: Option<String>,

    /// Write the figures into this file, as JSON (docs/bench.md).
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    json: Option<PathBuf>,

    /// Threads that the clients are spread over.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_1)]
    threads: usize,

    /// Accounts are NAME-1, NAME-2, …; those that are new register.
    #[arg(long, value_name = "NAME", default_value = "bench")]
    #[serde(skip)]
    user: String,

    #[command(flatten)]
    #[serde(skip)]
    password: PasswordArgs,

    #[command(flatten)]
    #[serde(skip)]
    tls: TrustArgs,

    /// Further arguments of the `arauto serve` that the bench starts, as in
    /// `arauto bench fanout -- --arbiters 2`.
    #[arg(
        last = true,
        value_name = "SERVE ARGUMENTS",
        conflicts_with = "endpoint"
    )]
    #[serde(rename = "serve_arguments")]
    serve: Vec<String>,
}

/// One kind of measurement; its fields are the JSON's `parameters`.
trait Bench: Serialize {
    const NAME: &'static str;
    type Figures: Figures;

    fn common(&self) -> &Common;

    /// Descriptors and accounts that it takes.
    fn needs(&self) -> Needs;

    /// # Errors
    /// What cannot be measured that way.
    fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn run(&self, stage: &mut Stage) -> Result<Self::Figures, Failure>;
}

/// What a work takes.
struct Needs {
    sessions: usize,
    accounts: usize,
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

/// On this thread, which is the one whose end ends the server.
fn perform<W: Bench>(work: &W) -> Result<u8, Failure> {
    work.check()?;
    if let Some(path) = &work.common().json {
        whole_file::check(path).map_err(|error| json_failed(path, &error))?;
    }
    resources::check(Requirements::CLIENT)?;
    let runtime = resources::runtime()?;
    let outcome = runtime.block_on(measure(work));
    runtime.shutdown_background();
    outcome
}

async fn measure<W: Bench>(work: &W) -> Result<u8, Failure> {
    let needs = work.needs();
    let mut stage = Stage::set(work.common(), needs.sessions, needs.accounts).await?;
    let figures = work.run(&mut stage).await?;
    let server = stage.strike().await?;
    let document = Document::new(W::NAME, work, &figures, &server);
    // The file first: what is printed may have no reader.
    if let Some(path) = &work.common().json {
        document.write(path)?;
    }
    document.print()?;
    match figures.trouble() {
        None => Ok(0),
        Some(trouble) => Err(Failure::new(sysexits::SOFTWARE, trouble)),
    }
}

/// The most of anything: two such counts can be multiplied.
const MOST: usize = 1_000_000_000;

/// A count of which 0 makes no sense.
fn at_least_1(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=MOST) => Ok(count),
        Ok(0) => Err("it must be 1 at least".to_owned()),
        Ok(_) => Err(format!("it must be {MOST} at most")),
        Err(error) => Err(format!("{error}")),
    }
}

/// A count that may be 0.
fn at_least_0(text: &str) -> Result<usize, String> {
    match text {
        "0" => Ok(0),
        _ => at_least_1(text),
    }
}
