//! The start of a run of the model: the clients, the possible failures, and how often they occur.

use arauto::SlowPolicy;

use crate::broken::Broken;

/// How many frames fit between a session and a client that does not read.
pub const SOCKET: u8 = 3;

/// A client with so many answers unwritten is not read from.
pub const ROOM: usize = 3;

/// A frame that a client sends, at any instant of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frame {
    Login,
    /// A login that resumes behind this seq.
    Resume(u64),
    Request,
    Publish,
    Ping,
    /// The last broadcast that the client has read.
    Ack,
    /// An ack of a broadcast that was not sent yet.
    AckAhead,
    Shutdown,
    ShutdownNow,
    Fim,
}

/// The other end of a connection.
#[derive(Debug, Clone)]
pub struct Client {
    /// In this order; each may also come too late to be read.
    pub frames: Vec<Frame>,
    /// One that does not is stalled: its socket takes [`SOCKET`] frames.
    pub reads: bool,
    /// Whether it closes once it has read the end. Another one stays until the server closes.
    pub closes: bool,
    /// Whether its connection may break, at any instant.
    pub may_break: bool,
    /// Whether it may close its sending side and read on, at any instant.
    pub may_hang_up: bool,
    /// Not there yet: it connects at any instant, or finds the door closed.
    pub is_late: bool,
}

impl Client {
    /// One who is logged in, reads, and sends these.
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

    pub fn stalls(self) -> Client {
        Client {
            reads: false,
            ..self
        }
    }

    pub fn stays(self) -> Client {
        Client {
            closes: false,
            ..self
        }
    }

    pub fn may_break(self) -> Client {
        Client {
            may_break: true,
            ..self
        }
    }

    pub fn may_hang_up(self) -> Client {
        Client {
            may_hang_up: true,
            ..self
        }
    }

    pub fn comes_late(self) -> Client {
        Client {
            is_late: true,
            ..self
        }
    }

    pub fn has(&self, frame: Frame) -> bool {
        self.frames.contains(&frame)
    }
}

/// The model: a server that will be stopped, its clients, and how much may go wrong.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    pub clients: Vec<Client>,
    /// Broadcasts that are in the log at the beginning and that nobody has been sent.
    pub waiting: u64,
    pub is_journaled: bool,
    /// How many broadcasts the log holds; `None` is all.
    pub log_holds: Option<u64>,
    pub slow: SlowPolicy,
    /// Deadlines of the stop that may pass at any instant. Where nothing else can happen one
    /// passes in any case.
    pub early_deadlines: u8,
    /// The same for the sessions' own time-outs.
    pub early_timeouts: u8,
    pub session_panics: u8,
    pub hub_panics: u8,
    /// Batches that the journal does not take.
    pub disk_failures: u8,
    pub second_fim: bool,
    pub second_signal: bool,
    pub broken: Option<Broken>,
}

impl Setting {
    pub fn of(clients: Vec<Client>) -> Setting {
        Setting {
            clients,
            ..Setting::default()
        }
    }

    pub fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }
}
