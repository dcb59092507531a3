//! Publishers and readers: from the first byte published to the last delivery.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::clients::{Clients, Expected};
use super::clocks::RunClocks;
use super::frames::Frames;
use super::pace::Pace;
use super::{Figures, OFFER};
use crate::engine::output::{Repeated, Writes};
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

struct Run<'a> {
    work: FanOut,
    running: &'a Running,
    messages: u64,
    /// The readers first, then the publishers.
    clients: Clients,
}

/// Publishes `messages` to the readers and waits until all have come.
pub fn run(work: FanOut, running: &Running, messages: u64) -> Result<Figures> {
    let most_writes = match work.writes {
        Writes::Pipelined => 1,
        Writes::Single => TURN,
    };
    let mut run = Run {
        work,
        running,
        messages: messages.next_multiple_of(work.publishers as u64),
        clients: Clients::new(most_writes, running.system.may_lose())?,
    };
    run.connect()?;
    let clocks = RunClocks::start(Some(running.server.process()))?;
    match work.pace {
        None => run.saturate()?,
        Some(rate) => run.keep_pace(rate)?,
    }
    let (delivered, lost) = run.verify()?;
    // Where nothing was delivered, the last read was before the begin.
    let end = run.clients.last_read().max(clocks.begin());
    let figures = clocks.stop(delivered, lost, end)?;
    Ok(match run.clients.pace() {
        Some(pace) => figures.with_latencies(pace.latencies()),
        None => figures,
    })
}

impl Run<'_> {
    /// Connects and subscribes all clients, before the clocks start.
    fn connect(&mut self) -> Result<()> {
        let system = self.running.system;
        let FanOut { size, readers, .. } = self.work;
        let output = Frames::Same(Repeated::new(
            &system.publish(size),
            OFFER,
            self.work.writes,
        ));
        for index in 0..readers + self.work.publishers {
            let mut socket = self.running.connect().context("connect")?;
            let reads = index < readers;
            let meter = match reads {
                true => system.subscribe(&mut socket, size),
                false => system.announce(&mut socket, size, readers),
            };
            let meter = meter.with_context(|| format!("connection {index}"))?;
            let sent = if reads { 0 } else { self.share() };
            let expected = Expected {
                sent,
                messages: if reads { self.messages } else { 0 },
                answers: sent * system.answers(),
            };
            self.clients
                .add(socket, meter, output.clone(), expected, None)?;
        }
        Ok(())
    }

    /// Returns how many messages each publisher publishes.
    fn share(&self) -> u64 {
        self.messages / self.work.publishers as u64
    }

    fn saturate(&mut self) -> Result<()> {
        for publisher in 0..self.work.publishers {
            let index = self.work.readers + publisher;
            self.clients.write_up_to(index, self.share())?;
        }
        while self.clients.left() > 0 && self.clients.turn()? {}
        Ok(())
    }

    /// Lets one publisher write each message at its own moment. A message that is late is
    /// written all the same, in a write of its own.
    fn keep_pace(&mut self, rate: u64) -> Result<()> {
        ensure!(self.work.publishers == 1, "only one publisher is paced");
        self.clients.set_pace(Pace::start(rate)?)?;
        let mut due = 0;
        while self.clients.left() > 0 {
            let pace = self.clients.pace().context("the pace was set")?;
            let now_due = pace.due_by(Instant::now(), due).min(self.messages);
            if now_due > due {
                due = now_due;
                self.clients.write_up_to(self.work.readers, due)?;
            }
            if !self.clients.turn()? {
                break;
            }
        }
        Ok(())
    }

    /// Checks that everything that was due has come once, and counts what was lost.
    fn verify(&mut self) -> Result<(u64, u64)> {
        let (readers, left) = (self.work.readers, self.clients.left());
        let mut delivered = 0;
        for (count, _) in self.clients.counts().take(readers) {
            ensure!(count.messages <= self.messages, "more than was published");
            delivered += count.messages;
        }
        let due = self.messages * readers as u64;
        let lost = due - delivered;
        if !self.running.system.may_lose() {
            let undone = self.clients.counts().filter(|(_, is_done)| !is_done);
            let undone: Vec<_> = undone.map(|(count, _)| count).take(3).collect();
            ensure!(
                lost == 0 && left == 0,
                "{lost} of {due} deliveries are missing, {left} clients are not done: {undone:?}"
            );
        }
        Ok((delivered, lost))
    }
}
