//! Publishers and readers: from the first byte published to the last delivery.

use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::event::epoll::EventFlags;

use super::clocks::RunClocks;
use super::ready::{Ready, context};
use super::ticks::Ticks;
use super::{Figures, Peer, repeat};
use crate::engine::connection::BUFFER;
use crate::engine::output::{Output, Repeated, Writes};
use crate::engine::schedule::Schedule;
use crate::meter::Count;
use crate::net;
use crate::start::Running;

/// How many single frames one client writes before others get their turn.
const TURN: usize = 64;

/// The work of one run, but for how many messages it has.
#[derive(Debug, Clone, Copy)]
pub struct FanOut {
    /// Connections that publish, in equal parts.
    pub publishers: usize,
    /// Connections that read every message.
    pub readers: usize,
    /// Bytes of a body.
    pub size: usize,
    /// How messages become writes.
    pub writes: Writes,
    /// Messages a second; without it, as fast as the sockets take them.
    pub pace: Option<u64>,
}

struct Conn {
    client: Peer,
    expected: Expected,
    is_done: bool,
    /// Whether epoll watches for space to write to.
    watches_writes: bool,
}

/// What a connection has to write and to read before it is done.
#[derive(Clone, Copy)]
struct Expected {
    sent: u64,
    messages: u64,
    answers: u64,
}

impl Conn {
    fn has_all(&self) -> bool {
        let Count {
            messages,
            answers,
            lost,
            ..
        } = self.client.decoder.count();
        messages + lost >= self.expected.messages
            && answers >= self.expected.answers
            && self.client.decoder.is_even()
            // A paced publisher has nothing due between two messages.
            && self.client.output.sent() >= self.expected.sent
    }
}

struct Run<'a> {
    work: FanOut,
    running: &'a Running,
    messages: u64,
    conns: Vec<Conn>,
    ready: Ready,
    buffer: Vec<u8>,
    /// Connections that are not done.
    left: usize,
    /// When the last byte came that was due to a reader.
    last: Instant,
}

/// Publishes `messages` to the readers and waits until all have come.
pub fn run(work: FanOut, running: &Running, messages: u64) -> Result<Figures> {
    let mut run = Run {
        work,
        running,
        messages: messages.next_multiple_of(work.publishers as u64),
        conns: Vec::new(),
        ready: Ready::new()?,
        buffer: vec![0; BUFFER],
        left: 0,
        last: Instant::now(),
    };
    run.connect()?;
    let clocks = RunClocks::start(running.server.process())?;
    run.last = clocks.begin();
    match work.pace {
        None => run.saturate()?,
        Some(pace) => run.keep_pace(pace, clocks.begin())?,
    }
    let (delivered, lost) = run.verify()?;
    clocks.stop(delivered, lost, run.last)
}

