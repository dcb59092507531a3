//! `arauto demo`: a real server on a real socket, real clients, in a few seconds.

mod play;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arauto::{
    Client, ClientError, Config, Endpoint, Events, Incoming, PhaseLine, Server, ServerHandle,
};
use tempfile::TempDir;

use super::exit::{Failure, sysexits};
use super::os;
use super::output::Output;
use super::resources::{self, Requirements};

/// No step of the demo takes longer; one that does has failed.
const PATIENCE: Duration = Duration::from_secs(8);

#[derive(clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args) -> Result<u8, Failure> {
    resources::check(Requirements::server(1, 1))?;
    let stage = Stage::set()?;
    let code = resources::runtime()?.block_on(play::play(&stage))?;
    match UNPRINTED.get() {
        Some(failure) if code == 0 => Err(failure.clone()),
        _ => Ok(code),
    }
}

/// The first failure to print, from whatever thread.
static UNPRINTED: OnceLock<Failure> = OnceLock::new();

/// The server, in a folder that goes with it.
struct Stage {
    server: ServerHandle,
    endpoint: Endpoint,
    _folder: TempDir,
}

impl Stage {
    fn set() -> Result<Stage, Failure> {
        let folder = tempfile::Builder::new().prefix("arauto-demo-").tempdir();
        let folder = folder.map_err(|error| {
            let message = format!("no temporary folder: {error}; set TMPDIR");
            Failure::new(sysexits::CANTCREAT, message)
        })?;
        let endpoint = os::endpoint_in(folder.path());
        let mut config = Config::default();
        config.listen = vec![endpoint.clone().into()];
        config.storage.data = Some(folder.path().join("data"));
        // A log this small shows in a second what 64 MiB show in a minute.
        config.limits.log_bytes = 512 << 10;
        config.backpressure.window = 64 << 10;
        config.backpressure.patience = Duration::from_millis(200);
        config.on_phase = Arc::new(tell_phase);
        let server = Server::start(config)
            .map_err(|error| Failure::new(sysexits::UNAVAILABLE, error.to_string()))?;
        Ok(Stage {
            server,
            endpoint,
            _folder: folder,
        })
    }

    async fn enter(&self, user: &str, password: &str) -> Result<(Client, Events), ClientError> {
        let visitor = Client::connect(&self.endpoint).await?;
        visitor.login(user, password).await
    }
}

fn tell_phase(line: &PhaseLine) {
    say(&format!(
        "  phase {:<9} over after {} ms",
        line.phase.as_str(),
        line.took_ms
    ));
}

fn heading(text: &str) {
    say(&format!("\n{text}"));
}

/// Where it cannot be printed, the demo goes on to its end all the same, and fails there.
fn say(text: &str) {
    let mut out = Output::stdout();
    let printed = out.text(&format!("{text}\n")).and_then(|()| out.flush());
    if let Err(failure) = printed {
        UNPRINTED.get_or_init(|| failure);
    }
}

/// The next broadcast, or what came instead.
async fn hear(events: &mut Events) -> Result<arauto::Event, Failure> {
    match tokio::time::timeout(PATIENCE, events.next()).await {
        Ok(Some(Incoming::Event(event))) => Ok(event),
        other => {
            let message = format!("the demo expected a broadcast, and got {other:?}");
            Err(Failure::new(sysexits::SOFTWARE, message))
        }
    }
}
