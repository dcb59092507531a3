//! `arauto serve`: [`supervise`] hears signals on the process's first thread, [`serve`] is the
//! server's own.

mod admin_endpoint;
mod audit;
pub(super) mod final_output;
mod operator;
mod print_config;
mod reload;
mod start_error;
mod status;

use std::io::{self, IsTerminal};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arauto::{
    ExitCode, Millis, PassedSocket, Report, Seq, Server, ServerError, StopReason, Trouble,
};

use self::final_output::{FinalOutput, report_failed};
use self::operator::OperatedSettings;
use self::print_config::PrintConfig;
use self::reload::{ReloadableSettings, Reloader};
pub(super) use self::start_error::start_failed;
use self::status::{notify_failed, report_status};
use super::console;
use super::descriptors::fit_sessions;
use super::exit::{Failure, complain, sysexits};
use super::logs;
use super::os;
use super::resources::{self, Requirements};
use super::screen::Screen;
use super::settings::sources::Flags;
use super::stopping::{ProgressReporter, ServerEnd, SignalReceiver};
use super::whole_file;
use crate::admin::CurrentToken;

#[derive(clap::Args)]
#[command(
    after_help = "Each setting is also a variable of the environment, and a key of the \
    --config file: --max-frame is ARAUTO_MAX_FRAME and max-frame. Only --log is ARAUTO_LOG_FORM. \
    --listen is a list, which its variable separates by blanks. A flag takes precedence over a \
    variable, and a variable over the file."
)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Flags,

    /// Read settings from this TOML file; its keys are the flags' names [default:
    /// $ARAUTO_CONFIG].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print the configuration as a config file, each setting with its origin, and exit. With
    /// `=default` print a config file that explains each setting and sets none.
    #[arg(
        long,
        value_name = "WHICH",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "effective"
    )]
    print_config: Option<PrintConfig>,

    /// Read lines from stdin: each is published as `consola`, and `fim` stops the server
    /// [default: if stdin is a terminal].
    #[arg(long, overrides_with = "no_console")]
    console: bool,

    /// Do not read stdin.
    #[arg(long)]
    no_console: bool,

    /// End at once when this process, the parent, ends: for servers that
    /// `arauto bench` starts.
    #[arg(long, value_name = "PID", hide = true)]
    die_with: Option<u32>,

    #[command(flatten)]
    service: os::ServiceFlag,
}

pub(super) fn run(args: Args) -> Result<u8, Failure> {
    if let Some(which) = args.print_config {
        return print_config::run(which, args.settings, args.config.as_deref());
    }
    os::run_server(args.service, move || supervise(args))
}

/// Runs the server on a thread of its own, and handles signals on this one.
fn supervise(args: Args) -> Result<u8, Failure> {
    let sockets = os::passed_sockets()?; // before other threads start
    resources::check(Requirements::server(1, 1))?;
    let mut receiver = SignalReceiver::begin()?; // before anything that could take time
    if let Some(parent) = args.die_with {
        os::die_with(parent)?;
    }
    let budget = args.settings.drain_timeout();
    let final_output = FinalOutput::default();
    let end = receiver.serve(budget, {
        let final_output = final_output.clone();
        move |progress| serve(args, sockets, &progress, &final_output)
    });
    receiver.restore_terminal();
    let report = match end {
        ServerEnd::Finished(Ok(Some(report))) => report,
        ServerEnd::Finished(Ok(None)) => unserved(&receiver, None),
        ServerEnd::Finished(Err(failure)) => {
            notify_failed(&mut receiver, failure.code(), failure.message());
            final_output.finish_failed(&mut receiver, &failure);
            return Err(failure);
        }
        ServerEnd::TimedOut { was_serving: false } => {
            unserved(&receiver, Some(Trouble::StartNotAbandoned))
        }
        ServerEnd::TimedOut { was_serving: true } => {
            unserved(&receiver, Some(Trouble::ServerSilent))
        }
        ServerEnd::Panicked => Report {
            exit: sysexits::SOFTWARE,
            ..unserved(&receiver, Some(Trouble::ServerThreadPanicked))
        },
    };
    summarize(&report);
    let exit = report.exit;
    if exit != 0 {
        let message = format!("stopped with exit code {exit}, see the report and the log");
        notify_failed(&mut receiver, exit, &message);
    }
    match final_output.finish(&mut receiver, report) {
        Err(failure) if exit == 0 => Err(failure),
        Err(failure) => {
            complain(failure.message());
            Ok(exit)
        }
        Ok(()) => Ok(exit),
    }
}