impl Run<'_> {
    /// Connects and subscribes all clients, before the clocks start.
    fn connect(&mut self) -> Result<()> {
        let (system, address) = (self.running.system, &self.running.address);
        let FanOut { size, readers, .. } = self.work;
        let frames = repeat(&system.publish(size));
        for index in 0..readers + self.work.publishers {
            let socket = net::connect(address).context("connect")?;
            let reads = index < readers;
            let meter = match reads {
                true => system.subscribe(&socket, size),
                false => system.announce(&socket, size, readers),
            };
            net::unblock(&socket)?;
            self.ready.add(&socket, index)?;
            let sent = if reads { 0 } else { self.share() };
            let is_told = reads || system.tells_publishers();
            self.conns.push(Conn {
                client: Peer {
                    connection: socket,
                    decoder: meter.with_context(|| format!("connection {index}"))?,
                    output: Repeated::new(frames.clone(), self.work.writes),
                },
                expected: Expected {
                    sent,
                    messages: if is_told { self.messages } else { 0 },
                    answers: sent * system.answers(),
                },
                is_done: false,
                watches_writes: false,
            });
        }
        self.left = self.conns.len();
        Ok(())
    }

    /// Returns how many messages each publisher publishes.
    fn share(&self) -> u64 {
        self.messages / self.work.publishers as u64
    }

    fn saturate(&mut self) -> Result<()> {
        for index in self.work.readers..self.conns.len() {
            let share = self.share();
            self.conns[index].client.output.set_due(share);
            self.write(index)?;
        }
        while self.left > 0 && self.turn(None)? {}
        Ok(())
    }

    /// Lets one publisher write each message at its own moment. A message that is late is
    /// written all the same, in a write of its own.
    fn keep_pace(&mut self, pace: u64, begin: Instant) -> Result<()> {
        ensure!(self.work.publishers == 1, "only one publisher is paced");
        let index = self.work.readers;
        let schedule = Schedule::new(begin, pace as f64);
        let timer = Ticks::every(Duration::from_nanos(1_000_000_000 / pace))?;
        self.ready.add(timer.socket(), self.conns.len())?;
        let mut due = 0;
        while self.left > 0 {
            let now_due = schedule.due_by(Instant::now(), due).min(self.messages);
            if now_due > due {
                due = now_due;
                self.conns[index].client.output.set_due(due);
                self.write(index)?;
            }
            if !self.turn(Some(&timer))? {
                break;
            }
        }
        Ok(())
    }

    /// Serves what has happened; `false` if nothing happens any more.
    fn turn(&mut self, timer: Option<&Ticks>) -> Result<bool> {
        let Some(events) = self.ready.wait()? else {
            return Ok(false);
        };
        for event in &events {
            let index = usize::try_from(event.data.u64())?;
            if index == self.conns.len() {
                timer.map_or(Ok(()), Ticks::clear)?;
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
        self.ready.reuse(events);
        Ok(true)
    }

    fn read(&mut self, index: usize) -> Result<()> {
        let client = &mut self.conns[index].client;
        let read = client.poll_read(&mut context(), &mut self.buffer);
        let read = read.map(|read| read.with_context(|| format!("connection {index}")));
        if let Poll::Ready(0) = read? {
            return self.note_closed(index);
        }
        self.note_done(index);
        Ok(())
    }

    /// A server that may lose messages may close the connection of a slow reader.
    fn note_closed(&mut self, index: usize) -> Result<()> {
        let reads = index < self.work.readers;
        ensure!(
            reads && self.running.system.may_lose(),
            "the server closed connection {index}"
        );
        let conn = &mut self.conns[index];
        self.ready.remove(&conn.client.connection)?;
        if !std::mem::replace(&mut conn.is_done, true) {
            self.left -= 1;
        }
        Ok(())
    }

    fn write(&mut self, index: usize) -> Result<()> {
        let Conn {
            client,
            watches_writes,
            ..
        } = &mut self.conns[index];
        let most = match self.work.writes {
            Writes::Pipelined => 1,
            Writes::Single => TURN,
        };
        client.poll_write(&mut context(), most)?;
        let is_due = client.output.is_due();
        if is_due != *watches_writes {
            *watches_writes = is_due;
            self.ready.watch_writes(&client.connection, index, is_due)?;
        }
        self.note_done(index);
        Ok(())
    }

    fn note_done(&mut self, index: usize) {
        let conn = &mut self.conns[index];
        if conn.is_done || !conn.has_all() {
            return;
        }
        conn.is_done = true;
        self.left -= 1;
        if index < self.work.readers {
            self.last = Instant::now();
        }
    }

    /// Checks that everything that was due has come once, and counts what was lost.
    fn verify(&mut self) -> Result<(u64, u64)> {
        let mut delivered = 0;
        for conn in &self.conns[..self.work.readers] {
            let count = conn.client.decoder.count();
            ensure!(count.messages <= self.messages, "more than was published");
            delivered += count.messages;
        }
        let lost = self.messages * self.work.readers as u64 - delivered;
        if !self.running.system.may_lose() {
            ensure!(lost == 0 && self.left == 0, self.describe_missing(lost));
        }
        Ok((delivered, lost))
    }

    fn describe_missing(&self, lost: u64) -> String {
        let undone: Vec<String> = (self.conns.iter().enumerate())
            .filter(|(_, conn)| !conn.is_done)
            .take(3)
            .map(|(index, conn)| format!("{index}: {:?}", conn.client.decoder.count()))
            .collect();
        format!(
            "{lost} of {} deliveries are missing, {} connections are not done: {}",
            self.messages * self.work.readers as u64,
            self.left,
            undone.join("; ")
        )
    }
}
