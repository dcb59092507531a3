//! `arauto bench login`: many clients log in at the same moment.

use std::time::{Duration, Instant};

use arauto::RawSession;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::asker::{Storm, Until};
use super::askers::{Askers, Loops};
use super::door::Door;
use super::fanout::difference;
use super::figures::{Figures, Rows, bytes, counted, known, number};
use super::latency::{Latencies, Percentiles, time};
use super::process::{Memory, Process};
use super::stage::Stage;
use super::threads;
use super::watch::Count;
use super::{Bench, Common, Needs, at_least_0, at_least_1};
use crate::cli::exit::{Failure, sysexits};

/// Bytes of a request while the storm lasts.
const SIZE: usize = 128;

#[derive(clap::Args, Serialize)]
pub(super) struct Args {
    /// Clients that log in, all at the same moment.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = at_least_1)]
    sessions: usize,

    /// Accounts that they are of. They are registered before the clock runs, so
    /// that their passwords were right a short while ago.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = at_least_1)]
    accounts: usize,

    /// Stop the server and start it again before the storm: then the first login
    /// of each account costs a password hash.
    #[arg(long, conflicts_with = "endpoint")]
    restart: bool,

    /// So many further clients are in before, and make requests all the time; how
    /// long theirs take is told.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = at_least_0)]
    while_asking: usize,

    #[command(flatten)]
    #[serde(flatten)]
    common: Common,
}

#[derive(Serialize)]
pub(super) struct Found {
    /// From the first connect until all are in.
    seconds: f64,
    logins: u64,
    logins_expected: u64,
    logins_per_second: f64,
    /// From a client's first connect to its `logged_in`.
    login: Option<Percentiles>,
    /// Connects that found the listener's backlog full, and were made again.
    connects_again: u64,
    /// Requests of those already in, while the others logged in.
    asking: Option<Percentiles>,
    server_cpu_seconds: Option<f64>,
    /// What the server holds once all are in.
    memory: Option<Memory>,
}

/// How the storm went on one thread. The sessions stay until all have been counted.
struct Stormed {
    _sessions: Vec<RawSession>,
    count: u64,
    began: Instant,
    ended: Instant,
    latencies: Latencies,
}

impl Bench for Args {
    const NAME: &'static str = "login";
    type Figures = Found;

    fn common(&self) -> &Common {
        &self.common
    }

    fn needs(&self) -> Needs {
        Needs {
            sessions: self.sessions + self.while_asking,
            // Those who ask are of one more account: theirs is not in the storm.
            accounts: self.accounts + 1,
        }
    }

    async fn run(&self, stage: &mut Stage) -> Result<Found, Failure> {
        if self.restart {
            stage.restart().await?;
        }
        let storm = Storm::default();
        let askers = self.let_askers_in(stage, &storm).await?;
        let before = stage.server_cpu();
        let entered = Count::default();
        storm.begin();
        let storming = self.storm(&stage.door, &entered);
        let goal = self.sessions as u64;
        let stormed = stage.watch.step("logins", goal, &entered, storming).await?;
        storm.end();
        let server_cpu_seconds = difference(before, stage.server_cpu());
        let memory = stage.process().and_then(Process::memory);
        let asked = match askers {
            Some(askers) => Some(askers.done().await?),
            None => None,
        };
        let seconds = stormed.ended.duration_since(stormed.began);
        let seconds = seconds.max(Duration::from_micros(1)).as_secs_f64();
        Ok(Found {
            seconds,
            logins: stormed.count,
            logins_expected: goal,
            logins_per_second: stormed.count as f64 / seconds,
            login: stormed.latencies.percentiles(),
            connects_again: stage.door.again.get(),
            asking: asked.and_then(|asked| asked.latencies.percentiles()),
            server_cpu_seconds,
            memory,
        })
    }
}

impl Args {
    async fn let_askers_in(
        &self,
        stage: &mut Stage,
        storm: &Storm,
    ) -> Result<Option<Askers>, Failure> {
        if self.while_asking == 0 {
            return Ok(None);
        }
        let loops = Loops {
            until: Until::Over(storm.clone()),
            in_flight: 1,
            size: SIZE,
            account: self.accounts,
        };
        let askers = Askers::enter(stage, self.while_asking, 1, &loops).await?;
        askers.go();
        Ok(Some(askers))
    }

    async fn storm(&self, door: &Door, entered: &Count) -> Result<Stormed, Failure> {
        let (accounts, threads) = (self.accounts, self.common.threads);
        let mut works = Vec::new();
        for (thread, share) in threads::shares(self.sessions, threads).enumerate() {
            let (door, entered) = (door.clone(), entered.clone());
            let clients = (0..share).map(move |client| (thread + client * threads) % accounts);
            let work = move || async move { storm(&door, clients, &entered).await };
            works.push(threads::begin("logins", work)?);
        }
        let stormed = threads::all(works).await?.into_iter();
        let all = stormed.reduce(|mut all, other| {
            all.latencies.add(&other.latencies);
            all._sessions.extend(other._sessions);
            all.count += other.count;
            all.began = all.began.min(other.began);
            all.ended = all.ended.max(other.ended);
            all
        });
        all.ok_or_else(|| Failure::new(sysexits::SOFTWARE, "nobody logged in"))
    }
}

/// All of these accounts' clients at once.
async fn storm(
    door: &Door,
    clients: impl Iterator<Item = usize>,
    entered: &Count,
) -> Result<Stormed, Failure> {
    let began = Instant::now();
    let enter = |account| async move {
        let began = Instant::now();
        let session = door.enter(account).await?;
        entered.add(1);
        Ok::<_, Failure>((session, began.elapsed()))
    };
    let entering = stream::iter(clients.map(enter)).buffer_unordered(usize::MAX);
    let all: Vec<(RawSession, Duration)> = entering.try_collect().await?;
    let ended = Instant::now();
    let mut latencies = Latencies::new();
    all.iter().for_each(|(_, took)| latencies.record(*took));
    Ok(Stormed {
        count: all.len() as u64,
        _sessions: all.into_iter().map(|(session, _)| session).collect(),
        began,
        ended,
        latencies,
    })
}

impl Figures for Found {
    fn rows(&self, rows: &mut Rows) {
        rows.add("all in after", time(self.seconds));
        rows.add("logins", counted(self.logins, self.logins_expected));
        rows.add("logins/s", number(self.logins_per_second));
        if let Some(login) = &self.login {
            login.rows("login", rows);
        }
        rows.add("connects made again", self.connects_again);
        if let Some(asking) = &self.asking {
            asking.rows("others' reply", rows);
        }
        rows.add("server's CPU", known(self.server_cpu_seconds, time));
        let rss = self.memory.map(|memory| memory.rss);
        rows.add("server's memory, all in", bytes(rss));
    }

    fn trouble(&self) -> Option<String> {
        (self.logins != self.logins_expected).then(|| {
            let (had, wanted) = (self.logins, self.logins_expected);
            format!("{had} clients of {wanted} are in")
        })
    }
}