/// Returns the report of a server that never served, or that does not answer.
fn unserved(receiver: &SignalReceiver, trouble: Option<Trouble>) -> Report {
    let exit = match &trouble {
        _ if receiver.is_forced() => ExitCode::Forced,
        Some(_) => ExitCode::Deadline,
        None => ExitCode::Clean,
    };
    Report {
        version: 1,
        reason: StopReason::Signal,
        exit: exit.code(),
        began: receiver.first_signal().unwrap_or_else(Millis::now),
        drained: false,
        stream: String::new(),
        head: Seq::ZERO,
        phases: Vec::new(),
        actors: Vec::new(),
        routes: None,
        calls: None,
        sessions: Vec::new(),
        trouble: trouble.into_iter().collect(),
    }
}

/// Runs the server, on the thread that calls it. `None`: the server was told to stop before it
/// served.
fn serve(
    args: Args,
    sockets: Vec<PassedSocket>,
    progress: &ProgressReporter<Option<Report>>,
    final_output: &FinalOutput,
) -> Result<Option<Report>, Failure> {
    let settings = args.settings.clone().resolve(args.config.as_deref())?;
    let settings = settings.settings;
    let mut config = settings.config()?;
    config.sockets = sockets;
    progress.set_budget(config.timeouts.drain);
    config.on_phase = Arc::new({
        let progress = progress.clone();
        move |line| progress.phase_over(line.phase)
    });
    let need = Requirements::server(config.limits.arbiters, config.listen.len());
    resources::check(need)?;
    if let Some(path) = &settings.report {
        check_report(path, config.storage.data.as_deref())?;
        final_output.report_to(Some(path));
    }
    let with_console = !args.no_console && (args.console || io::stdin().is_terminal());
    let screen = Screen::default();
    let log = logs::start(settings.log.unwrap_or_default(), screen.clone());
    final_output.flush_at_the_end(screen.clone(), log);

    let audit = audit::open(&settings, &config)?;
    if let Some(audit) = &audit {
        config.audit = Some(Arc::new(audit.clone()));
        final_output.audit_to(audit.clone());
    }
    let token = CurrentToken::default();
    let admin = admin_endpoint::open(&settings, &token, audit.clone())?;

    fit_sessions(&settings, &mut config);
    let running = ReloadableSettings::new(settings.values(&config));
    // Never dropped: dropping waits for blocking threads, and so for a disk that hangs.
    let runtime = resources::runtime()?;
    let longest = config.limits.max_frame;
    let system = ManuallyDrop::new(actix_rt::System::with_tokio_rt(|| runtime));
    system.block_on(async {
        let server = match Server::bind_unless(config, progress.abandoned()).await {
            Ok(server) => server,
            Err(ServerError::Abandoned) => return Ok(None),
            Err(error) => return Err(start_failed(error)),
        };
        let reloader = Arc::new(Reloader {
            flags: args.settings,
            file: args.config,
            data: settings.data,
            server: server.clone(),
            final_output: final_output.clone(),
            audit,
            token,
            settings: running,
        });
        progress.reload_by({
            let reloader = Arc::clone(&reloader);
            Arc::new(move || reloader.reload())
        });
        // First, so that the server is ready there once the service manager or the log says so.
        if let Some(admin) = &admin {
            let progress = progress.clone();
            let settings = OperatedSettings { progress, reloader };
            admin.serving(server.clone(), Arc::new(settings));
        }
        progress.serving(server.clone());
        for endpoint in server.endpoints() {
            tracing::info!(%endpoint, "listening");
        }
        if os::has_service_manager() {
            actix_rt::spawn(report_status(server.clone(), progress.clone()));
        }
        if with_console {
            actix_rt::spawn(console::print_broadcasts(
                server.subscribe(),
                screen.clone(),
            ));
            let progress = progress.clone();
            let interrupt = move || progress.interrupted();
            match console::start(screen, longest) {
                Ok(inputs) => {
                    actix_rt::spawn(console::run(server.clone(), inputs, interrupt));
                }
                Err(error) => tracing::error!(%error, "console not started"),
            }
        }
        Ok(Some(server.stopped().await))
    })
}

/// Checks that the report can be written at the end. It may be in the data folder, which is
/// then made.
fn check_report(path: &Path, data: Option<&Path>) -> Result<(), Failure> {
    if let Some(data) = data {
        arauto::internal::open_data_folder(data).map_err(|error| start_failed(error.into()))?;
    }
    whole_file::check(path).map_err(|error| report_failed(path, &error))
}

fn summarize(report: &Report) {
    let short = report.sessions.iter().filter(|session| !session.is_whole());
    let accepted: u64 = report.sessions.iter().map(|session| session.accepted).sum();
    let refused: u64 = report.sessions.iter().map(|session| session.refused).sum();
    let trouble: Vec<String> = report.trouble.iter().map(Trouble::to_string).collect();
    tracing::info!(
        reason = %report.reason,
        exit = report.exit,
        sessions = report.sessions.len(),
        incomplete = short.count(),
        accepted,
        refused,
        head = %report.head,
        ?trouble,
        "stopped"
    );
}
