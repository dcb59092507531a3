//! `arauto bench connections`: the server's memory for a session that is idle.
//!
//! The figure is the server's RSS, less a base, divided by the number of sessions. The
//! base is the same server after bursts of as many messages that no session reads,
//! because the log holds messages for all sessions together, up to its bound. A second
//! burst without readers measures how much one burst adds to the log; that is shown by
//! itself. The kernel's memory for a socket belongs to no process and is not in these
//! figures.

use std::time::Duration;

use serde::Serialize;

use super::figures::{Figures, Rows, UNKNOWN, bytes, counted, known, missing, number};
use super::measurement::Measurement;
use super::options::{at_least_0, at_least_1};
use super::process::{self, Memory};
use super::progress::Counter;
use super::publishers::{self, burst};
use super::readers::{ReadTo, Readers};
use super::target::Target;
use crate::cli::exit::Failure;

/// The longest wait for memory to settle.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How often a wait moves the progress bar.
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

/// RSS and PSS of the server, from /proc/PID/smaps_rollup. The figures for one session
/// are of RSS.
#[derive(Serialize)]
pub(super) struct ConnectionsFigures {
    sessions: usize,
    /// After two bursts without readers.
    base: Option<Memory>,
    /// The growth by the second of them: content of the log, which belongs to no session.
    log_growth_per_burst_bytes: Option<i64>,
    idle: Option<Memory>,
    after_burst: Option<Memory>,
    settled: Option<Memory>,
    idle_bytes_per_session: Option<f64>,
    /// Less the burst's content in the log.
    after_burst_bytes_per_session: Option<f64>,
    settled_bytes_per_session: Option<f64>,
    deliveries: u64,
    deliveries_expected: u64,
    gaps: u64,
}

impl Measurement for Args {
    const NAME: &'static str = "connections";
    type Figures = ConnectionsFigures;

    fn needs(&self) -> (usize, usize) {
        (self.sessions + 1, publishers::ACCOUNTS)
    }

    async fn run(
        &self,
        threads: usize,
        target: &mut Target,
    ) -> Result<ConnectionsFigures, Failure> {
        self.burst(target).await?;
        self.wait(target).await?;
        let first = memory(target);
        self.burst(target).await?;
        self.wait(target).await?;
        let base = memory(target);

        let mut readers =
            Readers::log_in(target, self.sessions, threads, ReadTo::Goal(None)).await?;
        self.wait(target).await?;
        let idle = memory(target);

        let count = readers.count.clone();
        let messages = burst(self.messages, self.size);
        let answered = Counter::default();
        let mut publishing = publishers::start(&target.connector, 1, messages, &answered)?;
        let bursting = async {
            let published = publishing.done().await?;
            readers.read_up_to(published.last).await
        };
        let expected = self.sessions as u64 * self.messages as u64;
        let step = target.progress.step("burst", expected, &count, bursting);
        let received = step.await?;
        let after_burst = memory(target);
        self.wait(target).await?;
        let settled = memory(target);

        let growth = growth(first, base);
        let by_session = |memory: Option<Memory>, less: Option<i64>| {
            let grown = growth_of(base, memory)? - less?;
            Some(grown as f64 / self.sessions as f64)
        };
        Ok(ConnectionsFigures {
            sessions: self.sessions,
            base,
            log_growth_per_burst_bytes: growth,
            idle,
            after_burst,
            settled,
            idle_bytes_per_session: by_session(idle, Some(0)),
            after_burst_bytes_per_session: by_session(after_burst, growth),
            settled_bytes_per_session: by_session(settled, growth),
            deliveries: received.messages,
            deliveries_expected: expected,
            gaps: received.gaps,
        })
    }
}

impl Args {
    /// Publishes a burst that only its publisher reads.
    async fn burst(&self, target: &mut Target) -> Result<(), Failure> {
        publishers::publish_burst(target, "base", self.messages, self.size).await
    }

    async fn wait(&self, target: &mut Target) -> Result<(), Failure> {
        let count = Counter::default();
        let ticks = self.settle.as_millis().div_ceil(TICK.as_millis());
        let goal = u64::try_from(ticks).expect("it is an hour at most");
        let waiting = async {
            for _ in 0..goal {
                tokio::time::sleep(TICK).await;
                count.add(1);
            }
            Ok(())
        };
        let step = target.progress.step("settling", goal, &count, waiting);
        step.await
    }
}

fn memory(target: &Target) -> Option<Memory> {
    target.process().and_then(process::memory)
}

fn growth_of(before: Option<Memory>, after: Option<Memory>) -> Option<i64> {
    let signed = |bytes| i64::try_from(bytes).ok();
    Some(signed(after?.rss)? - signed(before?.rss)?)
}

/// Returns what a burst added to the log; 0 where memory was returned to the system.
fn growth(before: Option<Memory>, after: Option<Memory>) -> Option<i64> {
    growth_of(before, after).map(|growth| growth.max(0))
}

impl Figures for ConnectionsFigures {
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
        missing(self.deliveries, self.deliveries_expected, self.gaps)
    }
}
