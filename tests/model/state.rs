//! A server and its clients at one instant.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use arauto::internal::close::stop::{Input, Order};
use arauto::internal::session::{Core, JudgedContents, Verdict};
use arauto::{ExitCode, Phase, Seq, SessionId, SessionRecord};
use smallvec::SmallVec;

use crate::connection::{Io, Wait};
use crate::cursor::Cursor;
use crate::numbers::Numbers;
use crate::routes::{History, Rules};
use crate::services::Services;
use crate::shared::Shared;
use crate::signal_count::SignalCount;
use crate::supervisor::Supervisor;

/// The index of a client and its session in [`State::slots`].
pub type SlotId = usize;

/// The clock of the sessions, which stands still. A time-out is a step of its own, at the instant
/// that the session asked for.
pub static BASE: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A state of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub world: Shared<World>,
    pub slots: SmallVec<[Shared<Slot>; 3]>,
}

/// The server without its sessions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub acceptor: Acceptor,
    pub hub: Hub,
    pub supervisor: Supervisor,
    /// The operator's rules.
    pub rules: Rules,
    pub services: Services,
    /// The number of frames in work, as `close::InWork` counts them.
    pub in_work: usize,
    /// The shipped count of the signals.
    pub signals: SignalCount,
    /// The clock of the supervisor: the last deadline that has passed, or zero.
    pub now: Duration,
    /// The events that may still happen.
    pub left: EventsLeft,
}

/// The number of events of each kind that may still happen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventsLeft {
    pub fims: u8,
    pub signals: u8,
    pub early_deadlines: u8,
    pub early_timeouts: u8,
    pub session_panics: u8,
    pub hub_panics: u8,
    pub disk_failures: u8,
    pub passes: u8,
    pub rule_changes: u8,
    pub kills: u8,
}

/// The acceptor and auth. One message seals both.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acceptor {
    /// Whether the message was sent.
    pub is_told: bool,
    pub is_sealed: bool,
}

/// The hub, its log and its journal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hub {
    pub mailbox: Vec<ToHub>,
    /// The log's head: the last broadcast that readers see.
    pub head: u64,
    /// The last seq that was assigned. Without a journal, it is the same as the head.
    pub assigned: u64,
    /// The last broadcast that has fallen off the log.
    pub tail: u64,
    /// The batch that is being written to the journal.
    pub in_flight: Batch,
    /// The batch to write next.
    pub next: Batch,
    /// Whether the seal waits for the journal.
    pub is_sealing: bool,
    pub is_sealed: bool,
    /// Whether the actor is running.
    pub is_alive: bool,
    /// Whether the actor was stopped, rather than ended by a failure.
    pub was_stopped: bool,
    pub history: History,
    pub cursor: Cursor,
    pub numbers: Numbers,
}

/// The requests that are answered by the same commit of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Batch {
    pub answers: Vec<(SlotId, Answer)>,
    /// The last seq of the batch; zero if the batch is empty.
    pub last: u64,
    /// Whether the batch has the position of the cursor.
    pub has_cursor: bool,
}

/// The numbers of a client's frames that are in one run.
pub type FrameNumbers = SmallVec<[u8; 4]>;

/// A message to the hub.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ToHub {
    Publish {
        from: SlotId,
        run: FrameNumbers,
    },
    /// A run of messages with numbers.
    PublishJudged {
        from: SlotId,
        run: FrameNumbers,
        messages: Box<JudgedContents>,
    },
    Join(SlotId),
    /// A login asks for the cursor, whose head is this seq.
    OpenCursor {
        from: SlotId,
        head: u64,
    },
    Leave,
    Seal,
    Stop,
}

/// An answer of another actor to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// A run of publishes is accepted. Has the first seq of the run.
    Published(u64),
    /// The verdicts on a run of messages with numbers, which are two at most.
    Judged([Option<Verdict>; 2]),
    /// A login has the cursor, and begins behind this seq.
    Opened { begin: u64, is_new: bool },
    /// The log is sealed and takes no publish.
    LogSealed,
    /// The commit of the journal failed.
    CommitFailed,
    /// A login is accepted. Has the last seqs before and after its `joined`.
    Joined { before: u64, head: u64 },
    /// Auth refuses a login, because the server is stopping.
    LoginRefused,
    /// The status of the stop.
    StopStatus(arauto::internal::close::stop::Status),
    /// The actor that was asked has ended.
    ActorEnded,
}

