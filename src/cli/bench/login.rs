//! `arauto bench login`: many clients log in at the same moment.

use std::time::{Duration, Instant};

use arauto::RawSession;
use serde::Serialize;

use super::connector::Connector;
use super::figures::LATENCY_DIGITS;
use super::figures::{Figures, Rows, bytes, counted, known, number, time};
use super::measurement::Measurement;
use super::options::{at_least_0, at_least_1};
use super::process::{self, Memory};
use super::progress::Counter;
use super::requester::{Period, Until};
use super::requesters::{Loops, Requesters};
use super::target::Target;
use super::threads::{self, Merge};
use crate::cli::exit::Failure;
use crate::load::clocks::Clocks;
use crate::load::latencies::{Latencies, Percentiles};

/// Bytes of a request that is sent while the others log in.
const REQUEST_SIZE: usize = 128;

#[derive(clap::Args, Serialize)]
pub(super) struct Args {
    /// Clients that log in, all at the same moment.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = at_least_1)]
    sessions: usize,

    /// Accounts that they log in to. They are registered before the clock starts, so
    /// that the server has checked their passwords a short while ago.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = at_least_1)]
    accounts: usize,

    /// Stop the server and start it again before the logins: then the first login
    /// of each account costs a password hash.
    #[arg(long, conflicts_with = "endpoint")]
    restart: bool,

    /// Further clients, which are logged in before and send requests all the time; how
    /// long each request takes is measured.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = at_least_0)]
    while_asking: usize,
}

#[derive(Serialize)]
pub(super) struct LoginFigures {
    /// From the first connect until all are in.
    seconds: f64,
    logins: u64,
    logins_expected: u64,
    logins_per_second: f64,
    /// From a client's first connect to its `logged_in`.
    login: Option<Percentiles>,
    /// Connects that were made again, as the listener's backlog was full.
    connects_again: u64,
    /// Requests of the clients that were logged in before, while the others logged in.
    asking: Option<Percentiles>,
    server_cpu_seconds: Option<f64>,
    /// The server's memory once all are in.
    memory: Option<Memory>,
}

/// The logins of one thread.
struct Logins {
    /// Held until the server's memory has been read.
    sessions: Vec<RawSession>,
    began: Instant,
    ended: Instant,
    latencies: Latencies,
}

impl Merge for Logins {
    fn merge(&mut self, other: Logins) {
        self.sessions.extend(other.sessions);
        self.began = self.began.min(other.began);
        self.ended = self.ended.max(other.ended);
        self.latencies += &other.latencies;
    }
}

impl Measurement for Args {
    const NAME: &'static str = "login";
    type Figures = LoginFigures;

    fn needs(&self) -> (usize, usize) {
        // The clients that send requests have an account of their own.
        (self.sessions + self.while_asking, self.accounts + 1)
    }

    async fn run(&self, threads: usize, target: &mut Target) -> Result<LoginFigures, Failure> {
        if self.restart {
            target.restart().await?;
        }
        let period = Period::default();
        let requesters = self.log_in_requesters(target, &period).await?;
        let clocks = Clocks::start(target.process());
        let count = Counter::default();
        period.begin();
        let logging_in = self.log_in_all(&target.connector, threads, &count);
        let goal = self.sessions as u64;
        let step = target.progress.step("logins", goal, &count, logging_in);
        let logins = step.await?;
        period.end();
        let server_cpu_seconds = clocks.cpu_seconds().server;
        let memory = target.process().and_then(process::memory);
        let answered = match requesters {
            Some(requesters) => Some(requesters.done().await?),
            None => None,
        };
        let seconds = logins.ended.duration_since(logins.began);
        let seconds = seconds.max(Duration::from_micros(1)).as_secs_f64();
        Ok(LoginFigures {
            seconds,
            logins: logins.sessions.len() as u64,
            logins_expected: goal,
            logins_per_second: logins.sessions.len() as f64 / seconds,
            login: logins.latencies.percentiles(),
            connects_again: target.connector.retries.get(),
            asking: answered.and_then(|answered| answered.latencies.percentiles()),
            server_cpu_seconds,
            memory,
        })
    }
}

impl Args {
    async fn log_in_requesters(
        &self,
        target: &mut Target,
        period: &Period,
    ) -> Result<Option<Requesters>, Failure> {
        if self.while_asking == 0 {
            return Ok(None);
        }
        let loops = Loops {
            until: Until::Over(period.clone()),
            in_flight: 1,
            size: REQUEST_SIZE,
            account: self.accounts,
        };
        let requesters = Requesters::log_in(target, self.while_asking, 1, loops).await?;
        requesters.start();
        Ok(Some(requesters))
    }

    async fn log_in_all(
        &self,
        connector: &Connector,
        threads: usize,
        count: &Counter,
    ) -> Result<Logins, Failure> {
        let accounts = self.accounts;
        let mut workers = Vec::new();
        for (thread, share) in threads::shares(self.sessions, threads).enumerate() {
            let (connector, count) = (connector.clone(), count.clone());
            let clients = (0..share).map(move |client| (thread + client * threads) % accounts);
            let work = move || async move { log_in(&connector, clients, &count).await };
            workers.push(threads::spawn("logins", work)?);
        }
        threads::merged(workers).await
    }
}

/// Logs clients of these accounts in, all at once.
async fn log_in(
    connector: &Connector,
    accounts: impl Iterator<Item = usize>,
    count: &Counter,
) -> Result<Logins, Failure> {
    let began = Instant::now();
    let all = connector.log_in_timed(accounts, usize::MAX, count).await?;
    let ended = Instant::now();
    let mut latencies = Latencies::with_digits(LATENCY_DIGITS);
    all.iter().for_each(|(_, took)| latencies.record(*took));
    Ok(Logins {
        sessions: all.into_iter().map(|(session, _)| session).collect(),
        began,
        ended,
        latencies,
    })
}

impl Figures for LoginFigures {
    fn rows(&self, rows: &mut Rows) {
        rows.add("all in after", time(self.seconds));
        rows.add("logins", counted(self.logins, self.logins_expected));
        rows.add("logins/s", number(self.logins_per_second));
        rows.add_latency("login", self.login.as_ref());
        rows.add("connects made again", self.connects_again);
        rows.add_latency("others' reply", self.asking.as_ref());
        rows.add("server's CPU", known(self.server_cpu_seconds, time));
        let rss = self.memory.map(|memory| memory.rss);
        rows.add("server's memory, all in", bytes(rss));
    }

    fn trouble(&self) -> Option<String> {
        (self.logins != self.logins_expected).then(|| {
            let (had, wanted) = (self.logins, self.logins_expected);
            format!("{had} clients of {wanted} are logged in")
        })
    }
}
