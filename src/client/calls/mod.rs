//! The calls that a session has been given to answer.
//!
//! Each call is answered by a task of its own, so that the reading side never waits for a handler.
//!
//! Invariants:
//! - a call is in work from its frame until its answer has a place in the queue of the writing side,
//!   it is cancelled, or the session ends. Then its handler's future has ended or is dropped;
//! - of one offer no more calls are in work than its limit, whatever the server sends;
//! - each call is answered at most once, and never with a frame that is too long: that would end the
//!   session.

mod table;

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use self::table::{CallTable, WorkEntry};
use super::offer::call::{Call, CallError, CallHandler, CallResult};
use crate::wire::quote::{LONGEST_TEXT, QUOTED, limited};
use crate::wire::{AnswerError, AnswerFrame, CallFrame, ClientFrame, cbor};

/// The offers of a session, and its calls in work.
pub(super) struct SessionCalls {
    table: Arc<Mutex<CallTable>>,
    /// Weak, as a session ends when nobody can ask any more.
    outgoing: mpsc::WeakSender<Vec<u8>>,
    max_frame: usize,
}

impl SessionCalls {
    pub(super) fn new(outgoing: mpsc::WeakSender<Vec<u8>>, max_frame: usize) -> SessionCalls {
        SessionCalls {
            table: Arc::default(),
            outgoing,
            max_frame,
        }
    }

    /// Gives the calls of a service to this handler from now on. Returns what resolves with `Ok` when
    /// the server withdraws the offer unasked. `None`: the service has a handler already.
    pub(super) fn add_offer(
        &self,
        service: &str,
        handler: CallHandler,
        limit: usize,
    ) -> Option<oneshot::Receiver<()>> {
        self.table.lock().add_offer(service, handler, limit)
    }

    /// Takes no further calls of a service.
    pub(super) fn remove_offer(&self, service: &str) {
        drop(self.table.lock().remove_offer(service));
    }

    /// Notes that the server has withdrawn an offer unasked.
    pub(super) fn note_withdrawn(&self, service: &str) {
        let offer = self.table.lock().remove_offer(service);
        if let Some(withdrawn) = offer {
            let _ = withdrawn.send(()); // the offer's task may have ended
        }
    }

    /// Begins to answer a call. It must be called on a tokio runtime.
    pub(super) fn begin(&self, frame: CallFrame<'_>) {
        let Some(outgoing) = self.outgoing.upgrade() else {
            return; // the session is ending
        };
        let number = frame.call;
        let began = self.table.lock().begin(number, &frame.service);
        let handler = match began {
            Ok(handler) => handler,
            Err(refusal) => {
                let bytes = encoded(number, Err(refusal), self.max_frame);
                let _ = outgoing.try_send(bytes); // a server that floods the client gets no answers
                return;
            }
        };
        let entry = WorkEntry::new(Arc::clone(&self.table), number);
        let call = Call::of(frame);
        let task = tokio::spawn(answer(handler, call, entry, outgoing, self.max_frame));
        self.table.lock().set_task(number, task.abort_handle());
    }

    /// Drops the work for a call that nobody waits for.
    pub(super) fn cancel(&self, call: u64) {
        let task = self.table.lock().end(call);
        if let Some(task) = task {
            task.abort();
        }
    }

    /// Drops all work, and the offers: the session has ended.
    pub(super) fn finish(&self) {
        let (offers, tasks) = self.table.lock().clear();
        drop(offers);
        tasks.iter().for_each(tokio::task::AbortHandle::abort);
    }
}

impl fmt::Debug for SessionCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCalls")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

/// Answers one call.
async fn answer(
    handler: CallHandler,
    call: Call,
    entry: WorkEntry,
    outgoing: mpsc::Sender<Vec<u8>>,
    max_frame: usize,
) {
    let result = catch_panic(async move { handler(call).await }).await;
    let bytes = encoded(entry.number(), result, max_frame);
    let Ok(place) = outgoing.reserve().await else {
        return; // the session has ended
    };
    // Before the answer is sent: the server may send the next call right behind it.
    drop(entry);
    place.send(bytes);
}

/// Runs a handler. A panic becomes an error of the service.
async fn catch_panic(answer: impl Future<Output = CallResult>) -> CallResult {
    let mut answer = std::pin::pin!(answer);
    poll_fn(|cx| {
        // A future that has panicked is not polled again, and nothing else sees what it changed.
        let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| {
            let error = CallError::new("panic", "the service's program panicked");
            Poll::Ready(Err(error))
        })
    })
    .await
}

/// Returns the bytes of an answer. One that the server would not take becomes an error.
fn encoded(call: u64, result: CallResult, max_frame: usize) -> Vec<u8> {
    let result = result.map_err(|error| answer_error(&error)).map(|reply| {
        let (body, headers) = reply.into_parts();
        (body, (!headers.is_empty()).then_some(headers))
    });
    let answer = AnswerFrame { call, result };
    if let Err(error) = answer.check() {
        return refused(call, "bad-value", error.message);
    }
    let bytes = frame_bytes(answer);
    let length = bytes.len() - cbor::PREFIX;
    if length <= max_frame {
        return bytes;
    }
    let problem = format!("the reply's frame has {length} bytes, and {max_frame} are allowed");
    refused(call, "reply-too-long", problem)
}

fn refused(call: u64, code: &'static str, problem: String) -> Vec<u8> {
    let error = answer_error(&CallError::new(code, problem));
    frame_bytes(AnswerFrame {
        call,
        result: Err(error),
    })
}

fn answer_error(error: &CallError) -> AnswerError<'static> {
    AnswerError {
        code: limited(error.code(), QUOTED).into(),
        message: limited(error.message(), LONGEST_TEXT).into(),
    }
}

fn frame_bytes(answer: AnswerFrame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    cbor::encode(&ClientFrame::Answer(answer), &mut bytes);
    bytes
}

#[cfg(test)]
mod tests;
