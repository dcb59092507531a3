//! One publisher that writes to many topics in turn, and readers that each want some of them.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rustix::process::{Resource, getrlimit};

use super::Figures;
use super::clients::{Clients, Expected};
use super::clocks::RunClocks;
use super::frames::{Frames, InTurn};
use crate::peer::System;
use crate::peer::topics::Wants;
use crate::start::Running;

/// Descriptors that this process and the servers need beside their connections.
const OTHER_DESCRIPTORS: usize = 400;

/// The most readers with a topic of their own where only the counts matter.
const QUICK: usize = 200;

/// The work of one run, but for how many messages it has.
#[derive(Debug, Clone, Copy)]
pub struct Topics {
    /// The topics.
    pub topics: usize,
    /// Whether each topic has a reader of its own.
    pub own: bool,
    /// Readers of the pattern that all topics match.
    pub of_pattern: usize,
    /// Readers without a filter, which get every message.
    pub of_all: usize,
    /// Bytes of a body.
    pub size: usize,
}

impl Topics {
    /// Returns the work with fewer topics where there are too few descriptors, or where only the
    /// counts matter.
    pub fn fitted(mut self, is_quick: bool) -> Topics {
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
        if self.own {
            let free =
                descriptors.saturating_sub(OTHER_DESCRIPTORS + self.of_pattern + self.of_all);
            self.topics = self.topics.min(free.max(1));
        }
        if is_quick {
            self.topics = self.topics.min(QUICK);
        }
        self
    }

    /// Returns how many readers get each message.
    pub fn deliveries(self) -> usize {
        usize::from(self.own) + self.of_pattern + self.of_all
    }

    /// Returns the work as one system does it.
    fn done_by(mut self, system: System) -> Topics {
        self.own &= system != System::ArautoUnfiltered;
        self
    }

    fn readers(self) -> impl Iterator<Item = Wants> {
        let own = if self.own { self.topics } else { 0 };
        let of_pattern = std::iter::repeat_n(Wants::Pattern, self.of_pattern);
        let of_all = std::iter::repeat_n(Wants::Everything, self.of_all);
        (0..own).map(Wants::Topic).chain(of_pattern).chain(of_all)
    }
}

/// Publishes `messages` and waits until each reader has those that it wants. Without readers it
/// waits for the answers, and counts messages.
pub fn run(work: Topics, running: &Running, messages: u64) -> Result<Figures> {
    let system = running.system;
    let work = work.done_by(system);
    let Topics { topics, size, .. } = work;
    let messages = messages.next_multiple_of(topics as u64);
    let mut clients = Clients::new(1, system.may_lose())?;
    let frames: Vec<_> = (0..topics)
        .map(|topic| system.publish_to(topic, size))
        .collect();
    let output = Frames::InTurn(InTurn::new(&frames));
    let mut due = Vec::new();
    for (index, wants) in work.readers().enumerate() {
        let mut socket = running.connect().context("connect")?;
        let meter = system.subscribe_to(&mut socket, wants, size, topics);
        let meter = meter.with_context(|| format!("connection {index}"))?;
        let share = match wants {
            Wants::Topic(_) => messages / topics as u64,
            Wants::Pattern | Wants::Everything => messages,
        };
        due.push(share);
        let expected = Expected {
            sent: 0,
            messages: share,
            answers: 0,
        };
        clients.add(socket, meter, output.clone(), expected, None)?;
    }
    let mut socket = running.connect().context("connect")?;
    let meter = system.announce(&mut socket, size, work.deliveries())?;
    let expected = Expected {
        sent: messages,
        messages: 0,
        answers: messages * system.answers(),
    };
    clients.add(socket, meter, output, expected, None)?;

    let clocks = RunClocks::start(Some(running.server.process()))?;
    clients.write_up_to(due.len(), messages)?;
    while clients.left() > 0 && clients.turn()? {}
    let (delivered, lost) = verify(&clients, &due, system)?;
    if due.is_empty() {
        return clocks.stop(messages, 0, Instant::now());
    }
    let end = clients.last_read().max(clocks.begin());
    clocks.stop(delivered, lost, end)
}

/// Checks that everything that was due has come once, and counts what was lost.
fn verify(clients: &Clients, due: &[u64], system: System) -> Result<(u64, u64)> {
    let mut delivered = 0;
    for ((count, _), due) in clients.counts().zip(due) {
        ensure!(count.messages <= *due, "more than was for the reader");
        delivered += count.messages;
    }
    let total: u64 = due.iter().sum();
    let (lost, left) = (total - delivered, clients.left());
    ensure!(
        system.may_lose() || (lost == 0 && left == 0),
        "{lost} of {total} deliveries are missing, {left} clients are not done"
    );
    Ok((delivered, lost))
}
