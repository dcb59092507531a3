//! The whole of a server and its clients, at one instant.

use std::time::Duration;

use crate::broken::Deviation;
use crate::close::stop::{Input, Moment, StopMachine};
use crate::close::{CloseReason, ExitCode, Phase, SessionRecord};
use crate::setting::{Frame, Setting};
use crate::wire::{self, SessionId};

/// A place in [`State::slots`]: a client and its session.
pub type SlotId = usize;
pub type Seq = u8;

/// The time that the stop may take.
const TOTAL: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub acceptor: Acceptor,
    pub hub: Hub,
    pub supervisor: Supervisor,
    pub slots: Vec<SessionSlot>,
    /// `close::InWork`'s count.
    pub in_work: u8,
    pub left: Left,
}

/// The events that may still happen by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Left {
    pub fims: u8,
    pub signals: u8,
    pub early_deadlines: u8,
    pub session_panics: u8,
    pub hub_panics: u8,
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
    /// The log's head. What is pushed is shown at once.
    pub head: Seq,
    pub is_sealed: bool,
    pub is_alive: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToHub {
    Publish(SlotId),
    Join(SlotId),
    Leave,
    Seal,
    Stop,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Supervisor {
    pub mailbox: Vec<Input>,
    /// The shipped decisions.
    pub machine: StopMachine<Deviation>,
    /// The time since the stop began: that of the last deadline that has passed.
    pub now: Duration,
    pub barrier: Barrier,
    /// The machine is to hear when nothing is in work.
    pub awaits_requests: bool,
    /// The machine is to hear when the hub has stopped.
    pub stops_actors: bool,
    /// The phases that are over: for the properties alone, as all that follows.
    pub lines: Vec<Phase>,
    /// Whether any phase ended by its deadline.
    pub was_late: bool,
    /// Whether `requests` ended in time with a frame in work.
    pub overlooked_work: bool,
    pub exit: Option<ExitCode>,
    /// Whether the report says that the log or the listeners were not sealed.
    pub has_guessed: bool,
}

/// How far the seal has come: what must be awaited before the roster is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Barrier {
    /// The acceptor's answer to its `Seal`.
    Doors,
    /// The connection that was handed over has started.
    Arbiters,
    /// The answer goes through the supervisor's own mailbox.
    Settling,
    Passed,
}

/// A client, its connection and its session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionSlot {
    pub connection: Connection,
    pub roster: Roster,
    /// The session's record in the report.
    pub record: Option<SessionRecord>,
    pub session: Session,
    /// Frames in the socket that the client has not read.
    pub unread: u8,
    /// The client is gone.
    pub is_gone: bool,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Session {
    pub place: Place,
    pub orders: Vec<Order>,
    pub pending: Option<Pending>,
    /// The fate of each frame of the client: for the properties alone.
    pub fates: Vec<Fate>,
    pub tally: Tally,
    /// The frames that were queued for the client, except for the broadcasts.
    pub outbox: Vec<Item>,
    /// How many of these are written.
    pub written: u8,
    /// The broadcasts that it has to get begin behind this.
    pub after: Seq,
    /// The last broadcast written to it.
    pub cursor: Seq,
    pub follows: bool,
    /// Whether the hub has still to be told when it is over.
    pub is_member: bool,
    pub is_broken: bool,
    /// The order that waits for it to be drained, or closed.
    pub waiting: Option<Phase>,
    /// Answers to orders, each on its way to the supervisor.
    pub told: Vec<(Phase, SessionRecord)>,
    /// How far its broadcasts were promised, where it ended by itself: for the
    /// properties alone.
    pub promised: Option<Seq>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Absent,
    Greeting,
    LoggingIn,
    Ready,
    Ending(Ending),
    Closed { reason: CloseReason, owed: Owed },
}

