//! The task of a client: it reads the current session to its end and logs in again.
//!
//! Invariants:
//! - the queue of the events outlives sessions, and a new session resumes behind the last
//!   broadcast that was put there: none is lost unseen and none comes twice;
//! - a new session has the filter that the last one had, by every change that was answered;
//! - with a cursor the server begins behind the last ack; what the client has delivered since is
//!   dropped as long as the server's term is the same, as only then the seqs certainly stand for the
//!   same broadcasts;
//! - a session is replaced only once its end is known, and only for a reason that may pass
//!   ([`RetryClass::RetryAfterLogin`]);
//! - the task ends with the last handle, and with `fim`.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::backoff::Backoff;
use super::error::{Break, ClientError, End};
use super::events::LAST_ACK;
use super::filter::Wanted;
use super::handshake::Handshake;
use super::incoming::Incoming;
use super::login::{Begin, LoggedInAs, LoggedInConnection, ResumePoint};
use super::reader::{Ended, Reader};
use super::retry::RetryClass;
use super::session::Session;
use super::slot::Slot;
use crate::transport::{Endpoint, Trust};

/// A session that lived for this long ends a series of failures: the next wait is short again.
const SOUND: Duration = Duration::from_secs(10);

/// How a client logs in again after its session has ended for a reason that may pass.
///
/// The waits between attempts are those of [`Backoff`]. The default tries without an end.
#[derive(Debug, Clone)]
pub struct Reconnect {
    patience: Option<Duration>,
    attempt_timeout: Duration,
}

impl Default for Reconnect {
    fn default() -> Self {
        Reconnect::new()
    }
}

impl Reconnect {
    /// Returns a policy that tries without an end, and gives each attempt 60 s.
    pub const fn new() -> Reconnect {
        Reconnect {
            patience: None,
            attempt_timeout: Duration::from_secs(60),
        }
    }

    /// Ends the attempts once `patience` has passed since the session's end.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Reconnect {
        self.patience = Some(patience);
        self
    }

    /// Sets how long one attempt may take, from the connect to the login's answer.
    #[must_use]
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Reconnect {
        self.attempt_timeout = timeout;
        self
    }
}

/// Everything that a login takes.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) endpoint: Endpoint,
    pub(super) trust: Trust,
    pub(super) user: String,
    pub(super) password: Password,
    pub(super) server_timeout: Option<Duration>,
    /// The filter that the first login asks for.
    pub(super) wanted: Wanted,
    /// The cursor that each session begins behind.
    pub(super) cursor: Option<String>,
}

/// A password, which is not shown.
#[derive(Clone)]
pub(super) struct Password(pub(super) String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}

impl Account {
    /// Connects and logs in; `from` resumes, where there is no cursor.
    pub(super) async fn log_in(
        &self,
        from: Option<&ResumePoint>,
        wanted: &Wanted,
    ) -> Result<LoggedInConnection, ClientError> {
        let handshake = Handshake::connect(&self.endpoint, &self.trust).await?;
        let mut handshake = handshake.wanting(wanted);
        if let Some(timeout) = self.server_timeout {
            handshake = handshake.with_server_timeout(timeout);
        }
        let begin = match &self.cursor {
            Some(name) => Begin::Cursor(name),
            None => Begin::from(from),
        };
        handshake.log_in(&self.user, &self.password.0, begin).await
    }
}

/// A way to log in again.
#[derive(Debug)]
pub(super) struct Relogin {
    pub(super) account: Account,
    pub(super) policy: Reconnect,
}

/// The task of a client.
pub(super) struct Task {
    slot: Weak<Slot>,
    events: mpsc::Sender<Incoming>,
    /// Whether the client has asked for its end; it closes with the last handle.
    end_asked: watch::Receiver<bool>,
    /// Notified when the reader of the events has passed the end of a session.
    passed_end: Arc<Notify>,
    relogin: Option<Relogin>,
}

impl Task {
    pub(super) fn new(
        slot: &Arc<Slot>,
        events: mpsc::Sender<Incoming>,
        relogin: Option<Relogin>,
    ) -> Task {
        Task {
            slot: Arc::downgrade(slot),
            events,
            end_asked: slot.watch_end(),
            passed_end: Arc::clone(slot.passed_end()),
            relogin,
        }
    }

