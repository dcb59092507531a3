//! The inputs of the stop machine.

use std::time::Duration;

use crate::close::{
    Component, Phase, RecentRoutes, SessionFilter, SessionRecord, StopReason, SubscribeRules,
    Trouble,
};
use crate::wire::{Seq, SessionId};

/// The circumstances under which an input arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The time since the stop began; zero before that.
    pub time: Duration,
    /// The log's head.
    pub head: Seq,
}

/// How much time a stop may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Haste {
    /// The planned time. Repeating it changes nothing.
    AsPlanned,
    /// The planned time at first; when repeated, 1 s from then on.
    Insist,
    /// No time to drain.
    Now,
}

/// How the store, and the threads of the sessions, ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoreClosed {
    /// The problems.
    pub trouble: Vec<Trouble>,
    /// Whether the store's thread has panicked.
    pub has_panicked: bool,
}

/// A live session, as far as it can be seen without asking it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObservedSession {
    /// Its number.
    pub session: SessionId,
    /// Its user, once it has logged in.
    pub user: Option<String>,
    /// The listener that accepted it.
    pub endpoint: String,
    /// Its broadcasts begin after this seq; `None` if it gets none.
    pub after: Option<Seq>,
    /// The last broadcast that was written to it.
    pub sent: Seq,
    /// Its choice of broadcasts, without the patterns.
    pub filter: Option<SessionFilter>,
    /// The operator's rules about what it receives.
    pub rules: Option<SubscribeRules>,
}

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input {
    /// A session has started.
    Opened(SessionId),
    /// A session has ended.
    Ended {
        /// Its last record.
        record: SessionRecord,
        /// Whether its connection failed for a reason on the server's side.
        has_failed: bool,
    },
    /// The server is to stop. The first reason counts.
    Stop {
        /// The reason.
        reason: StopReason,
        /// How much time the stop may take.
        haste: Haste,
    },
    /// An actor or thread that the server depends on has panicked.
    Failed(Component),
    /// [`Effect::Begin`](super::Effect::Begin) is done.
    Begun,
    /// Nothing is accepted any more, and every session that was accepted is known.
    ListenersSealed,
    /// A session has carried out the order of `phase`, or is gone.
    Answered {
        /// The session.
        session: SessionId,
        /// The phase in which the order was given.
        phase: Phase,
        /// The session's record; `None` if the session ended without an answer.
        record: Option<SessionRecord>,
    },
    /// No accepted request is in work.
    RequestsIdle,
    /// The log takes no more broadcasts: its final head, or `None` if the hub is gone.
    LogSealed(Option<Seq>),
    /// The hub and auth have stopped.
    ActorsStopped,
    /// The store is closed, and the threads have ended.
    StoreClosed(StoreClosed),
    /// The answer to [`Effect::Observe`](super::Effect::Observe).
    Observed {
        /// Every live session.
        sessions: Vec<ObservedSession>,
        /// The trouble of each part that is still being closed.
        unclosed: Vec<Trouble>,
        /// The routes of the newest broadcasts.
        routes: RecentRoutes,
    },
    /// Time has passed; sent when the machine's deadline is reached.
    Tick,
}
