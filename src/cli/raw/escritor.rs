//! `arauto escritor --raw`: the server's end of a pipe that is only read from.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Duration;

use arauto::{
    Config, ExitCode, Phase, PublishError, Report, Server, ServerError, ServerHandle, StopReason,
};

use super::Pipe;
use crate::cli::exit::{Failure, complain, sysexits};
use crate::cli::input::Input;
use crate::cli::os;
use crate::cli::pipeline::is_fim;
use crate::cli::resources::{self, Requirements};
use crate::cli::serve::start_failed;
use crate::cli::stopping::{End, Link, SignalReceiver};

/// A pipe's writer waits for its reader, however long that takes.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Listens, waits for a reader, and says each text to all who read, until `fim`.
pub(in crate::cli) fn run(pipe: Pipe, messages: Vec<String>) -> Result<u8, Failure> {
    resources::check(Requirements::server(1, 1))?;
    let mut receiver = SignalReceiver::begin()?;
    os::raise_descriptor_limit();
    let mut config = Config::default();
    let pace = &mut config.pace;
    (pace.min_rate, pace.patience) = (0, PATIENCE);
    (pace.user_budget, pace.total_budget) = (PATIENCE, PATIENCE);
    config.listen = vec![pipe.listen];
    let budget = config.timeouts.drain;
    let end = receiver.serve(budget, move |link| serve(config, messages, &link));
    receiver.restore_terminal();
    match end {
        End::Over(outcome) => outcome,
        End::Overdue { .. } => {
            let message = "the pipe's server did not end in time";
            Err(Failure::new(ExitCode::Deadline.code(), message))
        }
        End::Crashed => Err(Failure::new(
            sysexits::SOFTWARE,
            "the pipe's server panicked",
        )),
    }
}

fn serve(mut config: Config, messages: Vec<String>, link: &Link<u8>) -> Result<u8, Failure> {
    config.on_phase = Arc::new({
        let link = link.clone();
        move |line| {
            if line.phase == Phase::Trigger {
                link.stopping();
            }
        }
    });
    // Never dropped: nobody waits for what still blocks.
    let runtime = resources::runtime()?;
    let longest = config.limits.max_frame;
    let system = ManuallyDrop::new(actix_rt::System::with_tokio_rt(|| runtime));
    system.block_on(async {
        let server = match Server::bind_unless(config, link.abandoned()).await {
            Ok(server) => server,
            Err(ServerError::Abandoned) => return Ok(0),
            Err(error) => return Err(start_failed(error)),
        };
        complain(&format!(
            "waiting for a reader at {}",
            server.endpoints()[0]
        ));
        link.serving(server.clone());
        let mut said = Ok(());
        let stopped = tokio::select! {
            outcome = speak(&server, messages, longest) => {
                said = outcome;
                server.stop(StopReason::Fim).await;
                server.stopped().await
            }
            // A signal has stopped it.
            report = server.stopped() => report,
        };
        said.and_then(|()| conclude(&stopped))
    })
}

async fn speak(
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
                return Err(failure.at(&input.place()));
            }
            // A signal has stopped it; the report says how that went.
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
            let message = format!("{count} readers have not read everything");
            Err(Failure::new(report.exit, message))
        }
    }
}
