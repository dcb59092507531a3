//! `arauto service`: the server as a service of Windows.
//!
//! The service runs `arauto serve` with a config file, as the virtual account `NT SERVICE\arauto`.
//! Administrators install, start, stop and remove it; every user may ask for its state.

mod install;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use clap::Subcommand;

use super::exit::{Failure, sysexits};
use super::os::{InstalledService, ServiceEnd, ServiceState, ServiceWait};
use super::output;

/// How often to ask a service that starts or stops.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install the service, which starts with the system from then on; as an administrator.
    Install {
        /// The server's config file. It must name a data folder.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Stop the service and remove it; as an administrator. Its data folder stays.
    Remove,
    /// Start the service, and wait until it serves; as an administrator.
    Start,
    /// Stop the service without losing anything, and wait until it has stopped; as an administrator.
    Stop,
    /// Print the state of the service. The exit code is 0 while it starts, runs or stops, and
    /// otherwise 69.
    Status,
}

/// Runs the command.
///
/// # Errors
/// There is no service or one already, the configuration is wrong, or the system refuses.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    match &args.command {
        Command::Install { config } => install::run(config),
        Command::Remove => remove(),
        Command::Start => start(),
        Command::Stop => stop(),
        Command::Status => status(),
    }
}

fn remove() -> Result<u8, Failure> {
    let service = InstalledService::open_to_remove()?;
    service.stop()?;
    wait(&service, ServiceState::Stopped)?;
    service.remove()?;
    output::print("the service is removed\n")
}

fn start() -> Result<u8, Failure> {
    let service = InstalledService::open_to_control()?;
    service.start()?;
    match wait(&service, ServiceState::Running)? {
        State { end: None, text } => output::print(&format!("{text}\n")),
        State { end: Some(end), .. } => Err(refused(end)),
    }
}

fn stop() -> Result<u8, Failure> {
    let service = InstalledService::open_to_control()?;
    service.stop()?;
    let stopped = wait(&service, ServiceState::Stopped)?;
    output::print(&format!("{}\n", stopped.text))
}

fn status() -> Result<u8, Failure> {
    let state = State::of(&InstalledService::open()?)?;
    let printed = output::print(&format!("{}\n", state.text))?;
    Ok(match state.end {
        None => printed,
        Some(_) => sysexits::UNAVAILABLE,
    })
}

/// A state, for people.
struct State {
    text: String,
    /// How the service has ended, if it has.
    end: Option<ServiceEnd>,
}

impl State {
    fn of(service: &InstalledService) -> Result<State, Failure> {
        let found = service.state()?;
        let text = match (found.state, found.process) {
            (ServiceState::StartPending, _) => "the service is starting".to_owned(),
            (ServiceState::Running, Some(pid)) => format!("the service is running (pid {pid})"),
            (ServiceState::Running, None) => "the service is running".to_owned(),
            (ServiceState::StopPending, _) => {
                let (step, left) = (found.checkpoint, found.wait_hint);
                format!("the service is stopping: step {step}, at most {left:?} left for it")
            }
            (ServiceState::Stopped, _) => match found.end {
                ServiceEnd::Clean => "the service has stopped".to_owned(),
                ServiceEnd::NeverStarted => "the service was not started yet".to_owned(),
                ServiceEnd::ExitCode(code) => {
                    format!("the service has stopped with exit code {code}")
                }
                ServiceEnd::SystemError(code) => {
                    format!("the service has ended with the system's error {code}")
                }
            },
        };
        let has_ended = found.state == ServiceState::Stopped;
        Ok(State {
            text,
            end: has_ended.then_some(found.end),
        })
    }
}

/// Waits until the service is in this state, or has stopped.
fn wait(service: &InstalledService, wanted: ServiceState) -> Result<State, Failure> {
    let mut wait = ServiceWait::new(Instant::now());
    loop {
        let found = service.state()?;
        if found.state == wanted || found.state == ServiceState::Stopped {
            return State::of(service);
        }
        if wait.is_over(found.checkpoint, found.wait_hint, Instant::now()) {
            let text = State::of(service)?.text;
            let message =
                format!("{text}, and makes no progress; look at the event log, or end its process");
            return Err(Failure::new(sysexits::TEMPFAIL, message));
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Returns the failure of a service that has ended instead of serving.
fn refused(end: ServiceEnd) -> Failure {
    let (code, cause) = match end {
        ServiceEnd::ExitCode(code) => {
            let own = u8::try_from(code).unwrap_or(sysexits::SOFTWARE);
            (own, format!("with exit code {code}"))
        }
        ServiceEnd::SystemError(code) => {
            (sysexits::OSERR, format!("with the system's error {code}"))
        }
        ServiceEnd::Clean | ServiceEnd::NeverStarted => {
            (sysexits::TEMPFAIL, "before it served".to_owned())
        }
    };
    let message = format!(
        "the service has ended {cause}; the event log tells why: \
         Get-WinEvent -ProviderName arauto -MaxEvents 5"
    );
    Failure::new(code, message)
}
