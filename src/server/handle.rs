//! A running server, as the program around it sees it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use tokio::sync::{oneshot, watch};

use super::config::Limits;
use super::feed::Feed;
use super::probe::{Parts, ProbeOutcome};
use super::reloadable::Reloadable;
use super::statistics::{LaggingSession, Measured, Statistics, furthest_behind};
use super::tls::Tls;
use crate::accounts::AccountNames;
use crate::actors::draining::Draining;
use crate::actors::hub::Hub;
use crate::actors::supervisor::{
    Count, Dismiss, GetStatus, Haste, List, Observe, Status, Stop, Supervisor, WaitFor,
};
use crate::close::{Observation, Phase, Report, StopReason};
use crate::log::Log;
use crate::transport::{Credentials, Endpoint, Fingerprint, TlsError};
use crate::wire::{LONGEST_TEXT, Seq, SessionId, SessionLine, TopicLine, limited};

/// A running server. It can be cloned and sent to other threads; dropping it does
/// not stop the server, [`ServerHandle::stop`] does.
#[derive(Clone)]
pub struct ServerHandle {
    pub(super) endpoints: Arc<[Endpoint]>,
    pub(super) supervisor: Addr<Supervisor>,
    pub(super) hub: Addr<Hub>,
    pub(super) names: AccountNames,
    pub(super) log: Arc<Log>,
    pub(super) reloadable: Arc<Reloadable>,
    pub(super) draining: Draining,
    pub(super) tls: Tls,
    pub(super) parts: Arc<Parts>,
    pub(super) measured: Arc<Measured>,
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

impl From<Status> for StopStatus {
    fn from(status: Status) -> StopStatus {
        StopStatus {
            reason: status.reason,
            phase: status.phase,
            remaining: status.remaining,
        }
    }
}

impl ServerHandle {
    /// Where the server listens; ports that the system chose are filled in.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
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

    /// Sends a round trip through each part that the server depends on, and waits for the answers,
    /// at most as long as `limit`. It finds a part that stands still, for example because a disk
    /// hangs. It can be called from any thread with a tokio runtime.
    ///
    /// Cancel safe.
    pub async fn probe(&self, limit: Duration) -> ProbeOutcome {
        self.parts.probe(limit).await
    }

    /// Returns the server's figures at this moment. It asks the supervisor for the sessions, and no
    /// session for anything; their number is the cost.
    ///
    /// Cancel safe.
    pub async fn statistics(&self) -> Statistics {
        let sessions = self.supervisor.send(List).await.unwrap_or_default();
        self.measured.statistics(&sessions)
    }

    /// Returns the number of sessions, and at most `most` of them, those that lag furthest: for the
    /// program `arauto`.
    #[doc(hidden)]
    pub async fn lagging_sessions(&self, most: usize) -> (usize, Vec<LaggingSession>) {
        let sessions = self.supervisor.send(List).await.unwrap_or_default();
        let lagging = furthest_behind(&sessions, self.log.head(), most);
        (sessions.len(), lagging)
    }

    /// Returns the first topics by name, as many as fit into so many bytes, and whether there are more:
    /// for the program `arauto`. Broadcasts wait while it looks at all topics.
    #[doc(hidden)]
    pub fn topics(&self, bytes: usize) -> (Vec<TopicLine<'static>>, bool) {
        self.log.topics(None, "", bytes)
    }

    /// Returns the limits of this moment, behind a change of them that is under way: for the program
    /// `arauto`.
    ///
    /// Cancel safe.
    #[doc(hidden)]
    pub async fn limits(&self) -> Limits {
        self.reloadable.running().await.limits.clone()
    }

    /// Returns the number of sessions, without looking at any of them: for the program `arauto`.
    #[doc(hidden)]
    pub async fn count_sessions(&self) -> usize {
        self.supervisor.send(Count).await.unwrap_or_default()
    }

    /// Returns the seq of the newest broadcast: for the program `arauto`.
    #[doc(hidden)]
    pub fn head(&self) -> Seq {
        self.log.head()
    }

    /// Asks every session how far it is. One that does not answer within a second is described by what
    /// is known of it without asking. `None`: the server has stopped.
    ///
    /// Cancel safe.
    pub async fn observe(&self) -> Option<Observation> {
        self.supervisor
            .send(Observe(Arc::clone(&self.log)))
            .await
            .ok()
    }

    /// Ends a session: its client gets the error `revoked` with this reason, as far as 512 bytes of it,
    /// and what was broadcast for it by now. Returns whether there is such a session.
    ///
    /// Cancel safety: the session may end all the same.
    pub async fn end_session(&self, session: SessionId, why: Option<&str>) -> bool {
        let why = why.map(|why| Arc::from(limited(why, LONGEST_TEXT)));
        let ended = self.supervisor.send(Dismiss { session, why }).await;
        ended.unwrap_or(false)
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
        Some(status.into())
    }

    /// Returns how far the stop is. `None`: no stop has begun, or the server has stopped.
    ///
    /// Cancel safe.
    pub async fn stop_status(&self) -> Option<StopStatus> {
        let status = self.supervisor.send(GetStatus).await.ok()?;
        status.filter(|_| !self.has_stopped()).map(StopStatus::from)
    }

    /// Whether the server has stopped.
    pub fn has_stopped(&self) -> bool {
        self.report.borrow().is_some()
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
