//! `arauto bench request`: asking, in closed loops.

use serde::Serialize;

use super::asker::Until;
use super::askers::{Askers, Loops};
use super::fanout::difference;
use super::figures::{Figures, Rows, counted, known, number};
use super::latency::{Percentiles, time};
use super::process::Process;
use super::stage::Stage;
use super::{Bench, Common, Needs, at_least_0, at_least_1};
use crate::cli::exit::Failure;

#[derive(clap::Args, Serialize)]
pub(super) struct Args {
    /// Clients that ask, each in a loop of its own.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = at_least_1)]
    sessions: usize,

    /// Requests of each client.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = at_least_1)]
    #[serde(rename = "messages_per_session")]
    messages: usize,

    /// Bytes of each request's body.
    #[arg(long, value_name = "BYTES", default_value_t = 128, value_parser = at_least_0)]
    #[serde(rename = "size_bytes")]
    size: usize,

    /// Requests that each client has on their way at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_1)]
    in_flight: usize,

    #[command(flatten)]
    #[serde(flatten)]
    common: Common,
}

#[derive(Serialize)]
pub(super) struct Found {
    seconds: f64,
    requests: u64,
    requests_expected: u64,
    requests_per_second: f64,
    /// From a request's encoding to its reply's arrival.
    latency: Option<Percentiles>,
    server_cpu_seconds: Option<f64>,
    server_cpu_seconds_per_million_requests: Option<f64>,
    clients_cpu_seconds: Option<f64>,
}

impl Bench for Args {
    const NAME: &'static str = "request";
    type Figures = Found;

    fn common(&self) -> &Common {
        &self.common
    }

    fn needs(&self) -> Needs {
        Needs {
            sessions: self.sessions,
            accounts: 1,
        }
    }

    async fn run(&self, stage: &mut Stage) -> Result<Found, Failure> {
        let loops = Loops {
            until: Until::Answered(self.messages as u64),
            in_flight: self.in_flight,
            size: self.size,
            account: 0,
        };
        let askers = Askers::enter(stage, self.sessions, self.common.threads, &loops).await?;
        let server_before = stage.server_cpu();
        let own_before = Process::own().cpu_seconds();
        let count = askers.count.clone();
        askers.go();
        let requests_expected = self.sessions as u64 * self.messages as u64;
        let asking = stage
            .watch
            .step("requests", requests_expected, &count, askers.done());
        let asked = asking.await?;
        let server_cpu = difference(server_before, stage.server_cpu());
        let requests = count.get();
        let seconds = asked.ended.duration_since(asked.began).as_secs_f64();
        Ok(Found {
            seconds,
            requests,
            requests_expected,
            requests_per_second: requests as f64 / seconds,
            latency: asked.latencies.percentiles(),
            server_cpu_seconds: server_cpu,
            server_cpu_seconds_per_million_requests: server_cpu
                .map(|cpu| cpu / (requests as f64 / 1e6)),
            clients_cpu_seconds: difference(own_before, Process::own().cpu_seconds()),
        })
    }
}

impl Figures for Found {
    fn rows(&self, rows: &mut Rows) {
        rows.add("requests/s", number(self.requests_per_second));
        let requests = counted(self.requests, self.requests_expected);
        rows.add("requests", requests);
        rows.add("time", time(self.seconds));
        if let Some(latency) = &self.latency {
            latency.rows("reply", rows);
        }
        let per_million = self.server_cpu_seconds_per_million_requests;
        rows.add(
            "server's CPU, a million requests",
            known(per_million, |seconds| format!("{seconds:.2} s")),
        );
        rows.add("server's CPU", known(self.server_cpu_seconds, time));
        rows.add("clients' CPU", known(self.clients_cpu_seconds, time));
    }

    fn trouble(&self) -> Option<String> {
        (self.requests != self.requests_expected).then(|| {
            let (had, wanted) = (self.requests, self.requests_expected);
            format!("{had} requests were answered, and {wanted} were asked")
        })
    }
}