/// The broadcasts that a session has still to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owed {
    Nothing,
    UpTo(Seq),
    UpToHead,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ending {
    pub reason: CloseReason,
    pub step: EndingStep,
    pub failed_in_stop: bool,
    pub is_ordered: bool,
    pub may_linger: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndingStep {
    Refusing,
    ToCut(Seq),
    Goodbye,
    Lingering,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    Announce,
    Drain(Seq),
    Close,
    Finish,
}

impl Order {
    pub fn phase(self) -> Phase {
        match self {
            Order::Announce => Phase::Announce,
            Order::Drain(_) => Phase::Drain,
            Order::Close => Phase::Close,
            Order::Finish => Phase::Actors,
        }
    }
}

/// The one frame that is in work: its number, and what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pending {
    pub frame: u8,
    pub wait: Wait,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wait {
    /// A handler's future: it may be done at any instant.
    Handler,
    Auth,
    Hub,
    Answer(Answer),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    Published,
    Sealed,
    Joined(Seq),
    Stopping,
    /// The actor that was asked is gone.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    Unread,
    InWork,
    /// Answered in any way but with the error `stopping`.
    Answered,
    Refused,
    /// Read, and needs no answer.
    Taken,
    /// Admitted though its session's cut was made.
    BehindCut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tally {
    pub accepted: u8,
    pub answered: u8,
    pub refused: u8,
}

/// A frame to the client. The numbers are those of the frames that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Item {
    Answer(u8),
    Refusal(u8),
    Stopping,
    /// An error that ends the session.
    Failure,
    Closing {
        accepted: u8,
        refused: u8,
    },
}

pub fn id(at: SlotId) -> SessionId {
    SessionId(at as u64)
}

pub fn seq(number: Seq) -> wire::Seq {
    wire::Seq(number.into())
}

impl State {
    pub fn begin(setting: &Setting) -> State {
        let slot = |client: &crate::setting::Client| SessionSlot {
            connection: match client.is_late {
                true => Connection::Outside,
                false => Connection::Seated,
            },
            roster: match client.is_late {
                true => Roster::Unknown,
                false => Roster::Live,
            },
            record: None,
            session: Session::begin(&client.frames, client.is_late),
            unread: 0,
            is_gone: false,
        };
        State {
            acceptor: Acceptor {
                is_told: false,
                is_sealed: false,
            },
            hub: Hub {
                mailbox: Vec::new(),
                head: setting.waiting,
                is_sealed: false,
                is_alive: true,
            },
            supervisor: Supervisor::begin(setting),
            slots: setting.clients.iter().map(slot).collect(),
            in_work: 0,
            left: Left {
                fims: 1 + u8::from(setting.second_fim),
                signals: u8::from(setting.second_signal),
                early_deadlines: setting.early_deadlines,
                session_panics: setting.session_panics,
                hub_panics: setting.hub_panics,
            },
        }
    }
}

impl Supervisor {
    fn begin(setting: &Setting) -> Supervisor {
        let mut machine = StopMachine::new(TOTAL, Deviation(setting.broken));
        let head = seq(setting.waiting);
        let time = Duration::ZERO;
        for (at, client) in setting.clients.iter().enumerate() {
            if !client.is_late {
                machine.handle(Input::Opened(id(at)), Moment { time, head });
            }
        }
        Supervisor {
            mailbox: Vec::new(),
            machine,
            now: Duration::ZERO,
            barrier: Barrier::Doors,
            awaits_requests: false,
            stops_actors: false,
            lines: Vec::new(),
            was_late: false,
            overlooked_work: false,
            exit: None,
            has_guessed: false,
        }
    }

    pub fn phase(&self) -> Option<Phase> {
        self.machine.phase()
    }
}

impl Session {
    fn begin(frames: &[Frame], is_late: bool) -> Session {
        Session {
            place: match is_late {
                true => Place::Absent,
                false => Place::Ready,
            },
            orders: Vec::new(),
            pending: None,
            fates: vec![Fate::Unread; frames.len()],
            tally: Tally::default(),
            outbox: Vec::new(),
            written: 0,
            after: 0,
            cursor: 0,
            follows: !is_late,
            is_member: !is_late,
            is_broken: false,
            waiting: None,
            told: Vec::new(),
            promised: None,
        }
    }

    /// The next frame that the client sends.
    pub fn next_frame(&self) -> Option<usize> {
        self.fates.iter().position(|fate| *fate == Fate::Unread)
    }

    pub fn is_closed(&self) -> bool {
        matches!(self.place, Place::Closed { .. })
    }

    pub fn is_there(&self) -> bool {
        !matches!(self.place, Place::Closed { .. } | Place::Absent)
    }
}
