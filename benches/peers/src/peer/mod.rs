//! The systems that are compared, and how a client speaks to each.

pub mod arauto;
pub mod jetstream;
mod mosquitto;
mod nats;
mod redis;
pub mod services;
pub mod topics;
pub mod uniform;

use std::fs::File;
use std::io::{Read, Write};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::meter::{self, Count, Grammar};
use crate::net::Socket;
use uniform::Uniform;

/// How the frames of any of the systems follow one another. An enum, so that the timed
/// loops call no function through a table.
#[derive(Debug)]
pub enum AnyGrammar {
    /// Frames of one length.
    Uniform(Uniform),
    /// arauto's broadcasts.
    Arauto(arauto::Stream),
    /// JetStream's acknowledgements.
    JetStream(jetstream::Acknowledgements),
}

/// Counts what any of the systems sends.
pub type Meter = meter::Meter<AnyGrammar>;

impl From<Uniform> for Meter {
    fn from(frames: Uniform) -> Meter {
        Meter::new(AnyGrammar::Uniform(frames))
    }
}

impl Grammar for AnyGrammar {
    fn leap(&mut self, bytes: &[u8], count: &mut Count) -> usize {
        match self {
            AnyGrammar::Uniform(frames) => frames.leap(bytes, count),
            AnyGrammar::Arauto(stream) => stream.leap(bytes, count),
            AnyGrammar::JetStream(answers) => answers.leap(bytes, count),
        }
    }

    fn frame(&mut self, bytes: &[u8], count: &mut Count) -> Result<Option<usize>> {
        match self {
            AnyGrammar::Uniform(frames) => frames.frame(bytes, count),
            AnyGrammar::Arauto(stream) => stream.frame(bytes, count),
            AnyGrammar::JetStream(answers) => answers.frame(bytes, count),
        }
    }
}

/// The systems that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// The server that the others are compared with.
    Arauto,
    /// The same, with the handler that it has by default.
    ArautoUpper,
    /// The same without the readers that have a filter.
    ArautoUnfiltered,
    /// The same with messages that have no topic.
    ArautoNoTopic,
    /// One epoll thread that copies each publisher's bytes to each reader.
    Bare,
    /// The same with messages as long as arauto's frames.
    BareFramed,
    /// One epoll thread that sends back what it reads.
    EpollEcho,
    /// The same in tokio.
    TokioEcho,
    /// One epoll thread that passes each call to a responder, and the answer to its caller.
    Relay,
    /// nats-server, the current one.
    Nats,
    /// nats-server as Debian has it.
    NatsDebian,
    /// redis-server.
    Redis,
    /// mosquitto.
    Mosquitto,
    /// SQLite, as a library in the load.
    Sqlite,
}

