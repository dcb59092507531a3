//! Publishers and readers: from the first byte published to the last delivery.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::event::epoll::EventFlags;

use super::pace::Ticks;
use super::publisher::{Publisher, repeat};
use super::{BUFFER, Clocks, Figures, Got, Poll, read};
use crate::meter::{Count, Meter};
use crate::net;
use crate::start::Running;

pub use super::publisher::Writes;

/// The work of one run, but for how many messages it has.
#[derive(Debug, Clone, Copy)]
pub struct FanOut {
    /// Connections that publish, in equal parts.
    pub publishers: usize,
    /// Connections that hear every message.
    pub readers: usize,
    /// Bytes of a body.
    pub size: usize,
    /// How messages become writes.
    pub writes: Writes,
    /// Messages a second; without it, as fast as the sockets take them.
    pub backpressure: Option<u64>,
}

struct Conn {
    socket: OwnedFd,
    meter: Meter,
    publisher: Option<Publisher>,
    /// What has to arrive here before it is done.
    due: Due,
    done: bool,
    wants_out: bool,
}

#[derive(Clone, Copy)]
struct Due {
    messages: u64,
    answers: u64,
}

impl Conn {
    fn is_done(&self) -> bool {
        let Count {
            messages,
            answers,
            lost,
            ..
        } = self.meter.count();
        messages + lost >= self.due.messages
            && answers >= self.due.answers
            && self.meter.is_even()
            && !self.publisher.as_ref().is_some_and(Publisher::owes)
    }
}

struct Run<'a> {
    work: FanOut,
    running: &'a Running,
    messages: u64,
    conns: Vec<Conn>,
    poll: Poll,
    buffer: Vec<u8>,
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
        poll: Poll::new()?,
        buffer: vec![0; BUFFER],
        left: 0,
        last: Instant::now(),
    };
    run.connect()?;
    let cpu = || running.server.cpu();
    let clocks = Clocks::start(&cpu)?;
    run.last = clocks.begin();
    match work.pace {
        None => run.saturate()?,
        Some(pace) => run.keep_pace(pace, clocks.begin())?,
    }
    let (delivered, lost) = run.verify()?;
    clocks.stop(delivered, lost, run.last)
}

