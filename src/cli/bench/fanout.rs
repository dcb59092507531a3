//! `arauto bench fanout`: one message to many.

use std::time::Duration;

use arauto::RawSession;
use serde::Serialize;

use super::figures::{Figures, Rows, counted, number, time};
use super::measurement::Measurement;
use super::options::{at_least_0, at_least_1};
use super::progress::Counter;
use super::publisher::Messages;
use super::publishers::{self, Published};
use super::readers::{ReadTo, Readers, Received};
use super::target::Target;
use super::timestamp::{self, Epoch};
use crate::cli::exit::{Failure, sysexits};
use crate::load::clocks::{Clocks, CpuSeconds, per_million};
use crate::load::latencies::Percentiles;
use crate::load::output::Writes;

#[derive(clap::Args, Serialize)]
pub(super) struct Args {
    /// Leitores: logged-in clients that read every message.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = at_least_1)]
    sessions: usize,

    /// Messages, of all escritores together.
    #[arg(long, value_name = "N", default_value_t = 500_000, value_parser = at_least_1)]
    messages: usize,

    /// Bytes of each message's body.
    #[arg(long, value_name = "BYTES", default_value_t = 128, value_parser = at_least_0)]
    #[serde(rename = "size_bytes")]
    size: usize,

    /// Clients that publish.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_1)]
    escritores: usize,

    /// Write each message by itself, not as many together as the socket takes.
    #[arg(long)]
    single_writes: bool,

    /// Publish this many messages a second, of all escritores together, and measure how
    /// long each delivery takes from when its message is due [default: as fast as the
    /// server takes them].
    #[arg(long, value_name = "N", value_parser = rate)]
    #[serde(rename = "rate_per_second")]
    rate: Option<f64>,

    /// Further leitores, which log in and then never read.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = at_least_0)]
    stalled: usize,
}

/// The figures. A delivery is one message at one leitor.
#[derive(Serialize)]
pub(super) struct FanoutFigures {
    /// From the first message's writing to the last delivery.
    seconds: f64,
    deliveries: u64,
    deliveries_expected: u64,
    deliveries_per_second: f64,
    messages_per_second: f64,
    /// Until the last message was answered with `published`.
    publishing_seconds: f64,
    /// Gaps that the leitores were told of (not the stalled ones), and the
    /// broadcasts in them.
    gaps: u64,
    missed: u64,
    server_cpu_seconds: Option<f64>,
    server_cpu_seconds_per_million_deliveries: Option<f64>,
    /// Of all clients: it shows whether the clients were what was slow.
    clients_cpu_seconds: Option<f64>,
    /// From when a message was due to its delivery; with a rate only.
    delivery_latency: Option<Percentiles>,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.01..=1e7).contains(&rate) => Ok(rate),
        _ => Err("it must be a number of messages a second".to_owned()),
    }
}

impl Measurement for Args {
    const NAME: &'static str = "fanout";
    type Figures = FanoutFigures;

    fn needs(&self) -> (usize, usize) {
        (
            self.sessions + self.stalled + self.escritores,
            publishers::ACCOUNTS,
        )
    }

    fn check(&self) -> Result<(), Failure> {
        if self.rate.is_some() && self.size < timestamp::LENGTH {
            let length = timestamp::LENGTH;
            let message = format!("with --rate the time is in the body: give --size {length}");
            return Err(Failure::new(sysexits::USAGE, message));
        }
        Ok(())
    }

    async fn run(&self, threads: usize, target: &mut Target) -> Result<FanoutFigures, Failure> {
        let epoch = Epoch::now();
        let read_to = ReadTo::Goal(self.rate.map(|_| epoch));
        let stalled = self.log_in_stalled(target).await?;
        let mut readers = Readers::log_in(target, self.sessions, threads, read_to).await?;
        let messages = Messages {
            count: self.messages as u64,
            size: self.size,
            writes: match self.single_writes {
                true => Writes::Single,
                false => Writes::Pipelined,
            },
            rate: self.rate.map(|rate| (rate, epoch)),
        };
        let clocks = Clocks::start(target.process());
        let (count, answered) = (readers.count.clone(), Counter::default());
        let connector = &target.connector;
        let mut publishing = publishers::start(connector, self.escritores, messages, &answered)?;
        let fanning_out = async {
            let published = publishing.done().await?;
            let received = readers.read_up_to(published.last).await?;
            Ok((published, received))
        };
        let goal = self.expected();
        let step = target.progress.step("fanout", goal, &count, fanning_out);
        let (published, received) = step.await?;
        let cpu = clocks.cpu_seconds();
        drop(stalled); // before the server stops and waits for them to read
        Ok(self.figures(published, &received, cpu))
    }
}

impl Args {
    fn expected(&self) -> u64 {
        self.messages as u64 * self.sessions as u64
    }

    async fn log_in_stalled(&self, target: &mut Target) -> Result<Vec<RawSession>, Failure> {
        let (count, goal) = (Counter::default(), self.stalled as u64);
        let logging_in = target.connector.log_in_all(self.stalled, 0..1, &count);
        let step = target.progress.step("stalled", goal, &count, logging_in);
        step.await
    }

    fn figures(&self, published: Published, received: &Received, cpu: CpuSeconds) -> FanoutFigures {
        let since = |end: std::time::Instant| end.duration_since(published.began);
        let seconds = since(received.ended)
            .max(Duration::from_micros(1))
            .as_secs_f64();
        FanoutFigures {
            seconds,
            deliveries: received.messages,
            deliveries_expected: self.expected(),
            deliveries_per_second: received.messages as f64 / seconds,
            messages_per_second: self.messages as f64 / seconds,
            publishing_seconds: since(published.ended).as_secs_f64(),
            gaps: received.gaps,
            missed: received.missed,
            server_cpu_seconds: cpu.server,
            server_cpu_seconds_per_million_deliveries: cpu
                .server
                .map(|cpu| per_million(cpu, received.messages)),
            clients_cpu_seconds: cpu.load,
            delivery_latency: received.latencies.percentiles(),
        }
    }
}

impl Figures for FanoutFigures {
    fn rows(&self, rows: &mut Rows) {
        rows.add("deliveries/s", number(self.deliveries_per_second));
        rows.add("messages/s", number(self.messages_per_second));
        let deliveries = counted(self.deliveries, self.deliveries_expected);
        rows.add("deliveries", deliveries);
        let gaps = format!("{} ({} broadcasts)", self.gaps, self.missed);
        rows.add(
            "gaps",
            if self.gaps == 0 {
                "none".to_owned()
            } else {
                gaps
            },
        );
        rows.add("time", time(self.seconds));
        rows.add_latency("delivery", self.delivery_latency.as_ref());
        let cpu = (self.server_cpu_seconds, self.clients_cpu_seconds);
        rows.add_cpu(cpu, self.deliveries, ("deliveries", 4));
    }

    fn trouble(&self) -> Option<String> {
        if self.gaps > 0 {
            return Some(format!(
                "the leitores were told of {} gaps (the stalled ones are not counted)",
                self.gaps
            ));
        }
        // More are no error: other clients may publish to a server that runs.
        (self.deliveries < self.deliveries_expected).then(|| {
            let (had, wanted) = (self.deliveries, self.deliveries_expected);
            format!("the leitores received {had} messages of {wanted}")
        })
    }
}
