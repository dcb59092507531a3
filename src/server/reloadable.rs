//! The parts of a running server that take new values.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::Addr;
use futures_util::future::join;
use tokio::sync::{Mutex, MutexGuard};

use super::admission_limits::AdmissionLimits;
use super::config::Config;
use super::contexts::Contexts;
use super::derived_limits::{
    feature_limits, hub_limits, login_limits, service_limits, session_limits,
};
use crate::actors::auth::{self, Auth};
use crate::actors::hub::{self, Hub};
use crate::actors::session::ListenerContext;
use crate::actors::supervisor::{SetStopLimit, Supervisor};
use crate::services::Services;
use crate::transport::ConnectionTimeouts;

/// The parts that take new values, without the certificate.
pub(super) struct ReloadableParts {
    pub(super) admission: AdmissionLimits,
    pub(super) contexts: Arc<Contexts>,
    pub(super) timeouts: ConnectionTimeouts,
    pub(super) services: Arc<Services>,
    pub(super) auth: Addr<Auth>,
    pub(super) hub: Addr<Hub>,
    pub(super) supervisor: Addr<Supervisor>,
}

/// The configuration that a server runs with, and the parts that take another one.
pub(super) struct Reloadable {
    /// Locked while it is replaced, so that changes come one after the other.
    running: Mutex<Config>,
    max_frame: AtomicUsize,
    parts: ReloadableParts,
}

impl Reloadable {
    /// Creates the value for a server that has begun with `config`.
    pub(super) fn new(config: &Config, parts: ReloadableParts) -> Reloadable {
        // Not its sockets, handlers and callbacks: what they hold must go with the server.
        let running = Config {
            listen: config.listen.clone(),
            storage: config.storage.clone(),
            tls: config.tls.clone(),
            limits: config.limits.clone(),
            timeouts: config.timeouts.clone(),
            backpressure: config.backpressure,
            slow: config.slow,
            default_role: config.default_role,
            hash_cost: config.hash_cost,
            ..Config::default()
        };
        Reloadable {
            max_frame: AtomicUsize::new(config.limits.max_frame),
            running: Mutex::new(running),
            parts,
        }
    }

    /// Returns the longest frame.
    pub(super) fn max_frame(&self) -> usize {
        self.max_frame.load(Ordering::Relaxed)
    }

    /// Waits until no change is under way. The guard has the configuration without sockets, handlers
    /// and callbacks.
    pub(super) async fn running(&self) -> MutexGuard<'_, Config> {
        self.running.lock().await
    }

    /// Has all parts take the values of a configuration that has been checked. Returns `false`, and
    /// has changed nothing, if the server stops or has stopped.
    ///
    /// Cancel safety: what the supervisor has accepted may be applied in part.
    pub(super) async fn apply(&self, config: &Config) -> bool {
        let parts = &self.parts;
        let asked = parts.supervisor.send(SetStopLimit(config.timeouts.drain));
        if !asked.await.unwrap_or(false) {
            return false;
        }
        self.max_frame
            .store(config.limits.max_frame, Ordering::Relaxed);
        parts.admission.set(&config.limits);
        parts
            .timeouts
            .set(config.timeouts.peer(), config.timeouts.handshake);
        parts.services.set_limits(service_limits(config));
        parts
            .contexts
            .replace(|context, longest_frame| ListenerContext {
                limits: Arc::new(session_limits(config, longest_frame)),
                feature_limits: feature_limits(config),
                ..context.clone()
            });
        // Answered, so that what a client asks for later meets the new values.
        let auth = parts.auth.send(auth::SetLimits(login_limits(config)));
        let hub = parts.hub.send(hub::SetLimits(hub_limits(config)));
        let _ = join(auth, hub).await; // a part that has gone takes no logins and publishes
        true
    }
}