impl Run<'_> {
    /// Everybody is there before the clock starts.
    fn connect(&mut self) -> Result<()> {
        let (system, address) = (self.running.system, &self.running.address);
        let FanOut { size, readers, .. } = self.work;
        let frame = system.publish(size);
        let frames = repeat(&frame);
        for index in 0..readers + self.work.publishers {
            let socket = net::connect(address).context("connect")?;
            let reads = index < readers;
            let meter = match reads {
                true => system.subscribe(&socket, size),
                false => system.announce(&socket, size, readers),
            };
            net::unblock(&socket)?;
            self.poll.add(&socket, index, EventFlags::IN)?;
            let own = self.messages / self.work.publishers as u64;
            let publisher =
                (!reads).then(|| Publisher::new(frames.clone(), frame.len(), self.work.writes));
            let hears = reads || system.tells_publishers();
            self.conns.push(Conn {
                socket,
                meter: meter.with_context(|| format!("connection {index}"))?,
                publisher,
                due: Due {
                    messages: if hears { self.messages } else { 0 },
                    answers: if reads { 0 } else { own * system.answers() },
                },
                done: false,
                wants_out: false,
            });
        }
        self.left = self.conns.len();
        Ok(())
    }

    fn saturate(&mut self) -> Result<()> {
        let own = self.messages / self.work.publishers as u64;
        for index in self.work.readers..self.conns.len() {
            if let Some(publisher) = &mut self.conns[index].publisher {
                publisher.owe(own);
            }
            self.write(index)?;
        }
        while self.left > 0 && self.turn(None)? {}
        Ok(())
    }

    /// One publisher; each message is due at its own moment. One that is late is
    /// written all the same, in a write of its own.
    fn keep_pace(&mut self, pace: u64, begin: Instant) -> Result<()> {
        ensure!(self.work.publishers == 1, "only one publisher is paced");
        let index = self.work.readers;
        let timer = Ticks::every(Duration::from_nanos(1_000_000_000 / pace))?;
        self.poll
            .add(timer.socket(), self.conns.len(), EventFlags::IN)?;
        let mut owed = 0;
        while self.left > 0 && self.turn(Some(&timer))? {
            let due = (begin.elapsed().as_secs_f64() * pace as f64) as u64;
            let due = due.min(self.messages);
            if due > owed {
                owed = due;
                if let Some(publisher) = &mut self.conns[index].publisher {
                    publisher.owe(owed);
                }
                self.write(index)?;
            }
        }
        Ok(())
    }

    /// Serves what has happened. `false`: nothing happens any more.
    fn turn(&mut self, timer: Option<&Ticks>) -> Result<bool> {
        let Some(events) = self.poll.wait()? else {
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
        self.poll.reuse(events);
        Ok(true)
    }

    fn read(&mut self, index: usize) -> Result<()> {
        let conn = &mut self.conns[index];
        match read(&conn.socket, &mut self.buffer)? {
            Got::Bytes(bytes) => conn
                .meter
                .feed(bytes)
                .with_context(|| format!("connection {index}"))?,
            Got::Nothing => {}
            Got::End => return self.note_cut(index),
        }
        self.note_done(index);
        Ok(())
    }

    /// A server that may lose messages may do it by cutting off who is slow.
    fn note_cut(&mut self, index: usize) -> Result<()> {
        let reads = index < self.work.readers;
        ensure!(
            reads && self.running.system.may_lose(),
            "the server closed connection {index}"
        );
        let conn = &mut self.conns[index];
        self.poll.forget(&conn.socket)?;
        if !std::mem::replace(&mut conn.done, true) {
            self.left -= 1;
        }
        Ok(())
    }

    fn write(&mut self, index: usize) -> Result<()> {
        let conn = &mut self.conns[index];
        let Some(publisher) = &mut conn.publisher else {
            return Ok(());
        };
        publisher.write(&conn.socket)?;
        let owes = publisher.owes();
        if owes != conn.wants_out {
            conn.wants_out = owes;
            let flags = match owes {
                true => EventFlags::IN | EventFlags::OUT,
                false => EventFlags::IN,
            };
            self.poll.change(&conn.socket, index, flags)?;
        }
        self.note_done(index);
        Ok(())
    }

    fn note_done(&mut self, index: usize) {
        let conn = &mut self.conns[index];
        if conn.done || !conn.is_done() {
            return;
        }
        // A paced publisher owes nothing between two messages.
        let own = self.messages / self.work.publishers as u64;
        if conn.publisher.as_ref().is_some_and(|it| it.sent() < own) {
            return;
        }
        conn.done = true;
        self.left -= 1;
        if index < self.work.readers {
            self.last = Instant::now();
        }
    }

    /// Everything that was due has come, once; or it is counted as lost.
    fn verify(&mut self) -> Result<(u64, u64)> {
        let mut delivered = 0;
        for conn in &self.conns[..self.work.readers] {
            let count = conn.meter.count();
            ensure!(count.messages <= self.messages, "more than was published");
            delivered += count.messages;
        }
        let lost = self.messages * self.work.readers as u64 - delivered;
        if !self.running.system.may_lose() {
            ensure!(lost == 0 && self.left == 0, self.whats_missing(lost));
        }
        Ok((delivered, lost))
    }

    fn whats_missing(&self, lost: u64) -> String {
        let undone: Vec<String> = (self.conns.iter().enumerate())
            .filter(|(_, conn)| !conn.done)
            .take(3)
            .map(|(index, conn)| format!("{index}: {:?}", conn.meter.count()))
            .collect();
        format!(
            "{lost} of {} deliveries are missing, {} connections are not done: {}",
            self.messages * self.work.readers as u64,
            self.left,
            undone.join("; ")
        )
    }
}
