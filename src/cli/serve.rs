//! `arauto serve`.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arauto::{Phase, Report, Server, ServerError, ServerHandle, StopReason};
use tokio::sync::mpsc;

use super::console::{self, Typed};
use super::exit::{Failure, complain, sysexits};
use super::logs;
use super::os::{self, Reloads, StopSignals, Terminal};
use super::screen::Screen;
use super::settings::Settings;
use super::whole_file;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,

    /// Read settings from this TOML file; its keys are the flags' names.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Take lines from stdin: each is published as `consola`, `fim` stops the
    /// server [default: if stdin is a terminal].
    #[arg(long, overrides_with = "no_console")]
    console: bool,

    /// Leave stdin alone.
    #[arg(long)]
    no_console: bool,

    /// End at once when this process, the parent, ends: for servers that
    /// `arauto bench` starts.
    #[arg(long, value_name = "PID", hide = true)]
    die_with: Option<u32>,
}

pub(super) fn run(args: Args) -> Result<u8, Failure> {
    if let Some(parent) = args.die_with {
        os::die_with(parent)?;
    }
    let settings = match &args.config {
        Some(path) => args.settings.or(Settings::read(path)?),
        None => args.settings,
    };
    let mut config = settings.config()?;
    config.on_phase = Arc::new(|line| {
        if line.phase == Phase::Trigger {
            os::notify_stopping();
        }
    });
    if let Some(path) = &settings.report {
        check_report(path, config.data.as_deref())?;
    }
    let with_console = !args.no_console && (args.console || io::stdin().is_terminal());
    let terminal = Terminal::remember();
    let screen = Screen::default();
    let log = logs::start(settings.log.unwrap_or_default(), screen.clone());

    config.max_sessions = fitting(config.max_sessions, os::raise_descriptor_limit());
    settings.leave_places(&mut config);
    let report = actix_rt::System::new().block_on(async {
        // Before anybody can connect: a signal must not find the default action.
        let signals = Signals::new(terminal.clone());
        let server = Server::bind(config).await.map_err(start_failed)?;
        for endpoint in server.endpoints() {
            tracing::info!(%endpoint, "listening");
        }
        os::notify_ready();
        Ok::<_, Failure>(attend(server, signals, with_console, &screen).await)
    });
    screen.release();
    terminal.restore();
    let report = report?;
    summarize(&report);
    let written = settings
        .report
        .as_deref()
        .map_or(Ok(()), |path| write_report(&report, path));
    drop(log); // flushed
    match written {
        Err(failure) if report.exit == 0 => Err(failure),
        Err(failure) => {
            complain(failure.message());
            Ok(report.exit)
        }
        Ok(()) => Ok(report.exit),
    }
}

/// Passes the console's lines and the signals on until the server has stopped.
async fn attend(
    server: ServerHandle,
    mut signals: Signals,
    with_console: bool,
    screen: &Screen,
) -> Report {
    let mut typed = if with_console {
        actix_rt::spawn(console::listen(server.subscribe(), screen.clone()));
        console::start(screen.clone())
    } else {
        mpsc::channel(1).1
    };
    let stopped = server.stopped();
    let mut stopped = std::pin::pin!(stopped);
    loop {
        tokio::select! {
            report = &mut stopped => return report,
            told = signals.next() => match told {
                Told::Stop => signals.act(&server).await,
                Told::Reload => reload(&server),
            },
            Some(typed) = typed.recv() => match typed {
                Typed::Line(line) => console::obey(&server, &line).await,
                Typed::Interrupt => signals.act(&server).await,
                // A service's stdin may end at any time; the server goes on.
                Typed::End => tracing::debug!("the console's input is over"),
            }
        }
    }
}

/// New handshakes get the new certificate; one that cannot be loaded changes nothing.
fn reload(server: &ServerHandle) {
    match server.reload_certificates() {
        Ok(Some(fingerprint)) => tracing::info!(%fingerprint, "certificate loaded again"),
        Ok(None) => tracing::debug!("nothing to load again: there are no tls endpoints"),
        Err(error) => tracing::error!(%error, "the old certificate stays"),
    }
}

