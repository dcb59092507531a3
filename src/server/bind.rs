//! The entry points: a server on the caller's actix system, or on a thread of its own.

use std::future::Future;

use super::arbiters::{self, start_arbiters};
use super::assemble::assemble;
use super::builder::ServerBuilder;
use super::check::{check, check_randomness};
use super::config::Config;
use super::error::ServerError;
use super::handle::ServerHandle;
use super::listeners::bind_listeners;
use super::opening::open;
use crate::transport::ConnectionTimeouts;

/// Starts servers: [`Server::builder`] configures one step by step.
#[derive(Debug, Clone, Copy)]
pub struct Server;

impl Server {
    /// Returns a builder with the configuration of [`Config::default`].
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Starts a server on the actix system of its caller, with threads of its own for the
    /// sessions. The server never stops that system.
    ///
    /// ```
    /// # actix_rt::System::new().block_on(async {
    /// use arauto::{Config, Server};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let mut config = Config::default();
    /// config.listen = vec![format!("unix:{}", folder.path().join("a.sock").display()).parse()?];
    ///
    /// let server = Server::bind(config).await?;
    /// server.publish("bom dia").await?;
    /// server.stop().await;
    /// assert_eq!(server.stopped().await.exit, 0);
    /// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// See [`ServerError`]. Then nothing is left running, and no file behind.
    ///
    /// # Panics
    /// Outside of an actix system.
    pub async fn bind(config: Config) -> Result<ServerHandle, ServerError> {
        Server::bind_unless(config, std::future::pending()).await
    }

    /// Starts a server as [`Server::bind`] does, unless `abandoned` resolves first: then the
    /// start is interrupted and undone. Checking a large journal takes seconds, and a program
    /// that is told to stop meanwhile need not wait for it.
    ///
    /// # Errors
    /// See [`ServerError`]; [`ServerError::Abandoned`] once everything is undone. Where a
    /// disk hangs that is never: give it a deadline.
    ///
    /// # Panics
    /// Outside of an actix system.
    pub async fn bind_unless(
        config: Config,
        abandoned: impl Future<Output = ()>,
    ) -> Result<ServerHandle, ServerError> {
        check(&config)?;
        check_randomness()?;
        let mut abandoned = std::pin::pin!(abandoned);
        let (tls, storage) = open(&config, &mut abandoned).await?;
        let timeouts = ConnectionTimeouts::new(config.timeouts.peer(), config.timeouts.handshake);
        tokio::select! {
            biased;
            () = &mut abandoned => Err(ServerError::Abandoned),
            listeners = bind_listeners(&config, &tls, &timeouts) => {
                let listeners = listeners?;
                let arbiters = start_arbiters(config.limits.arbiters)?;
                Ok(assemble(&config, storage, tls, (listeners, timeouts), arbiters))
            }
        }
    }

    /// Starts a server on a thread and an actix system of its own, and returns
    /// once it listens.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn start(config: Config) -> Result<ServerHandle, ServerError> {
        let runtime = arbiters::runtime().map_err(ServerError::no("runtime"))?;
        let (started, outcome) = std::sync::mpsc::channel();
        let running = std::thread::Builder::new()
            .name("arauto".to_owned())
            .spawn(move || {
                actix_rt::System::with_tokio_rt(|| runtime).block_on(async move {
                    let bound = Server::bind(config).await;
                    let running = bound.as_ref().ok().cloned();
                    // The caller may have gone. The server runs all the same.
                    let _ = started.send(bound);
                    if let Some(server) = running {
                        server.stopped().await;
                    }
                });
            });
        running.map_err(ServerError::no("thread"))?;
        outcome
            .recv()
            .expect("the thread says how it went before it ends")
    }
}

impl ServerBuilder {
    /// Starts the server as [`Server::bind`] does.
    ///
    /// # Errors
    /// See [`ServerError`]. Then nothing is left running, and no file behind.
    ///
    /// # Panics
    /// Outside of an actix system.
    pub async fn bind(self) -> Result<ServerHandle, ServerError> {
        Server::bind(self.into_config()).await
    }

    /// Starts the server as [`Server::start`] does.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn start(self) -> Result<ServerHandle, ServerError> {
        Server::start(self.into_config())
    }
}
