//! The clients of one run, served when epoll says that they are ready.

use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::event::epoll::{Event, EventFlags};
use rustix::fs::Timespec;

use super::frames::Frames;
use super::pace::Pace;
use super::socket::{context, holds_back};
use crate::engine::client::Client;
use crate::engine::connection::BUFFER;
use crate::engine::output::Output;
use crate::engine::window::Window;
use crate::epoll::Epoll;
use crate::meter::Count;
use crate::net::{self, Socket};
use crate::peer::Meter;

/// A run in which nothing moves for so long is over.
pub(super) const STANDSTILL: Duration = Duration::from_secs(5);

/// No run takes longer than this.
pub(super) const LONGEST: Duration = Duration::from_secs(120);

/// The bytes that a client has to write and to read before it is done.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// Messages, or requests, that it writes.
    pub sent: u64,
    /// Messages, or replies, that it reads.
    pub messages: u64,
    /// Answers to what it publishes.
    pub answers: u64,
}

struct Peer {
    client: Client<Socket, Meter, Frames>,
    expected: Expected,
    /// In a closed loop.
    window: Option<Window>,
    is_done: bool,
    /// Whether epoll watches for space to write to.
    watches_writes: bool,
}

impl Peer {
    fn has_all(&self) -> bool {
        let (count, expected) = (self.client.decoder.count(), self.expected);
        count.messages + count.lost >= expected.messages
            && count.answers >= expected.answers
            && self.client.decoder.is_even()
            // A paced publisher has nothing due between two messages.
            && self.client.output.sent() >= expected.sent
    }
}

/// All clients of a run.
pub struct Clients {
    peers: Vec<Peer>,
    epoll: Epoll,
    events: Vec<Event>,
    buffer: Vec<u8>,
    /// The most writes of one client before the others have their turn.
    most_writes: usize,
    pace: Option<Pace>,
    /// Whether the server may close a reader's connection instead of waiting for it.
    may_lose: bool,
    left: usize,
    begin: Instant,
    moved: Instant,
    last_read: Instant,
}

impl Clients {
    /// Creates a run without clients.
    pub fn new(most_writes: usize, may_lose: bool) -> Result<Clients> {
        let now = Instant::now();
        Ok(Clients {
            peers: Vec::new(),
            epoll: Epoll::new()?,
            events: Vec::with_capacity(256),
            buffer: vec![0; BUFFER],
            most_writes,
            pace: None,
            may_lose,
            left: 0,
            begin: now,
            moved: now,
            last_read: now,
        })
    }

    /// Adds a connected client. With a window it is in a closed loop.
    pub fn add(
        &mut self,
        connection: Socket,
        decoder: Meter,
        output: Frames,
        expected: Expected,
        window: Option<Window>,
    ) -> Result<()> {
        net::set_blocking(&connection, false)?;
        self.epoll
            .add(&connection, self.peers.len() as u64, EventFlags::IN)?;
        self.left += 1;
        self.peers.push(Peer {
            client: Client {
                connection,
                decoder,
                output,
            },
            expected,
            window,
            is_done: false,
            watches_writes: false,
        });
        Ok(())
    }

    /// Lets messages be due at this pace, after all clients were added: a turn ends when one
    /// is due, and the time from then to each delivery is recorded.
    pub fn set_pace(&mut self, pace: Pace) -> Result<()> {
        let index = self.peers.len() as u64;
        self.epoll.add(pace.file(), index, EventFlags::IN)?;
        self.pace = Some(pace);
        Ok(())
    }

    /// Returns the pace.
    pub fn pace(&mut self) -> Option<&mut Pace> {
        self.pace.as_mut()
    }

    /// Makes `messages` of a client due in all, and writes what its connection takes.
    pub fn write_up_to(&mut self, index: usize, messages: u64) -> Result<()> {
        self.peers[index].client.output.set_due(messages);
        self.write(index)
    }

    /// Starts the closed loops.
    pub fn start_loops(&mut self) -> Result<()> {
        for index in 0..self.peers.len() {
            if let Some(window) = self.peers[index].window {
                self.write_up_to(index, window.due())?;
            }
        }
        Ok(())
    }

    /// Returns how many clients are not done.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Returns when the last byte came that was due to a reader.
    pub fn last_read(&self) -> Instant {
        self.last_read
    }

    /// Returns what has arrived at each client, and whether that client is done.
    pub fn counts(&self) -> impl Iterator<Item = (Count, bool)> {
        let peers = self.peers.iter();
        peers.map(|peer| (peer.client.decoder.count(), peer.is_done))
    }

    /// Serves what has happened; `false` if nothing has happened for too long.
    ///
    /// # Errors
    /// A client failed, or the run takes too long.
    pub fn turn(&mut self) -> Result<bool> {
        if self.begin.elapsed() > LONGEST {
            bail!("not over after {LONGEST:?}");
        }
        let timeout = Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        };
        let mut events = std::mem::take(&mut self.events);
        self.epoll.wait(&mut events, Some(&timeout))?;
        if !events.is_empty() {
            self.moved = Instant::now();
        } else if self.moved.elapsed() > STANDSTILL {
            return Ok(false);
        }
        for event in &events {
            let index = usize::try_from(event.data.u64())?;
            if index == self.peers.len() {
                self.pace.as_ref().map_or(Ok(()), Pace::clear)?;
                continue;
            }
            let flags = event.flags;
            if flags.contains(EventFlags::OUT) {
                self.write(index)?;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP) {
                self.read(index)?;
            }
        }
        self.events = events;
        Ok(true)
    }

    fn read(&mut self, index: usize) -> Result<()> {
        let Peer {
            client,
            window,
            expected,
            ..
        } = &mut self.peers[index];
        let before = client.decoder.passed();
        let read = client.poll_read(&mut context(), &mut self.buffer);
        let read = read.map(|read| read.with_context(|| format!("connection {index}")));
        if let Poll::Ready(0) = read? {
            return self.note_closed(index);
        }
        if let Some(pace) = &mut self.pace
            && expected.sent == 0
        {
            pace.record(before..client.decoder.passed());
        }
        if let Some(window) = window {
            let answered = match expected.answers {
                0 => client.decoder.whole(),
                _ => client.decoder.count().answers,
            };
            window.set_answered(answered, client.output.sent())?;
            let due = window.due();
            return self.write_up_to(index, due);
        }
        self.note_done(index);
        Ok(())
    }

    fn write(&mut self, index: usize) -> Result<()> {
        let peer = &mut self.peers[index];
        peer.client.poll_write(&mut context(), self.most_writes)?;
        let is_due = peer.client.output.is_due() || holds_back(&peer.client.connection);
        if is_due != peer.watches_writes {
            peer.watches_writes = is_due;
            let mut flags = EventFlags::IN;
            flags.set(EventFlags::OUT, is_due);
            let connection = &peer.client.connection;
            self.epoll.change(connection, index as u64, flags)?;
        }
        self.note_done(index);
        Ok(())
    }

    /// A server that may lose messages may close the connection of a slow reader.
    fn note_closed(&mut self, index: usize) -> Result<()> {
        let peer = &mut self.peers[index];
        ensure!(
            peer.expected.sent == 0 && self.may_lose,
            "the server closed connection {index}"
        );
        self.epoll.remove(&peer.client.connection)?;
        if !std::mem::replace(&mut peer.is_done, true) {
            self.left -= 1;
        }
        Ok(())
    }

    fn note_done(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        if peer.is_done || !peer.has_all() {
            return;
        }
        peer.is_done = true;
        self.left -= 1;
        if peer.expected.sent == 0 {
            self.last_read = Instant::now();
        }
    }
}