/// What a signal asks for.
enum Told {
    Stop,
    Reload,
}

/// SIGTERM, SIGINT and their like, and how many there were; SIGHUP.
struct Signals {
    signals: StopSignals,
    reloads: Reloads,
    count: u32,
    terminal: Terminal,
}

impl Signals {
    fn new(terminal: Terminal) -> Self {
        Signals {
            signals: StopSignals::new(),
            reloads: Reloads::new(),
            count: 0,
            terminal,
        }
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            () = self.signals.next() => Told::Stop,
            () = self.reloads.next() => Told::Reload,
        }
    }

    /// The first stops the server, the second cuts every deadline to 1 s, the
    /// third ends the process.
    async fn act(&mut self, server: &ServerHandle) {
        self.count += 1;
        match self.count {
            1 => drop(server.stop(StopReason::Signal).await),
            2 => drop(server.insist(StopReason::Signal).await),
            _ => {
                self.terminal.restore();
                std::process::exit(4)
            }
        }
    }
}

/// What the server itself has open at most, where there is enough: the database and its
/// readers, files in memory, listeners, standard streams.
const OWN: u64 = 64;

/// So many sessions that a descriptor is left for each, for the eighth of them that is told
/// that there is no place, and for the server itself: one too many is told so, and a stop
/// can write its report.
fn fitting(wanted: usize, limit: Option<u64>) -> usize {
    let Some(limit) = limit else { return wanted };
    let room = limit - OWN.min(limit / 2);
    let most = usize::try_from(room * 8 / 9).unwrap_or(usize::MAX).max(1);
    if most < wanted {
        tracing::warn!(
            limit,
            sessions = most,
            "few descriptors: fewer sessions than max-sessions"
        );
    }
    wanted.min(most)
}

/// Whether the report can be written at the end. It may stand in the data folder, which may
/// not be there yet.
fn check_report(path: &Path, data: Option<&Path>) -> Result<(), Failure> {
    if let Some(data) = data {
        arauto::open_data_folder(data).map_err(|error| start_failed(error.into()))?;
    }
    whole_file::check(path).map_err(|error| report_failed(path, &error))
}

pub(super) fn start_failed(error: ServerError) -> Failure {
    let code = match &error {
        ServerError::Bind(_) => sysexits::UNAVAILABLE,
        ServerError::Folder(_) => sysexits::CANTCREAT,
        ServerError::Store(_) => sysexits::DATAERR,
        _ => sysexits::CONFIG,
    };
    Failure::new(code, error.to_string())
}

fn summarize(report: &Report) {
    let short = report.sessions.iter().filter(|session| !session.is_whole());
    let accepted: u64 = report.sessions.iter().map(|session| session.accepted).sum();
    let refused: u64 = report.sessions.iter().map(|session| session.refused).sum();
    tracing::info!(
        reason = %report.reason,
        exit = report.exit,
        sessions = report.sessions.len(),
        incomplete = short.count(),
        accepted,
        refused,
        head = %report.head,
        trouble = ?report.trouble,
        "stopped"
    );
}

fn report_failed(path: &Path, error: &io::Error) -> Failure {
    let message = format!("the report {}: {error}", path.display());
    Failure::new(sysexits::CANTCREAT, message)
}

fn write_report(report: &Report, path: &Path) -> Result<(), Failure> {
    whole_file::replace(path, |file| {
        serde_json::to_writer_pretty(&mut *file, report)?;
        file.write_all(b"\n")
    })
    .map_err(|error| report_failed(path, &error))
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn sessions_leave_descriptors_for_the_server_and_for_those_who_are_told() {
        for limit in [16, 64, 256, 1024, 1_048_576] {
            let sessions = fitting(20_000, Some(limit)) as u64;
            assert!((1..=20_000).contains(&sessions));
            assert!(
                sessions + sessions / 8 + limit.min(128) / 2 <= limit,
                "{limit}: {sessions}"
            );
        }
        assert_eq!(fitting(20_000, Some(256)), 170);
        assert_eq!(fitting(100, Some(1 << 20)), 100);
        assert_eq!(fitting(100, None), 100);
    }
}
