//! The settings of the model: the clients, and how often each failure may occur.

use arauto::SlowPolicy;

use crate::broken::Broken;
use crate::routes::{Route, Topic, Topics};
use crate::state::SlotId;

/// The number of frames that fit between a session and a client that does not read.
pub const SOCKET: u8 = 3;

/// The number of unwritten answers at which a session stops receiving frames.
pub const MOST_UNWRITTEN: usize = 3;

/// A frame that a client sends, at any instant of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frame {
    Login,
    /// A login that resumes after this seq.
    Resume(u64),
    /// A login with the setting's cursor.
    LoginWithCursor,
    Request,
    Publish,
    /// A publish with a topic.
    Post(Topic),
    /// A publish to the user of one slot.
    Tell(SlotId),
    /// A publish with a producer's number.
    Numbered(u64),
    /// A request to add a topic to the filter.
    Subscribe(Topic),
    /// An offer of the service, for one call at a time.
    Offer,
    /// The end of the offer.
    Withdraw,
    /// A request to the service.
    Call,
    /// An answer to the oldest call that the client has read and not answered. The client sends it once
    /// there is such a call.
    Answer,
    /// Like [`Frame::Answer`], with an error of the service.
    Fail,
    /// An answer to the call with this number, whoever has it.
    AnswerTo(u64),
    Ping,
    /// An ack of the last broadcast that the client has read.
    Ack,
    /// An ack of a broadcast that is not sent yet.
    AckAhead,
    Shutdown,
    ShutdownNow,
    Fim,
}

impl Frame {
    /// Returns the route of the message that the frame publishes; `None` if it publishes nothing.
    pub fn route(self) -> Option<Route> {
        match self {
            Frame::Publish | Frame::Numbered(_) => Some(Route::Everyone),
            Frame::Post(topic) => Some(Route::Topic(topic)),
            Frame::Tell(to) => Some(Route::User(to)),
            _ => None,
        }
    }

    /// Whether the frame answers a call that the client has read.
    pub fn is_answer(self) -> bool {
        matches!(self, Frame::Answer | Frame::Fail)
    }

    /// Whether the frame is in no count of the session.
    pub fn is_uncounted(self) -> bool {
        let is_answer = self.is_answer() || matches!(self, Frame::AnswerTo(_));
        is_answer || matches!(self, Frame::Fim | Frame::Ack | Frame::AckAhead)
    }

    /// Whether answers to later frames may come before the frame's own.
    pub fn may_be_overtaken(self) -> bool {
        matches!(self, Frame::Call | Frame::Withdraw)
    }

    /// Whether the frame is a login.
    pub fn is_login(self) -> bool {
        matches!(
            self,
            Frame::Login | Frame::Resume(_) | Frame::LoginWithCursor
        )
    }
}

/// A client: its frames and its behaviour.
#[derive(Debug, Clone)]
pub struct Client {
    /// The frames that the client sends, in this order. The session may end before it reads them.
    pub frames: Vec<Frame>,
    /// Whether the client reads. If not, it is stalled, and its socket takes [`SOCKET`] frames.
    pub reads: bool,
    /// Whether the client closes the connection when it has read the end of the stream. If not, it
    /// stays until the server closes.
    pub closes: bool,
    /// Whether the connection may break, at any instant.
    pub may_break: bool,
    /// Whether the client may close its sending side and read on, at any instant.
    pub may_hang_up: bool,
    /// Whether the client is not connected in the first state. It connects at any instant, or is
    /// refused.
    pub is_late: bool,
    /// The topics of the login's filter; `None` without a filter.
    pub filter: Option<Topics>,
    /// Whether the client has the cursor in the first state.
    pub has_cursor: bool,
    /// The slot whose user the client logs in as, if it is not its own.
    pub same_user_as: Option<SlotId>,
    /// The limit of the client's offer of the service in the first state; `None` without one.
    pub offers: Option<u64>,
}

impl Client {
    /// Creates a client that is logged in, reads, and sends these frames.
    pub fn sends(frames: &[Frame]) -> Client {
        Client {
            frames: frames.to_vec(),
            reads: true,
            closes: true,
            may_break: false,
            may_hang_up: false,
            is_late: false,
            filter: None,
            has_cursor: false,
            same_user_as: None,
            offers: None,
        }
    }

    /// Makes the client read nothing.
    pub fn stalls(self) -> Client {
        Client {
            reads: false,
            ..self
        }
    }

    /// Makes the client stay until the server closes.
    pub fn stays(self) -> Client {
        Client {
            closes: false,
            ..self
        }
    }

