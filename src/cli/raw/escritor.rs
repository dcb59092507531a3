//! `arauto escritor --raw`: the server's end of a pipe that is only read from.

use std::time::Duration;

use arauto::{Config, PublishError, Report, Server, ServerHandle, StopReason};

use super::Pipe;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::input::Input;
use crate::cli::os::{self, StopSignals};
use crate::cli::pipeline::is_fim;
use crate::cli::serve::start_failed;

/// A pipe's writer waits for its reader, however long that takes.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Listens, waits for a reader, and says each text to all who read, until `fim`.
pub(in crate::cli) fn run(pipe: Pipe, messages: Vec<String>) -> Result<u8, Failure> {
    os::raise_descriptor_limit();
    let mut config = Config::default();
    config.log.pace.patience = PATIENCE;
    config.listen = vec![pipe.listen];
    actix_rt::System::new().block_on(async {
        let mut signals = StopSignals::new();
        let server = Server::bind(config).await.map_err(start_failed)?;
        eprintln!("arauto: waiting for a reader at {}", server.endpoints()[0]);
        let (reason, said) = tokio::select! {
            said = speak(&server, messages) => (StopReason::Fim, said),
            () = signals.next() => (StopReason::Signal, Ok(())),
        };
        server.stop(reason).await;
        let stopped = tokio::select! {
            report = server.stopped() => report,
            () = signals.next() => {
                server.insist(StopReason::Signal).await;
                server.stopped().await
            }
        };
        said.and_then(|()| conclude(&stopped))
    })
}

async fn speak(server: &ServerHandle, messages: Vec<String>) -> Result<(), Failure> {
    server.wait_for_sessions(1).await;
    let mut input = Input::new(messages);
    while let Some(body) = input.next().await?.filter(|body| !is_fim(body)) {
        match server.publish_paced(body).await {
            Ok(_) => {}
            Err(error @ PublishError::TooLong(_)) => {
                return Err(Failure::new(sysexits::DATAERR, error.to_string()));
            }
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