/// A message to the supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ToSupervisor {
    Input(Box<Input>),
    /// A `shutdown` frame of a session, which the supervisor answers.
    Shutdown {
        from: SlotId,
        now: bool,
    },
    /// Another session has taken this session's cursor.
    Superseded(SlotId),
}

/// A client, its connection and its session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slot {
    pub connection: Connection,
    pub roster: RosterEntry,
    /// The session's record in the report.
    pub record: Option<SessionRecord>,
    /// The orders in the session's mailbox.
    pub orders: SmallVec<[Order; 2]>,
    /// The phase of an order that the session has received but not carried out.
    pub waiting: Option<Phase>,
    /// Answers to orders on their way to the supervisor, by the phases of the orders.
    pub order_answers: SmallVec<[(Phase, Box<SessionRecord>); 1]>,
    /// The shipped core, from the session's start to its end.
    pub core: Option<Box<Core>>,
    pub io: Io,
}

/// The state of a client's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Connection {
    NotConnected,
    /// Refused, because the listener was closed.
    Refused,
    /// Connected, and not accepted yet.
    AwaitsAccept,
    /// Accepted, and on its way to an arbiter. No actor holds the connection.
    HandedOver {
        is_stopping: bool,
    },
    /// The connection's session was started. It may have ended.
    SessionStarted,
}

/// The entry of a session in the supervisor's roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RosterEntry {
    NotListed,
    SessionOpen,
    SessionEnded,
}

/// Returns the id of the session in a slot. Ids begin with 1, as 0 is the server itself.
pub fn id(at: SlotId) -> SessionId {
    SessionId(at as u64 + 1)
}

/// Returns the slot of a session.
pub fn slot_of(session: SessionId) -> SlotId {
    usize::try_from(session.0 - 1).expect("session ids follow the indexes of slots")
}

impl World {
    /// Returns the phase of the stop; `None` before the stop.
    pub fn phase(&self) -> Option<Phase> {
        self.supervisor.machine.phase()
    }

    /// Returns the log's head.
    pub fn head(&self) -> Seq {
        Seq(self.hub.head)
    }

    /// Sends a message to the hub. A hub that has ended gets none.
    pub fn tell_hub(&mut self, message: ToHub) {
        if self.hub.is_alive {
            self.hub.mailbox.push(message);
        }
    }

    /// Sends an input of the stop machine to the supervisor's mailbox.
    pub fn send_input(&mut self, input: Input) {
        let input = ToSupervisor::Input(Box::new(input));
        self.supervisor.mailbox.push(input);
    }

    /// Returns the exit code, once the stop is over.
    pub fn exit(&self) -> Option<ExitCode> {
        self.supervisor.exit
    }
}

impl Slot {
    /// Whether the session has ended.
    pub fn is_over(&self) -> bool {
        self.connection == Connection::SessionStarted && self.core.is_none()
    }

    /// Whether the server has accepted the connection. The session exists, has ended, or will be
    /// started.
    pub fn is_accepted(&self) -> bool {
        matches!(
            self.connection,
            Connection::SessionStarted | Connection::HandedOver { .. }
        )
    }
}

impl State {
    /// Gives another actor's answer to the session's oldest work that waits for that actor. Has no
    /// effect if no work waits. A login with the cursor asks for it once it is announced.
    pub fn give(&mut self, at: SlotId, answer: Answer) {
        if let Answer::Joined { head, .. } = answer
            && let Some(login) = self.slots[at].io.login_for_cursor()
        {
            login.wait = Wait::Hub;
            return match self.world.hub.is_alive {
                true => self.world.tell_hub(ToHub::OpenCursor { from: at, head }),
                false => self.slots[at].io.take_answer(Answer::ActorEnded),
            };
        }
        self.slots[at].io.take_answer(answer);
    }
}