    /// Runs until the client ends.
    pub(super) async fn run(mut self, mut reader: Reader, mut who: Arc<LoggedInAs>) {
        let mut backoff = Backoff::new();
        loop {
            let began = Instant::now();
            let Ended {
                how,
                delivered,
                wanted,
                hang_up,
            } = reader.run(&self.events).await;
            if !self.goes_on_after(&how) {
                return self.end(how, Some(hang_up)).await;
            }
            if began.elapsed() >= SOUND {
                backoff.reset();
            }
            let error = match &how {
                Ok(end) => ClientError::Closed(end.reason.clone()),
                Err(error) => error.clone(),
            };
            self.leave(error.clone()).await;
            drop(hang_up);
            let point = who.resume_point_after(delivered.unwrap_or(who.seq));
            let again = self.log_in_again(&point, &wanted, &mut backoff, error);
            let login = match again.await {
                Ok(Some(login)) => login,
                Ok(None) => return self.end(how, None).await,
                Err(error) => return self.end(Err(error), None).await,
            };
            let session;
            (session, reader) = Session::start(login);
            reader.skip_to(point.delivered_in(session.who()));
            who = Arc::clone(session.who());
            match self.slot.upgrade() {
                Some(slot) => slot.replace(session),
                None => return,
            }
            self.send(Incoming::Reconnected(Arc::clone(&who))).await;
        }
    }

    fn goes_on_after(&self, how: &Result<End, ClientError>) -> bool {
        let class = match how {
            Ok(end) => RetryClass::of_end(&end.reason),
            Err(error) => error.retry_class(),
        };
        let is_wanted = self.end_asked.has_changed().is_ok() && !*self.end_asked.borrow();
        is_wanted && self.relogin.is_some() && class == RetryClass::RetryAfterLogin
    }

    /// Tells of a session's end and leaves the reader a moment for its last acknowledgements.
    async fn leave(&mut self, error: ClientError) {
        self.send(Incoming::Disconnected(error)).await;
        let Task {
            events,
            end_asked,
            passed_end,
            ..
        } = self;
        let passed = async {
            tokio::select! {
                () = passed_end.notified() => {}
                _ = end_asked.wait_for(|is_asked| *is_asked) => {}
                () = events.closed() => {}
            }
        };
        let _ = timeout(LAST_ACK, passed).await; // a slow reader's acknowledgement is not awaited
    }

    /// Tries until a login succeeds. `None`: the client has asked for its end, or its last
    /// handle is dropped. `error` ended the session before.
    async fn log_in_again(
        &mut self,
        point: &ResumePoint,
        wanted: &Wanted,
        backoff: &mut Backoff,
        mut error: ClientError,
    ) -> Result<Option<LoggedInConnection>, ClientError> {
        let Some(Relogin { account, policy }) = &self.relogin else {
            return Ok(None);
        };
        let began = Instant::now();
        let mut has_failed = false;
        loop {
            let wait = backoff.next_wait(error.retry_after()).unwrap_or_default();
            let is_late = |patience| began.elapsed() + wait > patience;
            if policy.patience.is_some_and(is_late) {
                return Err(error);
            }
            if has_failed {
                let error = error.clone();
                let _ = self.events.try_send(Incoming::Retrying { error, wait }); // or it is full
            }
            // A client without a reader of its events needs none of the past.
            let from = (!self.events.is_closed()).then_some(point);
            let attempt = async {
                sleep(wait).await;
                let limit = policy.attempt_timeout;
                let attempt = timeout(limit, account.log_in(from, wanted)).await;
                attempt.unwrap_or_else(|_| Err(Break::LoginTimedOut(limit).into()))
            };
            let outcome = tokio::select! {
                outcome = attempt => outcome,
                _ = self.end_asked.wait_for(|is_asked| *is_asked) => return Ok(None),
            };
            match outcome {
                Ok(login) => return Ok(Some(login)),
                Err(failed) if failed.retry_class() == RetryClass::Final => return Err(failed),
                Err(failed) => error = failed,
            }
            has_failed = true;
        }
    }

    /// Ends the client; `hang_up` keeps the write side open for a moment.
    async fn end(self, how: Result<End, ClientError>, hang_up: Option<oneshot::Sender<()>>) {
        let last = match &how {
            Ok(end) => Incoming::Closing(end.clone()),
            Err(error) => Incoming::Lost(error.clone()),
        };
        if let Some(slot) = self.slot.upgrade() {
            slot.finish(how);
        }
        let _ = self.events.send(last).await; // without a reader nobody needs it
        if hang_up.is_some() {
            // The reader may acknowledge what came last, and the server waits for its end.
            let _ = timeout(LAST_ACK, self.events.closed()).await;
        }
    }

    /// Puts an item into the queue, and waits for a place while the client wants to go on.
    async fn send(&mut self, incoming: Incoming) {
        tokio::select! {
            biased;
            _ = self.events.send(incoming) => {} // without a reader nobody needs it
            _ = self.end_asked.wait_for(|is_asked| *is_asked) => {}
        }
    }
}
