//! The log: structured, on stderr, never in anybody's way.

use std::io::{self, IsTerminal};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt;

use super::screen::Screen;

/// The log's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogForm {
    /// For a person.
    #[default]
    Human,
    /// For a program: one JSON object a line.
    Json,
}

/// Starts the log. `ARAUTO_LOG` filters it as tracing's EnvFilter does, as in
/// `ARAUTO_LOG=debug`. What a stuck stderr does not take is dropped: the server
/// goes on.
pub(super) fn start(form: LogForm, screen: Screen) -> WorkerGuard {
    let filter = EnvFilter::try_from_env("ARAUTO_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let (writer, guard) = NonBlockingBuilder::default().lossy(true).finish(screen);
    let log = fmt().with_env_filter(filter).with_writer(writer);
    let started = match form {
        LogForm::Human => log
            .with_ansi(io::stderr().is_terminal())
            .with_target(false)
            .finish()
            .try_init(),
        LogForm::Json => log.json().flatten_event(true).finish().try_init(),
    };
    started.expect("the log is started once");
    guard
}
