//! The settings of the model: the clients, and how often each failure may occur.

use arauto::SlowPolicy;

use crate::broken::Broken;

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
    Request,
    Publish,
    Ping,
    /// An ack of the last broadcast that the client has read.
    Ack,
    /// An ack of a broadcast that is not sent yet.
    AckAhead,
    Shutdown,
    ShutdownNow,
    Fim,
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

    /// Whether the setting breaks this rule.
    pub fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }
}
