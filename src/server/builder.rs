//! Configures a server step by step.

use std::path::PathBuf;
use std::sync::Arc;

use super::config::{Config, Limits, Timeouts};
use super::listen::Listen;
use crate::actors::handler::Handler;
use crate::log::Retention;
use crate::transport::{PassedSocket, TlsConfig};

/// Configures a server, and starts it with [`bind`](ServerBuilder::bind) or
/// [`start`](ServerBuilder::start). [`Server::builder`](super::Server::builder) makes one.
///
/// ```
/// use std::time::Duration;
///
/// use arauto::{Echo, Server};
///
/// # let folder = tempfile::tempdir()?;
/// # #[cfg(unix)]
/// # let endpoint = format!("unix:{}", folder.path().join("a.sock").display());
/// # #[cfg(windows)]
/// # let endpoint = format!("pipe:arauto-builder-{}", std::process::id());
/// let server = Server::builder()
///     .listen(endpoint.parse()?)
///     .data(folder.path().join("data"))
///     .handler(Echo)
///     .limits(|limits| limits.max_sessions = 100)
///     .timeouts(|timeouts| timeouts.idle = Some(Duration::from_secs(60)))
///     .start()?;
/// # actix_rt::System::new().block_on(async {
/// server.stop().await;
/// assert_eq!(server.stopped().await.exit, 0);
/// # });
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
#[must_use = "it is not started"]
pub struct ServerBuilder {
    /// Of which the endpoints count only while `listen` has none.
    config: Config,
    listen: Vec<Listen>,
}

impl ServerBuilder {
    /// Listens on one more endpoint. Without any it is `pipe:arauto`.
    pub fn listen(mut self, listen: Listen) -> Self {
        self.listen.push(listen);
        self
    }

    /// Adds a listening socket that was made elsewhere, for an endpoint `systemd:NAME`.
    pub fn socket(mut self, socket: PassedSocket) -> Self {
        self.config.sockets.push(socket);
        self
    }

    /// Keeps accounts, and the journal where there is one, in this folder. Without it
    /// accounts last as long as the server runs.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.config.storage.data = Some(folder.into());
        self
    }

    /// Keeps broadcasts on disk, in the data folder.
    pub fn journal(mut self, retention: Retention) -> Self {
        self.config.storage.journal = Some(retention);
        self
    }

    /// Sets the certificate of `tls:` endpoints.
    pub fn tls(mut self, tls: TlsConfig) -> Self {
        self.config.tls = Some(tls);
        self
    }

    /// Sets what answers requests, on endpoints that name no handler of their own. Without it
    /// they are answered in upper case.
    pub fn handler(mut self, handler: impl Handler) -> Self {
        self.config.handler = Arc::new(handler);
        self
    }

    /// Adds a handler under the name of a service, see [`Config::services`].
    pub fn service(mut self, name: impl Into<String>, handler: impl Handler) -> Self {
        self.config.services.insert(name.into(), Arc::new(handler));
        self
    }

    /// Changes limits.
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.config.limits);
        self
    }

    /// Changes timeouts.
    pub fn timeouts(mut self, change: impl FnOnce(&mut Timeouts)) -> Self {
        change(&mut self.config.timeouts);
        self
    }

    /// Changes anything else.
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Returns the configuration as it is so far.
    pub fn into_config(self) -> Config {
        let mut config = self.config;
        if !self.listen.is_empty() {
            config.listen = self.listen;
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builder_listens_on_the_default_only_without_endpoints() {
        let endpoints = |builder: ServerBuilder| {
            let listen = builder.into_config().listen;
            let endpoints = listen.iter().map(|listen| listen.endpoint.to_string());
            endpoints.collect::<Vec<_>>()
        };
        let listen = |text: &str| text.parse::<Listen>().expect("an endpoint");
        assert_eq!(endpoints(ServerBuilder::default()), ["pipe:arauto"]);
        let two = ServerBuilder::default()
            .listen(listen("unix:/a"))
            .listen(listen("unix:/b"));
        assert_eq!(endpoints(two), ["unix:/a", "unix:/b"]);
    }

    #[test]
    fn builder_sets_each_group_of_the_configuration() {
        let config = ServerBuilder::default()
            .data("/data")
            .journal(Retention::default())
            .limits(|limits| limits.arbiters = 3)
            .timeouts(|timeouts| timeouts.idle = None)
            .configure(|config| config.backpressure.window = 7)
            .into_config();
        assert_eq!(config.storage.data, Some(PathBuf::from("/data")));
        assert_eq!(config.storage.journal, Some(Retention::default()));
        assert_eq!((config.limits.arbiters, config.backpressure.window), (3, 7));
    }
}
