//! The systems that are compared, and how a client speaks to each.

pub mod arauto;
mod mosquitto;
mod nats;
mod redis;
pub mod uniform;

use std::os::fd::OwnedFd;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::meter::Meter;
use crate::net;
use uniform::Uniform;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// The server that this is all about.
    Arauto,
    /// The same, with the handler that it has by default.
    ArautoUpper,
    /// One epoll thread that copies each publisher's bytes to each reader.
    Bare,
    /// The same with messages as long as arauto's frames.
    BareFramed,
    /// One epoll thread that sends back what it reads.
    EpollEcho,
    /// The same in tokio.
    TokioEcho,
    /// nats-server.
    Nats,
    /// redis-server.
    Redis,
    /// mosquitto.
    Mosquitto,
}

impl System {
    /// What tables call it.
    pub fn name(self) -> &'static str {
        match self {
            System::Arauto => "arauto",
            System::ArautoUpper => "arauto (upper)",
            System::Bare => "bare",
            System::BareFramed => "bare-framed",
            System::EpollEcho => "bare epoll echo",
            System::TokioEcho => "bare tokio echo",
            System::Nats => "nats-server",
            System::Redis => "redis-server",
            System::Mosquitto => "mosquitto",
        }
    }

    /// Whether it may throw messages away: then loss is a figure, else an error.
    pub fn may_lose(self) -> bool {
        matches!(self, System::Nats | System::Redis | System::Mosquitto)
    }

    /// Makes this connection one that hears every message of `size` bytes.
    pub fn subscribe(self, socket: &OwnedFd, size: usize) -> Result<Meter> {
        match self {
            System::Arauto | System::ArautoUpper => {
                let seq = arauto::log_in(socket)?;
                Ok(Meter::new(arauto::Stream::after(seq, size)))
            }
            System::Nats => nats::subscribe(socket, size),
            System::Redis => redis::subscribe(socket, size),
            System::Mosquitto => mosquitto::subscribe(socket, size),
            _ => {
                net::write_all(socket, b"r")?;
                net::read_exact(socket, &mut [0])?;
                Ok(Meter::new(Uniform::new(self.publish(size).len(), b"")))
            }
        }
    }

    /// Makes this connection one that publishes to `readers`.
    pub fn announce(self, socket: &OwnedFd, size: usize, readers: usize) -> Result<Meter> {
        match self {
            // In arauto whoever is logged in hears everybody, itself too.
            System::Arauto | System::ArautoUpper => self.subscribe(socket, size),
            System::Nats => nats::announce(socket),
            System::Redis => {
                let answer = redis::answer(readers);
                let answers = Uniform::new(answer.len(), answer.as_bytes());
                Ok(Meter::new(answers.of_answers()))
            }
            System::Mosquitto => mosquitto::announce(socket),
            _ => {
                net::write_all(socket, b"p")?;
                net::read_exact(socket, &mut [0])?;
                Ok(Meter::new(Uniform::new(
                    1,
                    b"nothing is sent to publishers",
                )))
            }
        }
    }

    /// How many answers each publish gets.
    pub fn answers(self) -> u64 {
        match self {
            System::Arauto | System::ArautoUpper | System::Redis => 1,
            _ => 0,
        }
    }

    /// Whether publishers hear all messages too.
    pub fn tells_publishers(self) -> bool {
        matches!(self, System::Arauto | System::ArautoUpper)
    }

    /// What a publisher writes for one message with a body of `size` bytes.
    pub fn publish(self, size: usize) -> Vec<u8> {
        let body = "x".repeat(size);
        match self {
            System::Arauto | System::ArautoUpper => arauto::publish(&body),
            System::Nats => nats::publish(&body),
            System::Redis => redis::command(&["PUBLISH", redis::CHANNEL, &body]),
            System::Mosquitto => mosquitto::publish(&body),
            // With a seq as wide as it is in all but the first messages.
            System::BareFramed => arauto::message(1 << 20, size),
            _ => body.into_bytes(),
        }
    }

    /// Makes this connection one that asks. The meter counts replies.
    pub fn converse(self, socket: &OwnedFd, size: usize) -> Result<Conversation> {
        let body = "x".repeat(size);
        let (request, reply) = match self {
            System::Arauto | System::ArautoUpper => {
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
        let meter = Meter::new(Uniform::new(reply.len(), &reply[..reply.len().min(64)]));
        Ok(Conversation {
            request,
            reply,
            meter,
        })
    }
}

/// What one request looks like, and what its reply must be.
pub struct Conversation {
    /// The client's bytes.
    pub request: Vec<u8>,
    /// The server's bytes.
    pub reply: Vec<u8>,
    /// Counts replies.
    pub meter: Meter,
}
