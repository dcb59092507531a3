//! Many leitores on a few threads, which read and count up to a seq that they are told
//! while they read.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use arauto::wire::cbor::ScannedFrame;
use arauto::{RawSession, Seq};
use futures_util::future::try_join_all;
use futures_util::stream::{FuturesUnordered, TryStreamExt};
use tokio::sync::{mpsc, watch};

use super::client::{Buffer, Listener, SessionClient};
use super::figures::LATENCY_DIGITS;
use super::progress::Counter;
use super::target::Target;
use super::threads::{self, Merge, Worker};
use super::timestamp::{self, Epoch};
use crate::cli::exit::{Failure, sysexits};
use crate::load::latencies::Latencies;

/// What the leitores have received.
pub(super) struct Received {
    pub(super) messages: u64,
    /// Gaps that they were told of, and the broadcasts in them.
    pub(super) gaps: u64,
    pub(super) missed: u64,
    pub(super) latencies: Latencies,
    /// When the last of them had read all.
    pub(super) ended: Instant,
}

/// Leitores that read until this is dropped.
pub(super) struct Readers {
    /// How far to read before they report.
    goal: watch::Sender<Option<Seq>>,
    /// One report a thread.
    received: mpsc::Receiver<Received>,
    workers: Vec<Worker<()>>,
    /// Messages that were read, by all of them.
    pub(super) count: Counter,
}

impl Readers {
    /// Logs `sessions` leitores of account 1 in.
    pub(super) async fn log_in(
        target: &mut Target,
        sessions: usize,
        threads: usize,
        timed: Option<Epoch>,
    ) -> Result<Readers, Failure> {
        let (goal, goals) = watch::channel(None);
        let (report, received) = mpsc::channel(threads);
        let count = Counter::default();
        let counter = count.clone();
        let work = move |sessions| {
            let report = report.clone();
            read(sessions, timed, goals.clone(), report, counter.clone())
        };
        let spread = (sessions, threads);
        Ok(Readers {
            workers: threads::log_in_and(target, ("leitores", 0), spread, work).await?,
            goal,
            received,
            count,
        })
    }

    /// Waits until each has read the broadcast `last`. They read on afterwards, but only
    /// what came up to then is reported.
    pub(super) async fn read_up_to(&mut self, last: Seq) -> Result<Received, Failure> {
        self.goal.send_replace(Some(last));
        let ended = || Failure::new(sysexits::SOFTWARE, "the leitores have ended");
        let mut all: Option<Received> = None;
        for _ in 0..self.workers.len() {
            let received = tokio::select! {
                received = self.received.recv() => received.ok_or_else(ended)?,
                workers = try_join_all(self.workers.iter_mut().map(Worker::done)) => {
                    workers?;
                    return Err(ended());
                }
            };
            match &mut all {
                None => all = Some(received),
                Some(all) => all.merge(received),
            }
        }
        all.ok_or_else(ended)
    }
}

impl Merge for Received {
    fn merge(&mut self, other: Received) {
        self.messages += other.messages;
        self.gaps += other.gaps;
        self.missed += other.missed;
        self.latencies += &other.latencies;
        self.ended = self.ended.max(other.ended);
    }
}

/// Reads with the clients of one thread, reports once at the goal, and reads on until
/// the [`Readers`] are dropped.
async fn read(
    sessions: Vec<RawSession>,
    timed: Option<Epoch>,
    mut goals: watch::Receiver<Option<Seq>>,
    report: mpsc::Sender<Received>,
    count: Counter,
) -> Result<(), Failure> {
    let latencies = Rc::new(RefCell::new(Latencies::with_digits(LATENCY_DIGITS)));
    let timed = timed.map(|epoch| (epoch, latencies.clone()));
    let readers = sessions.into_iter().map(|session| {
        let mut client = SessionClient::new(session, Tally::new(timed.clone()), ());
        if timed.is_some() {
            client.decoder = client.decoder.of_whole_messages();
        }
        client
    });
    let (mut readers, buffer): (Vec<_>, _) = (readers.collect(), Buffer::new());
    let changed = tokio::select! {
        biased;
        ended = read_to(&mut readers, &buffer, Seq(u64::MAX), &count) => return ended,
        changed = goals.changed() => changed,
    };
    if changed.is_err() {
        return Ok(());
    }
    let goal = goals.borrow_and_update().unwrap_or(Seq::ZERO);
    read_to(&mut readers, &buffer, goal, &count).await?;
    let sum = |part: fn(&Tally) -> u64| readers.iter().map(|it| part(&it.decoder.listener)).sum();
    let received = Received {
        ended: Instant::now(),
        messages: sum(|tally| tally.messages),
        gaps: sum(|tally| tally.gaps),
        missed: sum(|tally| tally.missed),
        latencies: latencies.replace(Latencies::with_digits(LATENCY_DIGITS)),
    };
    if report.send(received).await.is_err() {
        return Ok(());
    }
    tokio::select! {
        biased;
        ended = read_to(&mut readers, &buffer, Seq(u64::MAX), &count) => ended,
        _ = goals.changed() => Ok(()),
    }
}

/// Reads with all clients until each has the broadcast `goal`.
async fn read_to(
    readers: &mut [SessionClient<Tally, ()>],
    buffer: &Buffer,
    goal: Seq,
    count: &Counter,
) -> Result<(), Failure> {
    let reading: FuturesUnordered<_> = readers
        .iter_mut()
        .map(|reader| {
            reader.read_until(buffer, move |frames| {
                frames.listener.add_to(count);
                frames.last() >= goal
            })
        })
        .collect();
    reading.try_collect().await
}

/// Counts what one client receives.
struct Tally {
    messages: u64,
    gaps: u64,
    missed: u64,
    /// Messages that the shared counter knows of.
    counted: u64,
    /// Where each message's latency goes, if it is timed.
    timed: Option<(Epoch, Rc<RefCell<Latencies>>)>,
}

impl Tally {
    fn new(timed: Option<(Epoch, Rc<RefCell<Latencies>>)>) -> Tally {
        Tally {
            messages: 0,
            gaps: 0,
            missed: 0,
            counted: 0,
            timed,
        }
    }

    fn add_to(&mut self, count: &Counter) {
        let new = self.messages - self.counted;
        if new > 0 {
            self.counted = self.messages;
            count.add(new);
        }
    }
}

impl Listener for Tally {
    fn frame(&mut self, frame: ScannedFrame<'_>) {
        match frame {
            ScannedFrame::Message { frame, .. } => {
                self.messages += 1;
                if let Some((epoch, latencies)) = &self.timed
                    && let Some(took) = timestamp::get(frame).and_then(|sent| epoch.since(sent))
                {
                    latencies.borrow_mut().record(took);
                }
            }
            ScannedFrame::Gap(gap) => {
                self.gaps += 1;
                self.missed += 1 + gap.to.0 - gap.from.0;
            }
            _ => {}
        }
    }
}
