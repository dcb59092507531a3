//! The admin endpoint: HTTP for operators, load balancers and monitoring.
//!
//! It has a thread and a runtime of its own, and asks the server from outside: a part of the server
//! that stands still does not keep it from answering, and no request but `/observation` costs a session
//! anything. The connections, the length of a request and its time are bounded.
//!
//! - [`access`]: which requests are allowed: those with the [`token`], or of a browser that has
//!   logged in with it ([`logins`]), and none that another page has a [`browser`] send;
//! - [`endpoint`]: where it may listen;
//! - [`listener`]: accepts connections, and bounds them;
//! - [`observed`]: the server as the handlers see it, from its start to its end;
//! - [`health`] has `/livez` and `/readyz`;
//! - [`metrics`] has `/metrics`;
//! - [`status`] has `/status`;
//! - [`sessions`] has `/sessions`;
//! - [`observation`] has `/observation`: how far each session is;
//! - [`page`] has `/`: a page in a browser;
//! - [`drain`] has `/drain`: no new sessions, before a stop;
//! - [`acts`]: what else an operator can do; [`reload`]: the settings are read again, which are those of
//!   [`settings`];
//! - [`audit`]: the audit log of what operators do.

mod access;
mod acts;
mod audit;
mod browser;
mod drain;
mod endpoint;
mod health;
mod json;
mod listener;
mod logins;
mod metrics;
mod observation;
mod observed;
mod page;
mod part;
mod refusal;
mod reload;
mod sessions;
mod settings;
mod snapshot;
mod status;
mod token;

use std::io;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use arauto::internal::admin::AdminListener;
use arauto::{BindError, ServerHandle};
use axum::Router;
use axum::extract::Extension;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{get, post};
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;

use self::access::{Access, check};
pub(crate) use self::audit::{AuditFigures, MaybeAudit, OperatorAct, OperatorAudit};
pub(crate) use self::drain::{DrainRequest, Drained};
pub(crate) use self::endpoint::AdminEndpoint;
use self::observed::Observed;
pub(crate) use self::refusal::Refusal;
pub(crate) use self::settings::{LastReport, Reloaded, Reloading, SettingChange, Settings};
pub(crate) use self::token::{CurrentToken, Token};

/// How long the drop waits for the thread, which removes the endpoint's file.
const CLOSE_LIMIT: Duration = Duration::from_millis(500);

/// The admin endpoint of a server process. Dropping it closes the endpoint and removes its file;
/// requests in work are cut off.
pub(crate) struct Admin {
    observed: Observed,
    closed: CancellationToken,
    ended: mpsc::Receiver<()>,
    _thread: JoinHandle<()>,
}

/// Why there is no admin endpoint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    /// The endpoint cannot be listened on.
    #[error("admin endpoint: {0}")]
    Bind(#[from] BindError),
    /// The system has no thread or no descriptors for it.
    #[error("admin endpoint: cannot start its thread: {0}")]
    System(#[from] io::Error),
}

impl Admin {
    /// Listens on an endpoint, on a thread of its own. It answers at once, and says that the server
    /// starts until [`Admin::serving`] is called. Requests over TCP need the token; without one they
    /// get to know of health only. What operators do is noted in the audit log.
    ///
    /// # Errors
    /// The endpoint cannot be listened on, or the system has no thread or no descriptors.
    pub(crate) fn start(
        endpoint: AdminEndpoint,
        token: CurrentToken,
        audit: MaybeAudit,
    ) -> Result<Admin, AdminError> {
        let observed = Observed::new(audit);
        let closed = CancellationToken::new();
        let (end, ended) = mpsc::channel();
        let (bound, outcome) = mpsc::channel::<Result<(), AdminError>>();
        let channel = endpoint.channel();
        let routes = routes(observed.clone(), Access::new(token)).layer(Extension(channel));
        let until = closed.clone();
        let thread = std::thread::Builder::new()
            .name("arauto-admin".to_owned())
            .spawn(move || {
                let _ended: mpsc::Sender<()> = end; // dropped with the thread
                let runtime = match Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime,
                    Err(error) => {
                        let _ = bound.send(Err(error.into())); // the caller waits
                        return;
                    }
                };
                LocalSet::new().block_on(&runtime, async move {
                    let AdminEndpoint { endpoint, access } = endpoint;
                    let listener = match AdminListener::bind(&endpoint, &access).await {
                        Ok(listener) => listener,
                        Err(error) => {
                            let _ = bound.send(Err(error.into())); // the caller waits
                            return;
                        }
                    };
                    tracing::info!(endpoint = %listener.endpoint(), "admin endpoint open");
                    let _ = bound.send(Ok(())); // the caller waits
                    listener::serve(listener, routes, until).await;
                });
            })?;
        // The thread sends the outcome or panics.
        outcome
            .recv()
            .unwrap_or_else(|_| Err(io::Error::other("the thread panicked").into()))?;
        Ok(Admin {
            observed,
            closed,
            ended,
            _thread: thread,
        })
    }

    /// Answers about this server from now on, and has these settings reloaded.
    pub(crate) fn serving(&self, server: ServerHandle, settings: Arc<dyn Settings>) {
        self.observed.serving(server, settings);
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.closed.cancel();
        let _ = self.ended.recv_timeout(CLOSE_LIMIT); // fails when the thread has ended
    }
}

fn routes(observed: Observed, access: Access) -> Router {
    let page = page::routes(&observed, &access);
    Router::new()
        .route("/metrics", get(metrics::metrics))
        .route("/status", get(status::status))
        .route("/sessions", get(sessions::sessions))
        .route("/sessions/{session}/end", post(acts::end_session))
        .route("/observation", get(observation::observation))
        .route("/drain", post(drain::begin))
        .route("/drain/cancel", post(drain::cancel))
        .route("/reload", post(reload::reload))
        .route("/stop", post(acts::stop))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .with_state(observed.clone())
        .merge(page)
        .layer(from_fn_with_state((access, observed), check))
        .layer(map_response(page::add_headers))
}
