//! `arauto bench fanout`: one message to many.

use std::time::Duration;

use arauto::RawSession;
use serde::Serialize;

use super::crowd::{Crowd, Heard};
use super::escritor::Manner;
use super::figures::{Figures, Rows, counted, known, number};
use super::latency::{Percentiles, time};
use super::press::{self, Published, Run};
use super::process::Process;
use super::stage::Stage;
use super::stamp::{self, Epoch};
use super::watch::Count;
use super::{Bench, Common, Needs, at_least_0, at_least_1};
use crate::cli::exit::{Failure, sysexits};

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

    /// Publish so many a second, of all escritores together, and tell how long each
    /// delivery took since its message was due [default: as fast as it goes].
    #[arg(long, value_name = "N", value_parser = rate)]
    #[serde(rename = "rate_per_second")]
    rate: Option<f64>,

    /// Further leitores, which log in and then never read.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = at_least_0)]
    stalled: usize,

    #[command(flatten)]
    #[serde(flatten)]
    common: Common,
}

/// What was found; a delivery is one message at one leitor.
#[derive(Serialize)]
pub(super) struct Found {
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
    /// Of all clients, so that one sees who had to wait for whom.
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

impl Bench for Args {
    const NAME: &'static str = "fanout";
    type Figures = Found;

    fn common(&self) -> &Common {
        &self.common
    }

    fn needs(&self) -> Needs {
        Needs {
            sessions: self.sessions + self.stalled + self.escritores,
            accounts: 1,
        }
    }

    fn check(&self) -> Result<(), Failure> {
        if self.rate.is_some() && self.size < stamp::LENGTH {
            let length = stamp::LENGTH;
            let message = format!("with --rate the time is in the body: give --size {length}");
            return Err(Failure::new(sysexits::USAGE, message));
        }
        Ok(())
    }

    async fn run(&self, stage: &mut Stage) -> Result<Found, Failure> {
        let epoch = Epoch::now();
        let timed = self.rate.map(|_| epoch);
        let stalled = self.let_stalled_in(stage).await?;
        let mut crowd = Crowd::enter(stage, self.sessions, self.common.threads, timed).await?;
        let run = Run {
            escritores: self.escritores,
            messages: self.messages as u64,
            size: self.size,
            manner: match self.single_writes {
                true => Manner::OneByOne,
                false => Manner::Together,
            },
            rate: self.rate.map(|rate| (rate, epoch)),
        };
        let server_before = stage.server_cpu();
        let own_before = Process::own().cpu_seconds();
        let count = crowd.count.clone();
        let publishing = press::begin(&stage.door, run, &Count::default())?;
        let fanning_out = async {
            let published = publishing.done().await?;
            let heard = crowd.hear_up_to(published.last).await?;
            Ok((published, heard))
        };
        let goal = self.expected();
        let step = stage.watch.step("fanout", goal, &count, fanning_out);
        let (published, heard) = step.await?;
        let server = difference(server_before, stage.server_cpu());
        let own = difference(own_before, Process::own().cpu_seconds());
        drop(stalled); // before the server waits for them to read
        Ok(self.found(published, &heard, server, own))
    }
}

impl Args {
    fn expected(&self) -> u64 {
        self.messages as u64 * self.sessions as u64
    }

    async fn let_stalled_in(&self, stage: &mut Stage) -> Result<Vec<RawSession>, Failure> {
        let count = Count::default();
        let door = stage.door.clone();
        let entering = door.enter_all(self.stalled, 0..1, &count);
        let goal = self.stalled as u64;
        stage.watch.step("stalled", goal, &count, entering).await
    }

    fn found(
        &self,
        published: Published,
        heard: &Heard,
        server_cpu: Option<f64>,
        clients_cpu: Option<f64>,
    ) -> Found {
        let since = |end: std::time::Instant| end.duration_since(published.began);
        let seconds = since(heard.ended)
            .max(Duration::from_micros(1))
            .as_secs_f64();
        Found {
            seconds,
            deliveries: heard.messages,
            deliveries_expected: self.expected(),
            deliveries_per_second: heard.messages as f64 / seconds,
            messages_per_second: self.messages as f64 / seconds,
            publishing_seconds: since(published.ended).as_secs_f64(),
            gaps: heard.gaps,
            missed: heard.missed,
            server_cpu_seconds: server_cpu,
            server_cpu_seconds_per_million_deliveries: server_cpu
                .map(|cpu| cpu / (heard.messages.max(1) as f64 / 1e6)),
            clients_cpu_seconds: clients_cpu,
            delivery_latency: heard.latencies.percentiles(),
        }
    }
}

/// What was added between two looks.
pub(super) fn difference(before: Option<f64>, after: Option<f64>) -> Option<f64> {
    Some((after? - before?).max(0.0))
}

impl Figures for Found {
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
        if let Some(latency) = &self.delivery_latency {
            latency.rows("delivery", rows);
        }
        let per_million = self.server_cpu_seconds_per_million_deliveries;
        rows.add(
            "server's CPU, a million deliveries",
            known(per_million, |seconds| format!("{seconds:.4} s")),
        );
        rows.add("server's CPU", known(self.server_cpu_seconds, time));
        rows.add("clients' CPU", known(self.clients_cpu_seconds, time));
    }

    fn trouble(&self) -> Option<String> {
        if self.gaps > 0 {
            return Some(format!(
                "leitores that read were told of {} gaps",
                self.gaps
            ));
        }
        // Others may publish to a server that runs: that is no loss.
        (self.deliveries < self.deliveries_expected).then(|| {
            let (had, wanted) = (self.deliveries, self.deliveries_expected);
            format!("the leitores heard {had} messages, and should have heard {wanted}")
        })
    }
}
