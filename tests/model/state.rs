//! The whole of a server and its clients, at one instant.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use arauto::internal::close::stop::{Input, Order};
use arauto::internal::session::Core;
use arauto::{ExitCode, Phase, Seq, SessionId, SessionRecord};
use smallvec::SmallVec;

use crate::connection::Io;
use crate::shared::Shared;
use crate::supervisor::Supervisor;

/// The place of a client and its session in [`State::slots`].
pub type SlotId = usize;

/// The time of the sessions, which stands still: a time-out passes as a step of its own, at the
/// instant for which the session asked.
pub static BASE: LazyLock<Instant> = LazyLock::new(Instant::now);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub world: Shared<World>,
    pub slots: SmallVec<[Shared<Slot>; 3]>,
}

/// Everything but the sessions and their clients.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub acceptor: Acceptor,
    pub hub: Hub,
    pub supervisor: Supervisor,
    /// `close::InWork`'s count.
    pub in_work: usize,
    /// The time since the stop began, or since the model began: that of the last deadline that
    /// has passed.
    pub now: Duration,
    pub left: Left,
}

/// The events that may still happen by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Left {
    pub fims: u8,
    pub signals: u8,
    pub early_deadlines: u8,
    pub early_timeouts: u8,
    pub session_panics: u8,
    pub hub_panics: u8,
    pub disk_failures: u8,
}

/// The acceptor, and auth beside it: one message seals both.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acceptor {
    pub is_told: bool,
    pub is_sealed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hub {
    pub mailbox: Vec<ToHub>,
    /// The log's head: the last broadcast that readers see.
    pub head: u64,
    /// The last seq that was assigned. Without a journal that is the head.
    pub assigned: u64,
    /// The last broadcast that has fallen off the log.
    pub tail: u64,
    /// The batch that is being written to the journal, and the one behind it.
    pub in_flight: Batch,
    pub next: Batch,
    /// Whether the seal waits for the journal.
    pub is_sealing: bool,
    pub is_sealed: bool,
    pub is_alive: bool,
}

/// Requests that are answered when the journal has their broadcasts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Batch {
    pub answers: Vec<(SlotId, Answer)>,
    /// The last seq of the batch; zero where it is empty.
    pub last: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToHub {
    Publish { from: SlotId, frames: usize },
    Join(SlotId),
    Leave,
    Seal,
    Stop,
}

/// An answer of another actor to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The first seq of a run.
    Published(u64),
    Sealed,
    Unwritten,
    Joined {
        before: u64,
        head: u64,
    },
    Stopping,
    /// Where the stop is.
    Status(arauto::internal::close::stop::Status),
    /// The actor that was asked is gone.
    Gone,
}

/// A message to the supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ToSupervisor {
    Input(Box<Input>),
    /// A session's `shutdown`, which is answered.
    Shutdown {
        from: SlotId,
        now: bool,
    },
}

/// A client, its connection and its session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slot {
    pub connection: Connection,
    pub roster: Roster,
    /// The session's record in the report.
    pub record: Option<SessionRecord>,
    /// The session's mailbox.
    pub orders: SmallVec<[Order; 2]>,
    /// The order that the session has not carried out yet.
    pub waiting: Option<Phase>,
    /// Answers to orders, each on its way to the supervisor.
    pub told: SmallVec<[(Phase, Box<SessionRecord>); 1]>,
    /// The shipped decisions, from the session's start to its end.
    pub core: Option<Box<Core>>,
    pub io: Io,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Connection {
    Outside,
    /// The door was closed.
    Refused,
    /// Connected, and not accepted yet.
    Waiting,
    /// Accepted, and on its way to an arbiter: nowhere.
    HandedOver {
        is_stopping: bool,
    },
    Seated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Roster {
    Unknown,
    Live,
    Over,
}

pub fn id(at: SlotId) -> SessionId {
    SessionId(at as u64)
}

pub fn place(session: SessionId) -> SlotId {
    usize::try_from(session.0).expect("it is a place")
}

impl World {
    pub fn phase(&self) -> Option<Phase> {
        self.supervisor.machine.phase()
    }

    /// The log's head.
    pub fn head(&self) -> Seq {
        Seq(self.hub.head)
    }

    pub fn tell_hub(&mut self, message: ToHub) {
        if self.hub.is_alive {
            self.hub.mailbox.push(message);
        }
    }

    /// Something for the supervisor's mailbox.
    pub fn happened(&mut self, input: Input) {
        let input = ToSupervisor::Input(Box::new(input));
        self.supervisor.mailbox.push(input);
    }

    pub fn exit(&self) -> Option<ExitCode> {
        self.supervisor.exit
    }
}

impl Slot {
    /// Whether the session has ended.
    pub fn is_over(&self) -> bool {
        self.connection == Connection::Seated && self.core.is_none()
    }

    /// Whether the client was let in: its session exists, did, or will.
    pub fn is_let_in(&self) -> bool {
        matches!(
            self.connection,
            Connection::Seated | Connection::HandedOver { .. }
        )
    }
}

impl State {
    /// The answer of another actor to the oldest work that waits for one; nobody may wait for
    /// it any more.
    pub fn give(&mut self, at: SlotId, answer: Answer) {
        self.slots[at].io.take_answer(answer);
    }
}
