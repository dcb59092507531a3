//! Many clients in closed loops, on a few threads.

use std::cell::RefCell;
use std::time::Instant;

use arauto::RawSession;
use futures_util::future::try_join_all;
use tokio::sync::watch;

use super::client::Buffer;
use super::figures::LATENCY_DIGITS;
use super::progress::Counter;
use super::requester::{Requester, Until};
use super::target::Target;
use super::threads::{self, Merge, Worker};
use crate::cli::exit::{Failure, sysexits};
use crate::load::latencies::Latencies;

/// The work of each client.
#[derive(Debug, Clone)]
pub(super) struct Loops {
    pub(super) until: Until,
    pub(super) in_flight: usize,
    /// Bytes of a body.
    pub(super) size: usize,
    /// The account that all are logged in with, counted from 0.
    pub(super) account: usize,
}

/// The results.
pub(super) struct Answered {
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) latencies: Latencies,
}

/// Clients that are logged in and wait to be started.
pub(super) struct Requesters {
    start: watch::Sender<bool>,
    workers: Vec<Worker<Answered>>,
    /// Replies, to all of them.
    pub(super) count: Counter,
}

impl Requesters {
    /// Logs them in.
    pub(super) async fn log_in(
        target: &mut Target,
        sessions: usize,
        threads: usize,
        loops: Loops,
    ) -> Result<Requesters, Failure> {
        let (start, started) = watch::channel(false);
        let count = Counter::default();
        let (counter, account) = (count.clone(), loops.account);
        let work = move |sessions| run(sessions, loops.clone(), started.clone(), counter.clone());
        let (name, spread) = (("requesters", account), (sessions, threads));
        Ok(Requesters {
            workers: threads::log_in_and(target, name, spread, work).await?,
            start,
            count,
        })
    }

    /// Starts them.
    pub(super) fn start(&self) {
        self.start.send_replace(true);
    }

    /// Waits until they have sent enough.
    pub(super) async fn done(self) -> Result<Answered, Failure> {
        threads::merged(self.workers).await
    }
}

impl Merge for Answered {
    fn merge(&mut self, other: Answered) {
        self.latencies += &other.latencies;
        self.began = self.began.min(other.began);
        self.ended = self.ended.max(other.ended);
    }
}

async fn run(
    sessions: Vec<RawSession>,
    loops: Loops,
    mut started: watch::Receiver<bool>,
    count: Counter,
) -> Result<Answered, Failure> {
    let new = |session| {
        let until = loops.until.clone();
        Requester::new(session, loops.size, until, loops.in_flight)
    };
    let requesters = sessions.into_iter().map(new);
    let mut requesters = requesters.collect::<Result<Vec<_>, _>>()?;
    let dropped = |_| Failure::new(sysexits::SOFTWARE, "the clients were never started");
    started
        .wait_for(|started| *started)
        .await
        .map_err(dropped)?;
    let latencies = RefCell::new(Latencies::with_digits(LATENCY_DIGITS));
    let (buffer, began) = (Buffer::new(), Instant::now());
    let running = requesters.iter_mut();
    try_join_all(running.map(|requester| requester.run(&buffer, &latencies, &count))).await?;
    Ok(Answered {
        began,
        ended: Instant::now(),
        latencies: latencies.into_inner(),
    })
}
