//! Many leitores on a few threads, which read and count.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, ready};
use std::time::Instant;

use arauto::wire::ServerFrame;
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

/// The messages that the leitores have received.
pub(super) struct Received {
    pub(super) messages: u64,
    /// Gaps that they were told of, and the broadcasts in them.
    pub(super) gaps: u64,
    pub(super) missed: u64,
    /// Sessions that ended with `closing`, because the server stopped.
    pub(super) closings: u64,
    pub(super) latencies: Latencies,
    /// When the last of them had read all.
    pub(super) ended: Instant,
}

/// How far leitores read.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReadTo {
    /// Up to a seq that they are told while they read. The latency of each message is
    /// measured from its timestamp, if there is an epoch.
    Goal(Option<Epoch>),
    /// To the end of their sessions.
    End,
}

/// Leitores that read until this is dropped.
pub(super) struct Readers {
    /// How far to read before they report.
    goal: watch::Sender<Option<Seq>>,
    /// The messages that each thread had received at the goal.
    received: mpsc::Receiver<Received>,
    workers: Vec<Worker<Received>>,
    /// Messages that all of them have read, or sessions that have ended.
    pub(super) count: Counter,
}

impl Readers {
    /// Logs `sessions` leitores of account 1 in.
    pub(super) async fn log_in(
        target: &mut Target,
        sessions: usize,
        threads: usize,
        read_to: ReadTo,
    ) -> Result<Readers, Failure> {
        let (goal, goals) = watch::channel(None);
        let (report, received) = mpsc::channel(threads);
        let count = Counter::default();
        let counter = count.clone();
        let work = move |sessions| {
            let thread = ReaderThread {
                report: report.clone(),
                goals: goals.clone(),
                count: counter.clone(),
                buffer: Buffer::new(),
                latencies: Rc::new(RefCell::new(Latencies::with_digits(LATENCY_DIGITS))),
            };
            async move {
                match read_to {
                    ReadTo::Goal(timed) => thread.read_to_goal(sessions, timed).await,
                    ReadTo::End => thread.read_to_end(sessions).await,
                }
            }
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
        let mut all: Option<Received> = None;
        for _ in 0..self.workers.len() {
            let received = tokio::select! {
                Some(received) = self.received.recv() => received,
                // A worker ends before it is dropped only if it fails.
                failed = threads::all(&mut self.workers) => return Err(failed.err().unwrap_or_else(dropped)),
            };
            match &mut all {
                None => all = Some(received),
                Some(all) => all.merge(received),
            }
        }
        all.ok_or_else(dropped)
    }

    /// Waits until all have read to the end of their sessions.
    pub(super) async fn done(self) -> Result<Received, Failure> {
        threads::merged(self.workers).await
    }
}

fn dropped() -> Failure {
    Failure::new(sysexits::SOFTWARE, "the leitores were dropped")
}

impl Merge for Received {
    fn merge(&mut self, other: Received) {
        self.messages += other.messages;
        self.gaps += other.gaps;
        self.missed += other.missed;
        self.closings += other.closings;
        self.latencies += &other.latencies;
        self.ended = self.ended.max(other.ended);
    }
}

type Reader = SessionClient<Tally, ()>;

/// The clients of one thread.
struct ReaderThread {
    report: mpsc::Sender<Received>,
    goals: watch::Receiver<Option<Seq>>,
    count: Counter,
    buffer: Buffer,
    latencies: Rc<RefCell<Latencies>>,
}

impl ReaderThread {
    /// Reports once at the goal, and reads on until the [`Readers`] are dropped.
    async fn read_to_goal(
        mut self,
        sessions: Vec<RawSession>,
        timed: Option<Epoch>,
    ) -> Result<Received, Failure> {
        let timed = timed.map(|epoch| (epoch, self.latencies.clone()));
        let readers = sessions.into_iter().map(|session| {
            let mut reader = Reader::new(session, Tally::new(timed.clone()), ());
            if timed.is_some() {
                reader.decoder = reader.decoder.of_whole_messages();
            }
            reader
        });
        let mut readers: Vec<_> = readers.collect();
        let (buffer, count) = (&self.buffer, &self.count);
        let changed = tokio::select! {
            biased;
            ended = read_to(&mut readers, buffer, Seq(u64::MAX), count) => {
                return Err(ended.err().unwrap_or_else(dropped));
            }
            changed = self.goals.changed() => changed,
        };
        changed.map_err(|_| dropped())?;
        let goal = self.goals.borrow_and_update().unwrap_or(Seq::ZERO);
        read_to(&mut readers, buffer, goal, count).await?;
        let ended = Instant::now();
        let tallies = readers.iter().map(|reader| &reader.decoder.listener);
        let received = self.add_up(tallies, ended);
        let _ = self.report.send(received).await; // the receiver is gone after an interruption
        tokio::select! {
            biased;
            ended = read_to(&mut readers, buffer, Seq(u64::MAX), count) => {
                Err(ended.err().unwrap_or_else(dropped))
            }
            _ = self.goals.changed() => Err(dropped()),
        }
    }

    /// Returns once all sessions have ended.
    async fn read_to_end(self, sessions: Vec<RawSession>) -> Result<Received, Failure> {
        let reading = sessions.into_iter().map(|session| async {
            let mut reader = Reader::new(session, Tally::new(None), ());
            let mut last_byte = Instant::now();
            poll_fn(|cx| {
                if ready!(reader.poll_read_into(cx, &self.buffer))? == 0 {
                    return Poll::Ready(Ok::<_, Failure>(()));
                }
                last_byte = Instant::now();
                cx.waker().wake_by_ref(); // after the others
                Poll::Pending
            })
            .await?;
            self.count.add(1);
            // The connection is closed here: the server waits for the client to close too.
            Ok::<_, Failure>((reader.decoder.listener, last_byte))
        });
        let tallies = try_join_all(reading).await?;
        let ended = tallies.iter().map(|(_, last_byte)| *last_byte).max();
        let ended = ended.unwrap_or_else(Instant::now);
        Ok(self.add_up(tallies.iter().map(|(tally, _)| tally), ended))
    }

    /// Returns what the clients of this thread have received together.
    fn add_up<'a>(&self, tallies: impl Iterator<Item = &'a Tally>, ended: Instant) -> Received {
        let mut received = Received {
            messages: 0,
            gaps: 0,
            missed: 0,
            closings: 0,
            latencies: self
                .latencies
                .replace(Latencies::with_digits(LATENCY_DIGITS)),
            ended,
        };
        for tally in tallies {
            received.messages += tally.messages;
            received.gaps += tally.gaps;
            received.missed += tally.missed;
            received.closings += tally.closings;
        }
        received
    }
}

/// Reads with all clients until each has the broadcast `goal`.
async fn read_to(
    readers: &mut [Reader],
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
    closings: u64,
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
            closings: 0,
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
            ScannedFrame::Other(ServerFrame::Closing(closing)) if closing.reason == "shutdown" => {
                self.closings += 1;
            }
            _ => {}
        }
    }
}
