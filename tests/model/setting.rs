//! The start of a run of the model: the clients, the possible failures, and how often they occur.

use crate::broken::Broken;

/// How many frames fit between a session and a client that does not read.
pub const SOCKET: u8 = 3;

/// A frame that a client sends, at any instant of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frame {
    Login,
    Request,
    Publish,
    Fim,
}

/// The other end of a connection.
#[derive(Debug, Clone)]
pub struct Client {
    /// In this order; each may also come too late to be read.
    pub frames: Vec<Frame>,
    /// One that does not is stalled: its socket takes [`SOCKET`] frames.
    pub reads: bool,
    /// Whether its connection may break, at any instant.
    pub may_break: bool,
    /// Not there yet: it connects at any instant, or finds the door closed.
    pub is_late: bool,
}

impl Client {
    /// One who is logged in, reads, and sends these.
    pub fn sends(frames: &[Frame]) -> Client {
        Client {
            frames: frames.to_vec(),
            reads: true,
            may_break: false,
            is_late: false,
        }
    }

    pub fn stalls(self) -> Client {
        Client {
            reads: false,
            ..self
        }
    }

    pub fn may_break(self) -> Client {
        Client {
            may_break: true,
            ..self
        }
    }

    pub fn comes_late(self) -> Client {
        Client {
            is_late: true,
            ..self
        }
    }
}

/// The model: a server that will be stopped, its clients, and how much may go wrong.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    pub clients: Vec<Client>,
    /// Broadcasts that are in the log at the beginning and that nobody has been sent.
    pub waiting: u8,
    /// Deadlines that may pass at any instant. Where nothing else can happen one
    /// passes in any case.
    pub early_deadlines: u8,
    pub session_panics: u8,
    pub hub_panics: u8,
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
