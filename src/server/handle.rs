//! A running server, as the program around it sees it.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix::Addr;
use tokio::sync::{oneshot, watch};

use super::feed::Feed;
use super::tls::Tls;
use crate::accounts::UserName;
use crate::actors::hub::{Contents, Hub, NotPublished, Publish};
use crate::actors::supervisor::{Haste, List, Stop, Supervisor, WaitFor};
use crate::close::{Phase, Report, StopReason};
use crate::log::{Log, PublishWait};
use crate::transport::{Credentials, Endpoint, Fingerprint, TlsError};
use crate::wire::{Body, Seq, SessionLine, cbor};

/// A running server. It can be cloned and sent to other threads; dropping it does
/// not stop the server, [`ServerHandle::stop`] does.
#[derive(Clone)]
pub struct ServerHandle {
    pub(super) endpoints: Arc<[Endpoint]>,
    pub(super) supervisor: Addr<Supervisor>,
    pub(super) hub: Addr<Hub>,
    pub(super) log: Arc<Log>,
    pub(super) max_frame: usize,
    pub(super) tls: Tls,
    pub(super) report: watch::Receiver<Option<Report>>,
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle")
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

/// Where a stop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopStatus {
    /// The first reason to stop.
    pub reason: StopReason,
    /// The phase that the stop is in.
    pub phase: Phase,
    /// When the server is gone at the latest.
    pub remaining: Duration,
}

/// Why the embedding program's message was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The server is stopping, or gone.
    #[error("the server is stopping")]
    Stopping,
    /// Its frame would be longer than clients take.
    #[error("a message of {0} bytes does not fit into max-frame")]
    TooLong(usize),
    /// The journal could not be written; the server's log says why.
    #[error("the message was not published: the journal could not be written")]
    Unwritten,
}

impl ServerHandle {
    /// Where the server listens; ports that the system chose are filled in.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Publishes as the server's own console, `consola`.
    ///
    /// It does not wait for readers that lag, as clients' publishing does.
    ///
    /// # Errors
    /// See [`PublishError`]. Then nothing was published.
    pub async fn publish(&self, body: impl Into<Body<'_>>) -> Result<Seq, PublishError> {
        let (body, from) = (body.into(), UserName::console());
        let length = body.as_bytes().len();
        if length > cbor::max_body(self.max_frame) {
            return Err(PublishError::TooLong(length));
        }
        let mut contents = Contents::default();
        contents.push(&body);
        let publish = Publish {
            from,
            contents,
            in_flight: None,
        };
        match self.hub.send(publish).await {
            Ok(Ok(seq)) => Ok(seq),
            Ok(Err(NotPublished::Unwritten)) => Err(PublishError::Unwritten),
            Ok(Err(NotPublished::Sealed)) | Err(_) => Err(PublishError::Stopping),
        }
    }

    /// As [`ServerHandle::publish`], and waits for readers that lag, as clients'
    /// publishing does: see [`BackpressureLimits`](crate::BackpressureLimits).
    ///
    /// # Errors
    /// See [`PublishError`]. Then nothing was published.
    pub async fn publish_paced(&self, body: impl Into<Body<'_>>) -> Result<Seq, PublishError> {
        let pace = self.log.backpressure();
        let mut wait = PublishWait::default();
        let mut may_publish = |cx: &mut Context<'_>| {
            // Nobody is waited for once it stops.
            let goes_on =
                self.log.is_sealed() || pace.may_publish(self.log.written(), &mut wait, cx.waker());
            if goes_on {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        };
        // A reader that stands still wakes nobody.
        let again = pace.retry_interval();
        while tokio::time::timeout(again, poll_fn(&mut may_publish))
            .await
            .is_err()
        {}
        self.publish(body).await
    }

    /// The fingerprint of the certificate that `tls:` endpoints show; `None`: there are
    /// no such endpoints.
    pub fn certificate(&self) -> Option<Fingerprint> {
        self.tls.credentials().map(Credentials::fingerprint)
    }

    /// Loads certificate, key and the clients' authority again, for handshakes from now
    /// on; sessions that are there go on. It reads files, and returns the new
    /// certificate's fingerprint, or `None` where there are no `tls:` endpoints.
    ///
    /// # Errors
    /// See [`TlsError`]. Then the old ones stay.
    pub fn reload_certificates(&self) -> Result<Option<Fingerprint>, TlsError> {
        self.tls.credentials().map(Credentials::reload).transpose()
    }

    /// The sessions that are there, in the order of their numbers.
    pub async fn sessions(&self) -> Vec<SessionLine<'static>> {
        let infos = self.supervisor.send(List).await.unwrap_or_default();
        infos.iter().map(|info| info.line()).collect()
    }

    /// Waits until so many sessions are there at once. `false`: the server has gone.
    pub async fn wait_for_sessions(&self, count: usize) -> bool {
        let (reached, come) = oneshot::channel();
        self.supervisor.do_send(WaitFor { count, reached });
        come.await.is_ok()
    }

    /// Returns a stream of every broadcast from now on.
    pub fn subscribe(&self) -> Feed {
        Feed::new(Arc::clone(&self.log))
    }

    /// Stops the server, losing nothing that was accepted; [`ServerHandle::stopped`] waits for
    /// the end. A second call changes nothing and returns how far the stop is. `None`: the
    /// server has stopped.
    ///
    /// The report gives [`StopReason::Fim`] as the reason.
    ///
    /// Cancel safety: the server stops all the same.
    pub async fn stop(&self) -> Option<StopStatus> {
        self.stop_for(StopReason::Fim).await
    }

    /// Stops as [`ServerHandle::stop`] does the first time. The next call leaves all phases up
    /// to the close 1 s together, and the exit code is 4.
    pub async fn insist(&self) -> Option<StopStatus> {
        self.insist_for(StopReason::Fim).await
    }

    /// As [`ServerHandle::stop`], with another reason: for the program `arauto`.
    #[doc(hidden)]
    pub async fn stop_for(&self, reason: StopReason) -> Option<StopStatus> {
        self.ask_stop(reason, Haste::AsPlanned).await
    }

    /// As [`ServerHandle::insist`], with another reason: for the program `arauto`.
    #[doc(hidden)]
    pub async fn insist_for(&self, reason: StopReason) -> Option<StopStatus> {
        self.ask_stop(reason, Haste::Insist).await
    }

    async fn ask_stop(&self, reason: StopReason, haste: Haste) -> Option<StopStatus> {
        let status = self.supervisor.send(Stop { reason, haste }).await.ok()?;
        Some(StopStatus {
            reason: status.reason,
            phase: status.phase,
            remaining: status.remaining,
        })
    }

    /// Waits until the server has stopped; what it says of that.
    ///
    /// # Panics
    /// If the actix system that the server runs on was stopped under it.
    pub async fn stopped(&self) -> Report {
        let mut report = self.report.clone();
        let stopped = report.wait_for(Option::is_some).await;
        stopped
            .expect("the server's system was not stopped before the server")
            .clone()
            .expect("it was waited for")
    }
}
