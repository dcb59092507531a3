//! Calls, and what sessions are told of them.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::wire::{Body, Headers};

/// The number of a call: unique in a server, and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The body of a call or of its reply, with its headers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Payload {
    /// Text or bytes.
    pub body: Body<'static>,
    /// The headers, which are passed on unchanged.
    pub headers: Option<Headers<'static>>,
}

impl Payload {
    /// Returns the bytes of the body and the headers.
    pub fn bytes(&self) -> usize {
        let headers = self.headers.as_ref().map_or(0, Headers::bytes);
        self.body.as_bytes().len() + headers
    }
}

/// A call that a session makes.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCall<'a> {
    /// The service's name.
    pub service: &'a str,
    /// The request.
    pub payload: Payload,
    /// The moment of the call.
    pub made_at: Instant,
    /// Until when an answer counts.
    pub deadline: Instant,
}

/// The answer of a responder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CallAnswer {
    /// The reply.
    Reply(Payload),
    /// The service's own error.
    Failed {
        /// The service's code for it.
        code: String,
        /// The message, for people.
        message: String,
    },
    /// The call does not fit into a frame for the responder, which has not seen it.
    TooLong,
}

/// The end of a call, for its caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CallOutcome {
    /// A responder's answer.
    Answered {
        /// The responder's user.
        from: Arc<str>,
        /// The answer.
        answer: CallAnswer,
    },
    /// No answer comes.
    Unavailable(Unavailability),
}

/// Why no answer to a call comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unavailability {
    /// The call was never sent to a responder.
    #[error("no session offers this service")]
    NotOffered,
    /// The call may have been done.
    #[error("the session that had the call ended before it answered")]
    ResponderEnded,
    /// The call was done.
    #[error("the reply was dropped, because too many replies of this session were not read")]
    ReplyDropped,
}

/// Why a call was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CallRefusal {
    /// No session offers the service.
    #[error("no session offers this service")]
    NotOffered,
    /// The session has this many calls in work, and may have no more.
    #[error("{0} calls of this session are in work")]
    CallerLimit(usize),
    /// This many calls wait for a free responder, and no more may wait.
    #[error("{0} calls wait for a free session that offers this service")]
    WaitingLimit(usize),
    /// The calls that wait have too many bytes together.
    #[error("the calls that wait for this service have too many bytes")]
    WaitingBytes,
}

/// Something that a session is told.
#[derive(Debug, Clone, PartialEq)]
pub enum ServiceEvent {
    /// A call is the session's to answer.
    Call(Box<GivenCall>),
    /// The session holds this call no longer: no caller waits for its answer.
    Cancelled(CallId),
    /// The session's own call has ended.
    Outcome(CallId, CallOutcome),
    /// A service that the session offered is withdrawn.
    Withdrawn {
        /// The service's name.
        service: Arc<str>,
        /// The id of the frame that asked for it; `None` if an operator's rule did.
        id: Option<u64>,
    },
}

/// A call, for the session that is to answer it.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenCall {
    /// The call's number.
    pub call: CallId,
    /// The service's name.
    pub service: Arc<str>,
    /// The caller's user.
    pub from: Arc<str>,
    /// The request.
    pub payload: Payload,
    /// Until when an answer counts.
    pub deadline: Instant,
}
