//! The state that both sides of a session's connection and the handles of its user share.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{oneshot, watch};

use super::ask::reply::ServiceReply;
use super::calls::SessionCalls;
use super::error::{Break, ClientError, End};
use super::filter::{CurrentFilter, FilterState, Wanted};
use super::heartbeat::Activity;
use super::incoming::StoppingNotice;
use crate::wire::{Body, CursorLine, ReplyFrame, Seq, ServiceLine, SessionLine, TopicLine};

/// The answer to a frame.
#[derive(Debug)]
pub(super) enum Reply {
    Body(Body<'static>),
    Service(ServiceReply),
    Offered,
    Withdrawn,
    Published {
        seq: Seq,
        repeated: bool,
    },
    Users(Vec<String>),
    Sessions(Vec<SessionLine<'static>>),
    Cursors {
        cursors: Vec<CursorLine<'static>>,
        more: bool,
    },
    CursorRemoved(bool),
    Stopping(StoppingNotice),
    Filter(CurrentFilter),
    Topics {
        lines: Vec<TopicLine<'static>>,
        has_more: bool,
    },
    Services {
        services: Vec<ServiceLine<'static>>,
        more: bool,
    },
    Pong,
}

impl Reply {
    /// Returns the reply of a service, or of the endpoint's handler.
    pub(super) fn of(frame: ReplyFrame<'_>) -> Reply {
        let options = frame.options.map(|options| *options).unwrap_or_default();
        match options.from {
            Some(from) => {
                let reply = ServiceReply::new(frame.body, from.into_owned(), options.headers);
                Reply::Service(reply)
            }
            None => Reply::Body(frame.body.into_owned()),
        }
    }

    /// Returns the error for a reply of another kind than the frame asks for.
    pub(super) fn mismatch(&self) -> ClientError {
        ClientError::unexpected("an answer of another kind:", self)
    }
}

pub(super) type Answer = Result<Reply, ClientError>;

/// The state of one session.
#[derive(Debug)]
pub(super) struct Shared {
    next_id: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    activity: Arc<Activity>,
    filter: Mutex<FilterState>,
    calls: SessionCalls,
    /// How the session ended, once it has.
    over: watch::Sender<Option<Result<End, ClientError>>>,
}

impl Shared {
    pub(super) fn new(now: Instant, wanted: Wanted, calls: SessionCalls) -> Shared {
        Shared {
            next_id: AtomicU64::new(1),
            waiting: Mutex::default(),
            activity: Arc::new(Activity::new(now)),
            filter: Mutex::new(FilterState::new(wanted)),
            calls,
            over: watch::Sender::new(None),
        }
    }

    pub(super) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Locks the filter that the session has asked for.
    pub(super) fn filter(&self) -> MutexGuard<'_, FilterState> {
        self.filter.lock()
    }

    /// Returns the session's offers and its calls in work.
    pub(super) fn calls(&self) -> &SessionCalls {
        &self.calls
    }

    /// Waits for the answer to the frame with this id.
    pub(super) fn expect(&self, id: u64) -> oneshot::Receiver<Answer> {
        let (waiting, answer) = oneshot::channel();
        self.waiting.lock().insert(id, waiting);
        answer
    }

    /// Drops the wait for an answer.
    pub(super) fn forget(&self, id: u64) {
        self.waiting.lock().remove(&id);
    }

    /// Hands an answer to the one that waits for it.
    pub(super) fn resolve(&self, id: u64, answer: Answer) {
        if let Some(waiting) = self.waiting.lock().remove(&id) {
            let _ = waiting.send(answer); // the wait may have been dropped
        }
    }

    /// Ends the session: every wait for an answer fails with the session's end, and the work for
    /// its calls is dropped.
    pub(super) fn finish(&self, how: Result<End, ClientError>) {
        self.over.send_replace(Some(how));
        self.waiting.lock().clear();
        self.calls.finish();
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.borrow().is_some()
    }

    /// Waits for the end of the session.
    pub(super) async fn over(&self) {
        let mut over = self.over.subscribe();
        let over = over.wait_for(Option::is_some).await;
        drop(over.expect("this value holds the sender"));
    }

    /// Returns the error of a frame that gets no answer any more.
    pub(super) fn why_over(&self) -> ClientError {
        match &*self.over.borrow() {
            Some(Ok(end)) => ClientError::Closed(end.reason.clone()),
            Some(Err(error)) => error.clone(),
            None => Break::NoClosing.into(),
        }
    }
}
