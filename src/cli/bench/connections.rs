//! `arauto bench connections`: the server's memory for a session that is idle.
//!
//! What is fair: the server's RSS, less a base, by the number of sessions. The
//! base is a server that has published as many messages with no reader, because
//! the log holds those for everybody, up to its bound, and not for the sessions:
//! what a burst adds to it is measured by another one without readers, and told
//! apart. What the kernel keeps for a socket is in no process's memory, and not in
//! these figures.

use std::time::Duration;

use serde::Serialize;

use super::crowd::Crowd;
use super::escritor::Manner;
use super::figures::{Figures, Rows, UNKNOWN, bytes, counted, known, number};
use super::press::{self, Published, Run};
use super::process::{Memory, Process};
use super::stage::Stage;
use super::watch::Count;
use super::{Bench, Common, Needs, at_least_0, at_least_1};
use crate::cli::exit::Failure;

/// The longest wait for memory to settle: more looks stuck.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How often a wait shows that it goes on.
const TICK: Duration = Duration::from_millis(100);

#[derive(clap::Args, Serialize)]
pub(super) struct Args {
    /// Sessions that are logged in and idle.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = at_least_1)]
    sessions: usize,

    /// Messages of the burst that all of them read. Before they come, two such
    /// bursts that nobody reads give the base, and what the log keeps of one.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = at_least_1)]
    messages: usize,

    /// Bytes of each message's body.
    #[arg(long, value_name = "BYTES", default_value_t = 128, value_parser = at_least_0)]
    #[serde(rename = "size_bytes")]
    size: usize,

    /// How long to wait before looking at idle sessions.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = settle)]
    #[serde(rename = "settle_seconds", serialize_with = "seconds")]
    settle: Duration,

    #[command(flatten)]
    #[serde(flatten)]
    common: Common,
}

fn settle(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time <= LONGEST => Ok(time),
        Ok(_) => Err("it must be an hour at most".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// RSS and PSS of the server, from /proc/PID/smaps_rollup. What is told by the
/// session is of RSS.
#[derive(Serialize)]
pub(super) struct Found {
    sessions: usize,
    /// After two bursts without readers.
    base: Option<Memory>,
    /// What the second of them added: the log's content, and no session's.
    log_growth_per_burst_bytes: Option<i64>,
    idle: Option<Memory>,
    after_burst: Option<Memory>,
    settled: Option<Memory>,
    idle_bytes_per_session: Option<f64>,
    /// Less the burst's own place in the log.
    after_burst_bytes_per_session: Option<f64>,
    settled_bytes_per_session: Option<f64>,
    deliveries: u64,
    deliveries_expected: u64,
    gaps: u64,
}

impl Bench for Args {
    const NAME: &'static str = "connections";
    type Figures = Found;

    fn common(&self) -> &Common {
        &self.common
    }

    fn needs(&self) -> Needs {
        Needs {
            sessions: self.sessions + 1,
            accounts: 1,
        }
    }

    async fn run(&self, stage: &mut Stage) -> Result<Found, Failure> {
        self.burst(stage).await?;
        self.wait(stage).await?;
        let first = memory(stage);
        self.burst(stage).await?;
        self.wait(stage).await?;
        let base = memory(stage);

        let mut crowd = Crowd::enter(stage, self.sessions, self.common.threads, None).await?;
        self.wait(stage).await?;
        let idle = memory(stage);

        let count = crowd.count.clone();
        let publishing = press::begin(&stage.door, self.run_of_messages(), &Count::default())?;
        let bursting = async {
            let published = publishing.done().await?;
            crowd.hear_up_to(published.last).await
        };
        let expected = self.sessions as u64 * self.messages as u64;
        let heard = stage
            .watch
            .step("burst", expected, &count, bursting)
            .await?;
        let after_burst = memory(stage);
        self.wait(stage).await?;
        let settled = memory(stage);

        let growth = growth(first, base);
        let by_session = |memory: Option<Memory>, less: Option<i64>| {
            let grown = growth_of(base, memory)? - less?;
            Some(grown as f64 / self.sessions as f64)
        };
        Ok(Found {
            sessions: self.sessions,
            base,
            log_growth_per_burst_bytes: growth,
            idle,
            after_burst,
            settled,
            idle_bytes_per_session: by_session(idle, Some(0)),
            after_burst_bytes_per_session: by_session(after_burst, growth),
            settled_bytes_per_session: by_session(settled, growth),
            deliveries: heard.messages,
            deliveries_expected: expected,
            gaps: heard.gaps,
        })
    }
}

impl Args {
    fn run_of_messages(&self) -> Run {
        Run {
            escritores: 1,
            messages: self.messages as u64,
            size: self.size,
            manner: Manner::Together,
            rate: None,
        }
    }

    /// A burst that nobody reads but the one who publishes it.
    async fn burst(&self, stage: &mut Stage) -> Result<Published, Failure> {
        let answered = Count::default();
        let publishing = press::begin(&stage.door, self.run_of_messages(), &answered)?;
        let goal = self.messages as u64;
        let step = stage.watch.step("base", goal, &answered, publishing.done());
        step.await
    }

    async fn wait(&self, stage: &mut Stage) -> Result<(), Failure> {
        let count = Count::default();
        let ticks = self.settle.as_millis().div_ceil(TICK.as_millis());
        let goal = u64::try_from(ticks).expect("it is an hour at most");
        let waiting = async {
            for _ in 0..goal {
                tokio::time::sleep(TICK).await;
                count.add(1);
            }
            Ok(())
        };
        stage.watch.step("settling", goal, &count, waiting).await
    }
}

fn memory(stage: &Stage) -> Option<Memory> {
    stage.process().and_then(Process::memory)
}

fn growth_of(before: Option<Memory>, after: Option<Memory>) -> Option<i64> {
    let signed = |bytes| i64::try_from(bytes).ok();
    Some(signed(after?.rss)? - signed(before?.rss)?)
}

/// What a burst adds to the log; memory that was given back is not less than none.
fn growth(before: Option<Memory>, after: Option<Memory>) -> Option<i64> {
    growth_of(before, after).map(|growth| growth.max(0))
}

impl Figures for Found {
    fn rows(&self, rows: &mut Rows) {
        let each = |value| known(value, |bytes| format!("{} bytes", number(bytes)));
        rows.add("a session, idle", each(self.idle_bytes_per_session));
        rows.add(
            "a session, after the burst",
            each(self.after_burst_bytes_per_session),
        );
        rows.add("a session, settled", each(self.settled_bytes_per_session));
        rows.add("sessions", self.sessions);
        for (name, memory) in [
            ("base", self.base),
            ("idle", self.idle),
            ("after the burst", self.after_burst),
            ("settled", self.settled),
        ] {
            let text = memory.map(|memory| {
                let (rss, pss) = (bytes(Some(memory.rss)), bytes(Some(memory.pss)));
                format!("{rss} RSS, {pss} PSS")
            });
            rows.add(name, text.unwrap_or_else(|| UNKNOWN.to_owned()));
        }
        let log = self.log_growth_per_burst_bytes;
        rows.add(
            "a burst in the log",
            bytes(log.and_then(|log| u64::try_from(log).ok())),
        );
        let deliveries = counted(self.deliveries, self.deliveries_expected);
        rows.add("deliveries", deliveries);
    }

    fn trouble(&self) -> Option<String> {
        (self.deliveries < self.deliveries_expected).then(|| {
            let (had, wanted, gaps) = (self.deliveries, self.deliveries_expected, self.gaps);
            format!("the sessions heard {had} messages of {wanted}, with {gaps} gaps")
        })
    }
}
