//! A session's part in services, and the calls that the server's stop waits for.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use futures_util::future::{AbortHandle, Abortable, Aborted};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use super::listener_context::ListenerContext;
use super::traces;
use crate::accounts::UserName;
use crate::actors::handler::{Answer, Outcome};
use crate::close::{CallEnd, SessionCalls, Work};
use crate::services::{CallAnswer, CallId, Membership, Payload, ServiceEvent};
use crate::wire::{SessionId, TraceParent};

/// A session's part in services; empty in most sessions. Dropping it ends its offers and its calls.
#[derive(Debug, Default)]
pub(super) struct ServicesIo {
    part: Option<Box<Part>>,
    /// The counts of a session that has left.
    counts: Option<Box<SessionCalls>>,
}

#[derive(Debug)]
struct Part {
    session: SessionId,
    membership: Membership,
    /// The session's own calls that are not answered.
    in_work: HashMap<CallId, OwnCall>,
    /// The server's own answers to calls that are not there yet.
    own: FuturesUnordered<OwnAnswer>,
    /// Drops the answer to a call that was cancelled.
    own_aborts: HashMap<CallId, AbortHandle>,
}

/// A call of the session's own.
#[derive(Debug)]
struct OwnCall {
    /// Keeps it in the server's count until it is answered.
    work: Work,
    /// Its trace context, if its end is to be logged.
    traced: Option<TraceParent>,
}

impl OwnCall {
    /// Ends the call.
    fn end(self, session: SessionId, call: CallId, end: &str) -> Work {
        if let Some(parent) = &self.traced {
            traces::log_end(session, call, end, parent);
        }
        self.work
    }
}

/// A handler's answer, with the number of the call.
type OwnAnswer = Pin<Box<dyn Future<Output = Result<(CallId, Outcome), Aborted>> + Send>>;

impl ServicesIo {
    /// Lets the session of this user take part, if it does not yet.
    pub(super) fn join(
        &mut self,
        listener: &ListenerContext,
        session: SessionId,
        user: &UserName,
    ) -> &Membership {
        let part = self.part.get_or_insert_with(|| {
            Box::new(Part {
                session,
                membership: listener.services.join(session, user.shared()),
                in_work: HashMap::new(),
                own: FuturesUnordered::new(),
                own_aborts: HashMap::new(),
            })
        });
        &part.membership
    }

    /// Returns the part that the session has.
    pub(super) fn membership(&self) -> Option<&Membership> {
        self.part.as_deref().map(|part| &part.membership)
    }

    /// Ends the session's offers and calls.
    pub(super) fn leave(&mut self) {
        if let Some(part) = self.part.take() {
            self.counts = Some(Box::new(part.membership.leave()));
        }
    }

    /// Returns the counts of the session's calls, if it takes part or did.
    pub(super) fn counts(&self) -> Option<SessionCalls> {
        let counts = self.membership().map(Membership::counts);
        counts.or_else(|| self.counts.as_deref().copied())
    }

    /// Has the session's task woken when there is something to take. Returns whether it takes part.
    pub(super) fn register(&self, waker: &Waker) -> bool {
        let membership = self.membership();
        membership
            .map(|membership| membership.register(waker))
            .is_some()
    }

    /// Notes a call of the session's own.
    pub(super) fn note_made(&mut self, call: CallId, work: Work, traced: Option<TraceParent>) {
        if let Some(part) = &mut self.part {
            part.in_work.insert(call, OwnCall { work, traced });
        }
    }

    /// Ends a call of the session's own in this way. Returns whether it had not ended.
    pub(super) fn cancel(&mut self, call: CallId, end: CallEnd) -> bool {
        let Some(part) = &mut self.part else {
            return false;
        };
        let is_cancelled = part.membership.cancel(call, end);
        if is_cancelled {
            let own = part.in_work.remove(&call);
            drop(own.map(|own| own.end(part.session, call, end.as_str())));
            if let Some(abort) = part.own_aborts.remove(&call) {
                abort.abort();
            }
        }
        is_cancelled
    }

    /// Answers a call of the server's own services.
    pub(super) fn answer_own(&mut self, call: CallId, answer: Answer) {
        let Some(part) = &mut self.part else {
            return;
        };
        match answer {
            Answer::Now(outcome) => {
                let answer = answer_of(outcome);
                part.membership.answer_own(call, answer, Instant::now());
            }
            Answer::Later(answer) => {
                let (abort, registration) = AbortHandle::new_pair();
                let answer = answer.map(move |outcome| (call, outcome));
                part.own
                    .push(Box::pin(Abortable::new(answer, registration)));
                part.own_aborts.insert(call, abort);
            }
        }
    }

    /// Ends the calls to the server's own services whose answers are there.
    pub(super) fn poll_own(&mut self, cx: &mut Context<'_>) {
        let Some(part) = &mut self.part else {
            return;
        };
        while let Poll::Ready(Some(answered)) = part.own.poll_next_unpin(cx) {
            if let Ok((call, outcome)) = answered {
                part.own_aborts.remove(&call);
                let answer = answer_of(outcome);
                part.membership.answer_own(call, answer, Instant::now());
            }
        }
    }

    /// Takes what the session is told next, and of the end of a call what counted it.
    pub(super) fn take(&mut self) -> Option<(ServiceEvent, Option<Work>)> {
        let part = self.part.as_deref_mut()?;
        let event = part.membership.take()?;
        let work = match &event {
            ServiceEvent::Outcome(call, outcome) => {
                let own = part.in_work.remove(call);
                own.map(|own| own.end(part.session, *call, traces::end_of(outcome)))
            }
            ServiceEvent::Call(given) => {
                traces::log_given(part.session, given);
                None
            }
            _ => None,
        };
        Some((event, work))
    }
}

fn answer_of(outcome: Outcome) -> CallAnswer {
    match outcome {
        Ok(body) => CallAnswer::Reply(Payload {
            body,
            headers: None,
        }),
        Err(error) => CallAnswer::Failed {
            code: error.code().to_string(),
            message: error.to_string(),
        },
    }
}