    /// Lets the connection break at any instant.
    pub fn may_break(self) -> Client {
        Client {
            may_break: true,
            ..self
        }
    }

    /// Lets the client close its sending side at any instant.
    pub fn may_hang_up(self) -> Client {
        Client {
            may_hang_up: true,
            ..self
        }
    }

    /// Makes the client connect after the first state.
    pub fn comes_late(self) -> Client {
        Client {
            is_late: true,
            ..self
        }
    }

    /// Makes the client log in with a filter of these topics.
    pub fn filters(self, topics: &[Topic]) -> Client {
        Client {
            filter: Some(Topics::of(topics)),
            ..self
        }
    }

    /// Gives the client the cursor in the first state.
    pub fn has_cursor(self) -> Client {
        Client {
            has_cursor: true,
            ..self
        }
    }

    /// Makes the client log in as the user of another slot.
    pub fn shares_user_of(self, slot: SlotId) -> Client {
        Client {
            same_user_as: Some(slot),
            ..self
        }
    }

    /// Makes the client offer the service in the first state, for so many calls at a time.
    pub fn offers(self, limit: u64) -> Client {
        Client {
            offers: Some(limit),
            ..self
        }
    }

    /// Whether the client offers the service at some time.
    pub fn may_offer(&self) -> bool {
        self.offers.is_some() || self.has(Frame::Offer)
    }

    /// Whether the client logs in with the cursor.
    pub fn asks_for_cursor(&self) -> bool {
        self.has_cursor || self.has(Frame::LoginWithCursor)
    }

    /// Whether the client sends such a frame.
    pub fn has(&self, frame: Frame) -> bool {
        self.frames.contains(&frame)
    }
}

/// A model to check: a server that is stopped, its clients, and the failures that may occur.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    pub clients: Vec<Client>,
    /// The number of broadcasts that are in the log in the first state and were sent to no client.
    pub waiting: u64,
    pub is_journaled: bool,
    /// The number of broadcasts that the log holds; `None` for all.
    pub log_holds: Option<u64>,
    pub slow: SlowPolicy,
    /// The number of deadlines of the stop that may pass at any instant. A deadline also passes when
    /// nothing else can happen. Such a deadline reduces this number too, down to zero.
    pub early_deadlines: u8,
    /// The number of time-outs of sessions that may pass at any instant. A time-out also passes when
    /// nothing else can happen. Such a time-out reduces this number too, down to zero.
    pub early_timeouts: u8,
    /// The number of times that a session may tell its client how far the stream is, at any instant.
    pub passes: u8,
    /// The number of changes of the rules that may come, at any instant.
    pub rule_changes: u8,
    /// The number of times that the process may be killed.
    pub kills: u8,
    /// The number of panics of handlers that may occur.
    pub session_panics: u8,
    /// The number of panics of the hub that may occur.
    pub hub_panics: u8,
    /// The number of commits of the journal that may fail.
    pub disk_failures: u8,
    /// Whether a second `fim` may follow.
    pub second_fim: bool,
    /// The number of signals that may come. If there are any, the first one begins the stop in the
    /// place of `fim`.
    pub signals: u8,
    /// The broken rule; `None` for the intact rules.
    pub broken: Option<Broken>,
}

impl Setting {
    /// Creates a setting in which nothing fails.
    pub fn of(clients: Vec<Client>) -> Setting {
        Setting {
            clients,
            ..Setting::default()
        }
    }

    /// Returns the slot whose user a client logs in as.
    pub fn user(&self, at: SlotId) -> SlotId {
        self.clients[at].same_user_as.unwrap_or(at)
    }

    /// Whether the routes of broadcasts make a difference.
    pub fn has_routes(&self) -> bool {
        let is_of_feature = |client: &Client| {
            let mut routes = client.frames.iter().filter_map(|frame| frame.route());
            let is_numbered = client
                .frames
                .iter()
                .any(|frame| matches!(frame, Frame::Numbered(_)));
            client.filter.is_some() || is_numbered || routes.any(|route| route != Route::Everyone)
        };
        self.clients.iter().any(is_of_feature)
    }

    /// Whether a client offers the service.
    pub fn has_services(&self) -> bool {
        self.clients.iter().any(Client::may_offer)
    }

    /// Whether a client logs in with the cursor.
    pub fn has_cursor(&self) -> bool {
        let mut clients = self.clients.iter();
        clients.any(Client::asks_for_cursor)
    }

    /// Whether the setting breaks this rule.
    pub fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }
}
