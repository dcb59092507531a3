//! `arauto escritor --raw`: the server of a pipe that its clients only read from.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Duration;

use arauto::{Config, ExitCode, PublishError, Report, Server, ServerError, ServerHandle};

use super::Pipe;
use crate::cli::exit::{Failure, complain, sysexits};
use crate::cli::input::Input;
use crate::cli::os;
use crate::cli::pipeline::is_fim;
use crate::cli::resources::{self, Requirements};
use crate::cli::serve::start_failed;
use crate::cli::stopping::{ProgressReporter, ServerEnd, SignalReceiver};

/// How long publishing waits for a slow reader: in practice without an end, as the writer of a
/// pipe does.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Listens, waits for a reader, and sends each message to all readers, until `fim`.
pub(in crate::cli) fn run(pipe: Pipe, messages: Vec<String>) -> Result<u8, Failure> {
    resources::check(Requirements::server(1, 1))?;
    let mut receiver = SignalReceiver::begin()?;
    os::raise_descriptor_limit();
    let mut config = Config::default();
    let pace = &mut config.backpressure;
    (pace.min_rate, pace.patience) = (0, PATIENCE);
    (pace.user_budget, pace.total_budget) = (PATIENCE, PATIENCE);
    config.listen = vec![pipe.listen];
    let budget = config.timeouts.drain;
    let end = receiver.serve(budget, move |progress| serve(config, messages, &progress));
    receiver.restore_terminal();
    match end {
        ServerEnd::Finished(outcome) => outcome,
        ServerEnd::TimedOut { .. } => {
            let message = "the pipe's server did not stop in time";
            Err(Failure::new(ExitCode::Deadline.code(), message))
        }
        ServerEnd::Panicked => Err(Failure::new(
            sysexits::SOFTWARE,
            "the pipe's server panicked",
        )),
    }
}

fn serve(
    mut config: Config,
    messages: Vec<String>,
    progress: &ProgressReporter<u8>,
) -> Result<u8, Failure> {
    config.on_phase = Arc::new({
        let progress = progress.clone();
        move |line| progress.phase_over(line.phase)
    });
    // Never dropped: dropping it would wait for its blocking threads.
    let runtime = resources::runtime()?;
    let longest = config.limits.max_frame;
    let system = ManuallyDrop::new(actix_rt::System::with_tokio_rt(|| runtime));
    system.block_on(async {
        let server = match Server::bind_unless(config, progress.abandoned()).await {
            Ok(server) => server,
            Err(ServerError::Abandoned) => return Ok(0),
            Err(error) => return Err(start_failed(error)),
        };
        complain(&format!(
            "waiting for a reader at {}",
            server.endpoints()[0]
        ));
        progress.serving(server.clone());
        let mut published = Ok(());
        let stopped = tokio::select! {
            outcome = publish_all(&server, messages, longest) => {
                published = outcome;
                server.stop().await;
                server.stopped().await
            }
            // A signal has stopped the server.
            report = server.stopped() => report,
        };
        published.and_then(|()| conclude(&stopped))
    })
}

async fn publish_all(
    server: &ServerHandle,
    messages: Vec<String>,
    longest: usize,
) -> Result<(), Failure> {
    server.wait_for_sessions(1).await;
    let mut input = Input::new(messages, longest)?;
    while let Some(body) = input.next().await?.filter(|body| !is_fim(body)) {
        match server.publish_paced(body).await {
            Ok(_) => {}
            Err(error @ PublishError::TooLong(_)) => {
                let failure = Failure::new(sysexits::DATAERR, error.to_string());
                return Err(failure.at(&input.position()));
            }
            // A signal has stopped the server; its report decides the exit code.
            Err(PublishError::Stopping) => return Ok(()),
            Err(error) => return Err(Failure::new(sysexits::SOFTWARE, error.to_string())),
        }
    }
    Ok(())
}

fn conclude(report: &Report) -> Result<u8, Failure> {
    let short = report.sessions.iter().filter(|session| !session.is_whole());
    match short.count() {
        0 => Ok(report.exit),
        count => {
            let message = format!("{count} readers have not received every message");
            Err(Failure::new(report.exit, message))
        }
    }
}
