//! The demo's server: a real one on a real socket, in a temporary folder.

use std::sync::Arc;
use std::time::Duration;

use arauto::{Client, ClientError, Config, Endpoint, Events, PhaseLine, Server, ServerHandle};
use tempfile::TempDir;

use super::print::print_line;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::os;

/// The demo's server.
pub(super) struct DemoServer {
    pub(super) handle: ServerHandle,
    pub(super) endpoint: Endpoint,
    _folder: TempDir,
}

impl DemoServer {
    /// Starts it.
    pub(super) fn start() -> Result<DemoServer, Failure> {
        let folder = tempfile::Builder::new().prefix("arauto-demo-").tempdir();
        let folder = folder.map_err(|error| {
            let message = format!("no temporary folder: {error}; set TMPDIR");
            Failure::new(sysexits::CANTCREAT, message)
        })?;
        let endpoint = os::endpoint_in(folder.path());
        let mut config = Config::default();
        config.listen = vec![endpoint.clone().into()];
        config.storage.data = Some(folder.path().join("data"));
        // A log this small is full after a second, and the default one after a minute.
        config.limits.log_bytes = 512 << 10;
        config.backpressure.window = 64 << 10;
        config.backpressure.patience = Duration::from_millis(200);
        config.on_phase = Arc::new(print_phase);
        let handle = Server::start(config)
            .map_err(|error| Failure::new(sysexits::UNAVAILABLE, error.to_string()))?;
        Ok(DemoServer {
            handle,
            endpoint,
            _folder: folder,
        })
    }

    /// Connects and logs in.
    pub(super) async fn log_in(
        &self,
        user: &str,
        password: &str,
    ) -> Result<(Client, Events), ClientError> {
        let connected = Client::connect(&self.endpoint).await?;
        connected.login(user, password).await
    }
}

fn print_phase(line: &PhaseLine) {
    print_line(&format!(
        "  phase {:<9} over after {} ms",
        line.phase.as_str(),
        line.took_ms
    ));
}
