//! `arauto bench request`: requests in closed loops.

use serde::Serialize;

use super::figures::{Figures, Rows, counted, number, time};
use super::measurement::Measurement;
use super::options::{at_least_0, at_least_1};
use super::requester::Until;
use super::requesters::{Loops, Requesters};
use super::target::Target;
use crate::cli::exit::Failure;
use crate::load::clocks::{Clocks, per_million};
use crate::load::latencies::Percentiles;

#[derive(clap::Args, Serialize)]
pub(super) struct Args {
    /// Clients that send requests, each in a loop of its own.
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
}

#[derive(Serialize)]
pub(super) struct RequestFigures {
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

impl Measurement for Args {
    const NAME: &'static str = "request";
    type Figures = RequestFigures;

    fn needs(&self) -> (usize, usize) {
        (self.sessions, 1)
    }

    async fn run(&self, threads: usize, target: &mut Target) -> Result<RequestFigures, Failure> {
        let loops = Loops {
            until: Until::Answered(self.messages as u64),
            in_flight: self.in_flight,
            size: self.size,
            account: 0,
        };
        let requesters = Requesters::log_in(target, self.sessions, threads, loops).await?;
        let clocks = Clocks::start(target.process());
        let count = requesters.count.clone();
        requesters.start();
        let requests_expected = self.sessions as u64 * self.messages as u64;
        let done = requesters.done();
        let step = target
            .progress
            .step("requests", requests_expected, &count, done);
        let answered = step.await?;
        let cpu = clocks.cpu_seconds();
        let requests = count.get();
        let seconds = answered.ended.duration_since(answered.began).as_secs_f64();
        Ok(RequestFigures {
            seconds,
            requests,
            requests_expected,
            requests_per_second: requests as f64 / seconds,
            latency: answered.latencies.percentiles(),
            server_cpu_seconds: cpu.server,
            server_cpu_seconds_per_million_requests: cpu
                .server
                .map(|cpu| per_million(cpu, requests)),
            clients_cpu_seconds: cpu.load,
        })
    }
}

impl Figures for RequestFigures {
    fn rows(&self, rows: &mut Rows) {
        rows.add("requests/s", number(self.requests_per_second));
        let requests = counted(self.requests, self.requests_expected);
        rows.add("requests", requests);
        rows.add("time", time(self.seconds));
        rows.add_latency("reply", self.latency.as_ref());
        let cpu = (self.server_cpu_seconds, self.clients_cpu_seconds);
        rows.add_cpu(cpu, self.requests, ("requests", 2));
    }

    fn trouble(&self) -> Option<String> {
        (self.requests != self.requests_expected).then(|| {
            let (had, wanted) = (self.requests, self.requests_expected);
            format!("{had} requests of {wanted} were answered")
        })
    }
}
