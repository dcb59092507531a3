//! The whole of a server and its clients, at one instant.

use arauto::{CloseReason, Evidence, ExitCode, Phase};

use crate::setting::{Frame, Setting};

/// A place in [`State::seats`]: a client and its session.
pub type SeatId = usize;
pub type Seq = u8;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub acceptor: Acceptor,
    pub hub: Hub,
    pub supervisor: Supervisor,
    pub seats: Vec<Seat>,
    /// `close::InWork`'s count.
    pub in_work: u8,
    pub left: Left,
}

/// What may still happen of itself.
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
    Publish(SeatId),
    Join(SeatId),
    Leave,
    Seal,
    Stop,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Supervisor {
    pub mailbox: Vec<ToSupervisor>,
    pub barrier: Barrier,
    /// The phase that the drive is in; before the stop none.
    pub phase: Option<Phase>,
    /// The phases that are over.
    pub lines: Vec<Phase>,
    /// The sessions whose answers to the phase's order are awaited, as bits.
    pub awaited: u8,
    /// The head that the hub has answered its `Seal` with.
    pub head: Option<Seq>,
    /// The sessions have finished: the hub is told to stop.
    pub stops_hub: bool,
    pub is_forced: bool,
    pub has_fallen: bool,
    pub has_trouble: bool,
    /// Whether any phase ended by its deadline: for the properties alone.
    pub was_late: bool,
    /// Whether `requests` ended in time with a frame in work: for the properties alone.
    pub overlooked_work: bool,
    pub exit: Option<ExitCode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToSupervisor {
    Stop(Haste),
    Opened(SeatId),
    Ended(SeatId, Record),
    Fallen,
    Settle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Haste {
    AsPlanned,
    Insist,
}

/// How far the seal has come: what must be awaited before the roster is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Barrier {
    /// The acceptor's answer to its `Seal`.
    Doors,
    /// What was handed over has started.
    Arbiters,
    /// `Settle` has gone through the supervisor's own mailbox.
    Settling,
    Passed,
}

/// A client, its connection and its session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seat {
    pub connection: Connection,
    pub roster: Roster,
    /// The last word of the session that the roster has.
    pub record: Option<Record>,
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
    /// What became of each frame of the client: for the properties alone.
    pub fates: Vec<Fate>,
    pub tally: Tally,
    /// What was queued for the client, but for the broadcasts.
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
    /// Who waits for it to be drained, or closed.
    pub waiting: Option<Phase>,
    /// An answer on its way to the drive.
    pub told: Option<Record>,
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

/// What a session says of itself: `close::SessionRecord`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Record {
    pub reason: CloseReason,
    pub tally: Tally,
    pub cut: Seq,
    pub sent: Seq,
    pub missing: Option<(Seq, Seq)>,
    pub evidence: Evidence,
    pub is_owed_head: bool,
    /// Whether it was said when the session was closed: for the properties alone.
    pub is_last: bool,
}

impl Record {
    /// A word from before the log was sealed did not know where its head would be.
    pub fn hold_to(&mut self, head: Seq) {
        if self.is_owed_head {
            self.cut = head;
            self.missing = (self.sent < head).then_some((self.sent + 1, head));
        }
    }

    pub fn is_whole(&self) -> bool {
        self.reason == CloseReason::Lost
            || (self.tally.accepted == self.tally.answered
                && self.missing.is_none()
                && self.evidence >= Evidence::KernelAcked)
    }
}

impl State {
    pub fn begin(setting: &Setting) -> State {
        let seat = |client: &crate::setting::Client| Seat {
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
            supervisor: Supervisor::begin(),
            seats: setting.clients.iter().map(seat).collect(),
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
    fn begin() -> Supervisor {
        Supervisor {
            mailbox: Vec::new(),
            barrier: Barrier::Doors,
            phase: None,
            lines: Vec::new(),
            awaited: 0,
            head: None,
            stops_hub: false,
            is_forced: false,
            has_fallen: false,
            has_trouble: false,
            was_late: false,
            overlooked_work: false,
            exit: None,
        }
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
            told: None,
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
