//! The acceptor, one for each listener: hands each connection over with the decision about it.
//!
//! It survives every error of an accept. A client that has gone costs nothing; any other error
//! costs a pause. A connection beyond a limit is handed over all the same, to be told so. If too
//! many are being told, or the dialect cannot tell, connections wait in the system's backlog
//! until a permit is free.

use std::io;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, MessageResult};

use super::admission::{Admission, AdmissionPolicy};
use super::sentinel::Sentinel;
use crate::framing::Failure;
use crate::link::{Accept, IncomingConnection};

/// The first pause after a failed accept. Each further one is twice as long, up to
/// [`LONGEST_BACKOFF`].
const FIRST_BACKOFF: Duration = Duration::from_millis(10);
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);

/// The most connections that are accepted in a row before other tasks of this thread run.
const BURST: usize = 64;

/// Accepts the connections of one listener.
pub struct Acceptor<L: Accept> {
    /// `None` once the acceptor is sealed.
    listener: Option<L>,
    policy: AdmissionPolicy,
    /// A connection that could neither be served nor refused yet. No other is accepted before
    /// it is handed over.
    held: Option<L::Connection>,
    hand_over: Box<dyn FnMut(L::Connection, Admission)>,
    backoff: Duration,
    is_backing_off: bool,
    is_stopping: bool,
    waker: Option<Waker>,
    sentinel: Sentinel,
}

/// Closes the listener, and refuses the clients that wait to be accepted.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Seal;

impl<L: Accept> Acceptor<L> {
    /// Returns an acceptor that hands each connection over with the decision about it.
    pub fn new(
        listener: L,
        policy: AdmissionPolicy,
        hand_over: impl FnMut(L::Connection, Admission) + 'static,
        sentinel: Sentinel,
    ) -> Self {
        Acceptor {
            listener: Some(listener),
            policy,
            held: None,
            hand_over: Box::new(hand_over),
            backoff: FIRST_BACKOFF,
            is_backing_off: false,
            is_stopping: false,
            waker: None,
            sentinel,
        }
    }

    /// Hands a connection over, or holds it if it can neither be served nor refused yet.
    fn admit(&mut self, connection: L::Connection) {
        let admission = match self.is_stopping {
            true => Some(Admission::Stopping),
            false => self.policy.decide(connection.peer_id()),
        };
        match admission {
            Some(admission) => (self.hand_over)(connection, admission),
            None => self.held = Some(connection),
        }
    }

    /// Hands the held connection over if it can be now; returns whether one is still held.
    fn is_holding(&mut self, cx: &TaskContext<'_>) -> bool {
        let Some(connection) = self.held.take() else {
            return false;
        };
        if self.policy.poll_refusal(cx) {
            self.admit(connection);
        } else {
            self.held = Some(connection);
        }
        self.held.is_some()
    }

    fn accept(&mut self, ctx: &mut Context<Self>, cx: &mut TaskContext<'_>) {
        let mut gone = 0;
        for _ in 0..BURST {
            if self.is_backing_off || self.is_holding(cx) || !self.policy.poll_ready(cx) {
                return;
            }
            let Some(listener) = &mut self.listener else {
                return;
            };
            match listener.poll_accept(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(connection)) => {
                    self.backoff = FIRST_BACKOFF;
                    self.admit(connection);
                }
                // The client has gone before its accept.
                Poll::Ready(Err(error)) if listener.failure_of(&error) == Failure::PeerGone => {
                    gone += 1;
                    if gone == BURST {
                        self.back_off(&error, ctx); // an error that repeats for ever must pause
                    }
                }
                Poll::Ready(Err(error)) => self.back_off(&error, ctx),
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Pauses. The system has no descriptor or no memory left, and sessions must end before
    /// another accept can succeed.
    fn back_off(&mut self, error: &io::Error, ctx: &mut Context<Self>) {
        tracing::warn!(%error, backoff = ?self.backoff, "accepting failed, retrying");
        self.is_backing_off = true;
        ctx.run_later(self.backoff, |acceptor, _| {
            acceptor.is_backing_off = false;
            if let Some(waker) = &acceptor.waker {
                waker.wake_by_ref();
            }
        });
        self.backoff = (self.backoff * 2).min(LONGEST_BACKOFF);
    }

    /// Closes the listener, and refuses the clients that have connected and were not accepted.
    fn refuse_waiting(&mut self) {
        let Some(mut listener) = self.listener.take() else {
            return;
        };
        self.is_stopping = true;
        listener.close_to_new();
        if let Some(connection) = self.held.take() {
            self.admit(connection);
        }
        while let Some(connection) = listener.accept_waiting() {
            self.admit(connection);
        }
    }
}

impl<L: Accept> Actor for Acceptor<L> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Accepting);
    }
}

struct Accepting;

impl<L: Accept> ActorFuture<Acceptor<L>> for Accepting {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        acceptor: &mut Acceptor<L>,
        ctx: &mut Context<Acceptor<L>>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        acceptor.waker = Some(task.waker().clone());
        if let Some(listener) = &mut acceptor.listener {
            listener.poll_watch(task);
        }
        acceptor.accept(ctx, task);
        Poll::Pending
    }
}

impl<L: Accept> Handler<Seal> for Acceptor<L> {
    type Result = MessageResult<Seal>;

    fn handle(&mut self, Seal: Seal, ctx: &mut Self::Context) -> Self::Result {
        self.refuse_waiting();
        self.sentinel.disarm();
        ctx.stop();
        MessageResult(())
    }
}
