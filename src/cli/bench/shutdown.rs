//! `arauto bench shutdown`: a server with many sessions is told to stop.

use std::time::{Duration, Instant};

use arauto::{Client, PhaseLine};
use serde::Serialize;

use super::figures::{Figures, Rows, counted, known, missing, time};
use super::measurement::Measurement;
use super::options::{at_least_0, at_least_1};
use super::process;
use super::progress::Counter;
use super::publishers;
use super::readers::{ReadTo, Readers, Received};
use super::target::Target;
use crate::cli::exit::Failure;
use crate::load::clocks::Process;

/// How often to look whether a server that is no child of the bench has ended.
const POLL: Duration = Duration::from_micros(500);

#[derive(clap::Args, Serialize)]
pub(super) struct Args {
    /// Sessions that are logged in and read.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = at_least_1)]
    sessions: usize,

    /// Messages that are published just before the order.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = at_least_1)]
    messages: usize,

    /// Bytes of each message's body.
    #[arg(long, value_name = "BYTES", default_value_t = 128, value_parser = at_least_0)]
    #[serde(rename = "size_bytes")]
    size: usize,
}

#[derive(Serialize)]
pub(super) struct ShutdownFigures {
    sessions: usize,
    /// From the order (SIGTERM; `shutdown` where the server is not the bench's own)
    /// until the process is gone.
    order_to_exit_seconds: Option<f64>,
    /// Until the last client had read its last byte.
    order_to_last_byte_seconds: f64,
    last_byte_to_exit_seconds: Option<f64>,
    /// The first of these, divided by the number of sessions.
    exit_us_per_session: Option<f64>,
    server_cpu_us_per_session: Option<f64>,
    /// Sessions that were told `closing` with the reason `shutdown`.
    closings: u64,
    deliveries: u64,
    deliveries_expected: u64,
    gaps: u64,
    /// From the server's own report.
    phases: Option<Vec<PhaseLine>>,
}

/// When and how the server's process ended, as far as it is known.
#[derive(Default)]
struct Exited {
    at: Option<Instant>,
    cpu_seconds: Option<f64>,
    phases: Option<Vec<PhaseLine>>,
}

impl Measurement for Args {
    const NAME: &'static str = "shutdown";
    type Figures = ShutdownFigures;

    fn needs(&self) -> (usize, usize) {
        (self.sessions + 2, publishers::ACCOUNTS)
    }

    async fn run(&self, threads: usize, target: &mut Target) -> Result<ShutdownFigures, Failure> {
        let readers = Readers::log_in(target, self.sessions, threads, ReadTo::End).await?;
        let admin = match target.own {
            Some(_) => None,
            None => Some(log_in_admin(target).await?),
        };
        publishers::publish_burst(target, "publishing", self.messages, self.size).await?;
        target.note_peak();
        let before = target.process().and_then(Process::cpu_seconds);
        let ordered = Instant::now();
        order_stop(target, admin).await?;
        let goal = self.sessions as u64;
        let count = readers.count.clone();
        let closing = target
            .progress
            .step("closing", goal, &count, readers.done());
        let received = closing.await?;
        let exited = wait_for_exit(target).await?;
        Ok(self.figures(ordered, &received, before, exited))
    }
}

/// Logs in to a server that is not the bench's own, to stop it. The account must be an
/// admin's.
async fn log_in_admin(target: &Target) -> Result<Client, Failure> {
    let connector = &target.connector;
    let connected = Client::connect_with(&connector.endpoint, &connector.trust).await?;
    let user = connector.account_name(0);
    let (client, _) = connected.login(&user, &connector.password).await?;
    Ok(client)
}

async fn order_stop(target: &Target, admin: Option<Client>) -> Result<(), Failure> {
    match (&target.own, admin) {
        (Some(own), _) => own.order_stop(),
        (None, Some(admin)) => Ok(admin.shutdown(false).await.map(drop)?),
        (None, None) => {
            unreachable!("an admin is logged in where the server is not the bench's own")
        }
    }
}

/// Waits for the process's end.
async fn wait_for_exit(target: &mut Target) -> Result<Exited, Failure> {
    let count = Counter::default();
    if let Some(mut own) = target.own.take() {
        let ending = own.stopped();
        let stopped = target.progress.step("exit", 1, &count, ending).await?;
        target.note_exit(stopped.exit);
        if stopped.exit != Some(0) {
            return Err(own.failed(&format!("it stopped with {:?}", stopped.exit)));
        }
        return Ok(Exited {
            at: Some(stopped.at),
            cpu_seconds: stopped.cpu_seconds,
            phases: Some(stopped.report.phases),
        });
    }
    let Some(process) = target.process() else {
        return Ok(Exited::default());
    };
    let ending = async {
        while !process::has_ended(process) {
            tokio::time::sleep(POLL).await;
        }
        Ok(Instant::now())
    };
    let at = target.progress.step("exit", 1, &count, ending).await?;
    Ok(Exited {
        at: Some(at),
        ..Exited::default()
    })
}

impl Args {
    fn figures(
        &self,
        ordered: Instant,
        received: &Received,
        before: Option<f64>,
        exited: Exited,
    ) -> ShutdownFigures {
        let sessions = self.sessions as f64;
        let since = |end: Instant, start: Instant| end.saturating_duration_since(start);
        let order_to_exit_seconds = exited.at.map(|at| since(at, ordered).as_secs_f64());
        let cpu = exited.cpu_seconds.zip(before);
        let cpu = cpu.map(|(after, before)| (after - before).max(0.0));
        ShutdownFigures {
            sessions: self.sessions,
            order_to_exit_seconds,
            order_to_last_byte_seconds: since(received.ended, ordered).as_secs_f64(),
            last_byte_to_exit_seconds: exited.at.map(|at| since(at, received.ended).as_secs_f64()),
            exit_us_per_session: order_to_exit_seconds.map(|exit| exit * 1e6 / sessions),
            server_cpu_us_per_session: cpu.map(|cpu| cpu * 1e6 / sessions),
            closings: received.closings,
            deliveries: received.messages,
            deliveries_expected: self.sessions as u64 * self.messages as u64,
            gaps: received.gaps,
            phases: exited.phases,
        }
    }
}

impl Figures for ShutdownFigures {
    fn rows(&self, rows: &mut Rows) {
        rows.add("order to exit", known(self.order_to_exit_seconds, time));
        rows.add(
            "order to last byte read",
            time(self.order_to_last_byte_seconds),
        );
        rows.add(
            "last byte read to exit",
            known(self.last_byte_to_exit_seconds, time),
        );
        let micros = |value| known(value, |micros| time(micros / 1e6));
        rows.add("a session", micros(self.exit_us_per_session));
        rows.add(
            "server's CPU, a session",
            micros(self.server_cpu_us_per_session),
        );
        for line in self.phases.iter().flatten() {
            let late = if line.in_time { "" } else { ", too late" };
            let name = format!("phase {}", line.phase);
            rows.add(&name, format!("{} ms{late}", line.took_ms));
        }
        let closings = counted(self.closings, self.sessions as u64);
        rows.add("closed in order", closings);
        let deliveries = counted(self.deliveries, self.deliveries_expected);
        rows.add("deliveries", deliveries);
    }

    fn trouble(&self) -> Option<String> {
        if self.closings != self.sessions as u64 {
            let (had, wanted) = (self.closings, self.sessions);
            return Some(format!("{had} sessions of {wanted} were closed in order"));
        }
        missing(self.deliveries, self.deliveries_expected, self.gaps)
    }
}
