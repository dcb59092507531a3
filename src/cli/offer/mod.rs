//! `arauto offer`: answers the requests to a service with a command.

mod command;
mod last_line;
mod process;
mod running;
mod worker;

use std::ffi::OsString;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use arauto::{Client, ClientError, Events, Incoming, Responder};

use self::process::Program;
use self::running::RunningCalls;
use self::worker::LineWorker;
use super::connect::{ConnectArgs, Wanted};
use super::exit::{Failure, complain, sysexits};
use super::notices::SessionNotices;
use super::os::StopSignals;
use super::pipeline::longest_body;
use super::resources::{self, Requirements};

/// The most commands at once.
const MOST_JOBS: u32 = 1024;

/// The descriptors that a command takes while it runs: three pipes, and the process itself.
const DESCRIPTORS: usize = 8;

/// A signal this soon after the first has the same cause: a terminal and a service manager may both
/// send one.
const SAME_CAUSE: Duration = Duration::from_millis(200);

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,

    /// The service's name: 1 to 64 bytes.
    service: String,

    /// Run at most this many commands at once [default: the number of CPUs].
    #[arg(long, value_name = "N", value_parser = jobs, conflicts_with = "lines")]
    jobs: Option<u32>,

    /// Start the command once, and answer each request with one line: the request is a line of its
    /// stdin, the reply the next line of its stdout.
    #[arg(long)]
    lines: bool,

    /// The command and its arguments, which are the rest of this command line. It runs for each
    /// request: the request is its stdin, its stdout is the reply. If it fails, the last line of its
    /// stderr is the error.
    #[arg(
        long,
        value_name = "COMMAND",
        required = true,
        num_args = 1..,
        allow_hyphen_values = true
    )]
    exec: Vec<OsString>,
}

fn jobs(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(jobs @ 1..=MOST_JOBS) => Ok(jobs),
        _ => Err(format!("it must be between 1 and {MOST_JOBS}")),
    }
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    let program = Program::new(args.exec);
    let program = program.ok_or_else(|| Failure::new(sysexits::USAGE, "--exec has no command"))?;
    let jobs = match args.lines {
        true => 1,
        false => args.jobs.unwrap_or_else(cpus),
    };
    check_resources(jobs)?;
    let account = args.connect.account()?.reconnecting().wanting(Wanted {
        filter: Some(Vec::new()), // it reads no broadcasts
        ..Wanted::default()
    });
    // Only after the prompt for the password, which Ctrl-C must end.
    let mut signals = StopSignals::new();
    let (client, events) = tokio::select! {
        session = account.log_in_patiently() => session?,
        () = signals.next() => return Ok(0),
    };
    let longest = longest_reply(&client);
    let worker = match args.lines {
        true => Some(start_worker(program.clone(), longest)?),
        false => None,
    };
    let calls = Arc::new(RunningCalls::new());
    let running = Arc::clone(&calls);
    let offer = match worker.clone() {
        Some(worker) => client.offer(&*args.service, move |call| {
            let (worker, running) = (Arc::clone(&worker), Arc::clone(&running));
            async move { running.run(worker.answer(&call)).await }
        }),
        None => {
            let program = Arc::new(program);
            client.offer(&*args.service, move |call| {
                let (program, running) = (Arc::clone(&program), Arc::clone(&running));
                async move { running.run(command::run(&program, &call, longest)).await }
            })
        }
    };
    let mut responder = offer.limit(jobs).await?;
    let served = serve(&mut responder, events, &mut signals).await;
    let stopping = async {
        let outcome = stop(served, responder, &client).await;
        if let Some(worker) = &worker {
            worker.finish().await;
        }
        outcome
    };
    let outcome = tokio::select! {
        outcome = stopping => outcome,
        () = second_signal(&mut signals) => {
            let message = "a second signal came: requests in work are not answered";
            Err(Failure::new(sysexits::TEMPFAIL, message))
        }
    };
    calls.end().await;
    if let Some(worker) = worker {
        worker.kill().await;
    }
    outcome
}

fn cpus() -> u32 {
    let count = available_parallelism().map_or(1, NonZero::get);
    u32::try_from(count).unwrap_or(MOST_JOBS).min(MOST_JOBS)
}

/// Checks that all commands can run at once.
fn check_resources(jobs: u32) -> Result<(), Failure> {
    let jobs = usize::try_from(jobs).unwrap_or(usize::MAX);
    let Requirements {
        threads,
        descriptors,
    } = Requirements::CLIENT;
    resources::check(Requirements {
        threads,
        descriptors: descriptors + DESCRIPTORS.saturating_mul(jobs),
    })
}

/// Returns the longest reply, in bytes.
fn longest_reply(client: &Client) -> usize {
    let longest = client.who_am_i().max_body;
    let longest = longest.and_then(|longest| usize::try_from(longest).ok());
    longest.unwrap_or_else(|| longest_body(client))
}

fn start_worker(program: Program, longest: usize) -> Result<Arc<LineWorker>, Failure> {
    match LineWorker::start(program, longest) {
        Ok(worker) => Ok(Arc::new(worker)),
        Err(error) => Err(Failure::new(sysexits::NOINPUT, error.message())),
    }
}

/// Answers requests until a signal comes.
///
/// # Errors
/// The offer has ended before.
async fn serve(
    responder: &mut Responder,
    mut events: Events,
    signals: &mut StopSignals,
) -> Result<(), Failure> {
    complain(&format!("the service {} is offered", responder.service()));
    let service = responder.service().to_owned();
    let mut notices = SessionNotices::default();
    loop {
        tokio::select! {
            biased;
            () = signals.next() => return Ok(()),
            ended = responder.ended() => return Err(match ended {
                Ok(()) => {
                    let message = format!(
                        "the server has withdrawn the offer of {service}: a rule for this account \
                         does not allow it any more"
                    );
                    Failure::new(sysexits::NOPERM, message)
                }
                Err(error) => error.into(),
            }),
            Some(incoming) = events.next() => match incoming {
                Incoming::Reconnected(_) => notices.reconnected(),
                other => notices.tell(&other),
            },
        }
    }
}

/// Withdraws the offer, unless it has ended for another reason, and ends the session once the
/// requests in work are answered.
async fn stop(
    served: Result<(), Failure>,
    responder: Responder,
    client: &Client,
) -> Result<u8, Failure> {
    let withdrawn = match &served {
        Ok(()) => responder.withdraw().await,
        Err(_) => Ok(()),
    };
    let _ = client.fim().await; // the session may be over already
    served?;
    match withdrawn {
        // A server that stops has answered the requests itself.
        Ok(()) | Err(ClientError::Closed(_)) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

async fn second_signal(signals: &mut StopSignals) {
    let first = Instant::now();
    loop {
        signals.next().await;
        if first.elapsed() >= SAME_CAUSE {
            return;
        }
    }
}