impl System {
    /// Returns its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            System::Arauto => "arauto",
            System::ArautoUpper => "arauto (upper)",
            System::ArautoUnfiltered => "arauto (unfiltered readers alone)",
            System::ArautoNoTopic => "arauto (no topic)",
            System::Bare => "bare",
            System::BareFramed => "bare-framed",
            System::EpollEcho => "bare epoll echo",
            System::TokioEcho => "bare tokio echo",
            System::Relay => "bare relay",
            System::Nats => "nats-server",
            System::NatsDebian => "nats-server (Debian)",
            System::Redis => "redis-server",
            System::Mosquitto => "mosquitto",
            System::Sqlite => "SQLite itself",
        }
    }

    /// Returns whether it is arauto's server, whatever its settings and its work are.
    pub fn is_arauto(self) -> bool {
        matches!(
            self,
            System::Arauto | System::ArautoUpper | System::ArautoUnfiltered | System::ArautoNoTopic
        )
    }

    /// Returns whether it may drop messages: then loss is a figure, else an error.
    pub fn may_lose(self) -> bool {
        matches!(
            self,
            System::Nats | System::NatsDebian | System::Redis | System::Mosquitto
        )
    }

    /// Reads what the server sends before a client begins TLS.
    pub fn before_tls(self, socket: &File) -> Result<()> {
        match self {
            System::Nats | System::NatsDebian => nats::read_info(socket),
            _ => Ok(()),
        }
    }

    /// Subscribes this connection to every message of `size` bytes.
    pub fn subscribe(self, socket: &mut Socket, size: usize) -> Result<Meter> {
        match self {
            _ if self.is_arauto() => {
                let seq = arauto::log_in(socket)?;
                let stream = arauto::Stream::after(seq, size);
                Ok(Meter::new(AnyGrammar::Arauto(stream)))
            }
            System::Nats | System::NatsDebian => nats::subscribe(socket, size),
            System::Redis => redis::subscribe(socket, size),
            System::Mosquitto => mosquitto::subscribe(socket, size),
            _ => {
                socket.write_all(b"r")?;
                socket.read_exact(&mut [0])?;
                Ok(Uniform::new(self.publish(size).len(), b"").into())
            }
        }
    }

    /// Makes this connection one that publishes to `readers` readers, and gets no message itself.
    pub fn announce(self, socket: &mut Socket, size: usize, readers: usize) -> Result<Meter> {
        match self {
            // A session hears its own messages too, unless it has a filter.
            _ if self.is_arauto() => {
                let seq = arauto::log_in_as_publisher(socket)?;
                let stream = arauto::Stream::after(seq, size).of_every(1);
                Ok(Meter::new(AnyGrammar::Arauto(stream)))
            }
            System::Nats | System::NatsDebian => nats::announce(socket),
            System::Redis => {
                let answer = redis::answer(readers);
                let answers = Uniform::new(answer.len(), answer.as_bytes());
                Ok(answers.of_answers().into())
            }
            System::Mosquitto => mosquitto::announce(socket),
            _ => {
                socket.write_all(b"p")?;
                socket.read_exact(&mut [0])?;
                Ok(Uniform::none().into())
            }
        }
    }

    /// Makes this connection publisher number `index`, whose publishes are answered when they
    /// are on disk.
    pub fn publish_to_disk(
        self,
        socket: &mut Socket,
        size: usize,
        index: usize,
    ) -> Result<Publisher> {
        match self {
            System::Arauto => Ok(Publisher {
                frame: self.publish(size),
                meter: self.announce(socket, size, 0)?,
            }),
            System::Nats => Ok(Publisher {
                frame: jetstream::publisher(socket, index, &"x".repeat(size))?,
                meter: Meter::new(AnyGrammar::JetStream(jetstream::Acknowledgements)),
            }),
            _ => bail!("{} answers no publish that is on disk", self.name()),
        }
    }

    /// Waits until the server has answered something.
    pub fn greet(self, socket: &mut Socket) -> Result<()> {
        match self {
            _ if self.is_arauto() => arauto::welcome(socket),
            System::Nats | System::NatsDebian => nats::read_info(socket),
            System::Redis => redis::ping(socket),
            System::Mosquitto => mosquitto::announce(socket).map(drop),
            _ => bail!("{} does not greet", self.name()),
        }
    }

    /// Returns how many answers each publish gets.
    pub fn answers(self) -> u64 {
        match self {
            System::Redis => 1,
            _ => u64::from(self.is_arauto()),
        }
    }

    /// Returns what a publisher writes for one message with a body of `size` bytes.
    pub fn publish(self, size: usize) -> Vec<u8> {
        let body = "x".repeat(size);
        match self {
            _ if self.is_arauto() => arauto::publish(&body),
            System::Nats | System::NatsDebian => nats::publish(&body),
            System::Redis => redis::command(&["PUBLISH", redis::CHANNEL, &body]),
            System::Mosquitto => mosquitto::publish(&body),
            // With a seq as wide as it is in all but the first messages.
            System::BareFramed => arauto::message(1 << 20, size),
            _ => body.into_bytes(),
        }
    }

    /// Makes this connection one that sends requests. The meter counts replies.
    pub fn converse(self, socket: &mut Socket, size: usize) -> Result<Conversation> {
        let body = "x".repeat(size);
        let (request, reply) = match self {
            _ if self.is_arauto() => {
                arauto::log_in(socket)?;
                let answered = match self {
                    System::ArautoUpper => body.to_uppercase(),
                    _ => body.clone(),
                };
                (arauto::request(&body), arauto::reply(&answered))
            }
            System::Redis => (redis::command(&["ECHO", &body]), redis::bulk(&body)),
            _ => (body.clone().into_bytes(), body.into_bytes()),
        };
        let meter = Uniform::new(reply.len(), &reply[..reply.len().min(64)]).into();
        Ok(Conversation {
            request,
            reply,
            meter,
        })
    }
}

/// A connection that publishes.
pub struct Publisher {
    /// The bytes of one message.
    pub frame: Vec<u8>,
    /// Counts the answers.
    pub meter: Meter,
}

/// One request, and what its reply must be.
pub struct Conversation {
    /// The client's bytes.
    pub request: Vec<u8>,
    /// The server's bytes.
    pub reply: Vec<u8>,
    /// Counts replies.
    pub meter: Meter,
}
