//! `arauto bench shutdown`: a server with many sessions is told to stop.

use std::time::{Duration, Instant};

use arauto::{Client, PhaseLine};
use serde::Serialize;

use super::closers::{Closed, Closers};
use super::escritor::Manner;
use super::fanout::difference;
use super::figures::{Figures, Rows, counted, known};
use super::latency::time;
use super::press::{self, Run};
use super::stage::Stage;
use super::watch::Count;
use super::{Bench, Common, Needs, at_least_0, at_least_1};
use crate::cli::exit::Failure;

/// How often to look whether a server that is no child of ours is gone.
const LOOK: Duration = Duration::from_micros(500);

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

    #[command(flatten)]
    #[serde(flatten)]
    common: Common,
}

#[derive(Serialize)]
pub(super) struct Found {
    sessions: usize,
    /// From the order (SIGTERM; `shutdown` where the server is not the bench's own)
    /// until the process is gone.
    order_to_exit_seconds: Option<f64>,
    /// Until the last client had read its last byte.
    order_to_last_byte_seconds: f64,
    last_byte_to_exit_seconds: Option<f64>,
    /// The first of these, by the number of sessions.
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
struct Gone {
    at: Option<Instant>,
    cpu_seconds: Option<f64>,
    phases: Option<Vec<PhaseLine>>,
}

impl Bench for Args {
    const NAME: &'static str = "shutdown";
    type Figures = Found;

    fn common(&self) -> &Common {
        &self.common
    }

    fn needs(&self) -> Needs {
        Needs {
            sessions: self.sessions + 2,
            accounts: 1,
        }
    }

    async fn run(&self, stage: &mut Stage) -> Result<Found, Failure> {
        let closers = Closers::enter(stage, self.sessions, self.common.threads).await?;
        let admin = match stage.own {
            Some(_) => None,
            None => Some(admin(stage).await?),
        };
        let run = Run {
            escritores: 1,
            messages: self.messages as u64,
            size: self.size,
            manner: Manner::Together,
            rate: None,
        };
        let answered = Count::default();
        let publishing = press::begin(&stage.door, run, &answered)?.done();
        let goal = self.messages as u64;
        stage
            .watch
            .step("publishing", goal, &answered, publishing)
            .await?;
        stage.look();
        let before = stage.server_cpu();
        let ordered = Instant::now();
        order(stage, admin).await?;
        let goal = self.sessions as u64;
        let count = closers.count.clone();
        let closing = stage.watch.step("closing", goal, &count, closers.done());
        let closed = closing.await?;
        let gone = gone(stage).await?;
        Ok(self.found(ordered, &closed, before, gone))
    }
}

/// One who may stop a server that is not our own.
async fn admin(stage: &Stage) -> Result<Client, Failure> {
    let door = &stage.door;
    let user = format!("{}-1", door.user);
    let visitor = Client::connect_with(&door.endpoint, &door.trust).await?;
    let (client, _) = visitor.login(&user, &door.password).await?;
    Ok(client)
}

async fn order(stage: &Stage, admin: Option<Client>) -> Result<(), Failure> {
    match (&stage.own, admin) {
        (Some(own), _) => own.order_stop(),
        (None, Some(admin)) => Ok(admin.shutdown(false).await.map(drop)?),
        (None, None) => unreachable!("a server that is not our own has been given an admin"),
    }
}

/// Waits for the process's end.
async fn gone(stage: &mut Stage) -> Result<Gone, Failure> {
    if let Some(mut own) = stage.own.take() {
        let ending = own.stopped();
        let count = Count::default();
        let stopped = stage.watch.step("exit", 1, &count, ending).await?;
        stage.ended(stopped.exit);
        if stopped.exit != Some(0) {
            return Err(own.failed(&format!("it stopped with {:?}", stopped.exit)));
        }
        return Ok(Gone {
            at: Some(stopped.at),
            cpu_seconds: stopped.cpu_seconds,
            phases: Some(stopped.report.phases),
        });
    }
    let Some(process) = stage.process() else {
        return Ok(Gone::default());
    };
    let ending = async {
        while !process.is_over() {
            tokio::time::sleep(LOOK).await;
        }
        Ok(Instant::now())
    };
    let at = stage
        .watch
        .step("exit", 1, &Count::default(), ending)
        .await?;
    Ok(Gone {
        at: Some(at),
        ..Gone::default()
    })
}

impl Args {
    fn found(&self, ordered: Instant, closed: &Closed, before: Option<f64>, gone: Gone) -> Found {
        let sessions = self.sessions as f64;
        let since = |end: Instant, start: Instant| end.saturating_duration_since(start);
        let order_to_exit_seconds = gone.at.map(|at| since(at, ordered).as_secs_f64());
        let cpu = difference(before, gone.cpu_seconds);
        Found {
            sessions: self.sessions,
            order_to_exit_seconds,
            order_to_last_byte_seconds: since(closed.last_byte, ordered).as_secs_f64(),
            last_byte_to_exit_seconds: gone.at.map(|at| since(at, closed.last_byte).as_secs_f64()),
            exit_us_per_session: order_to_exit_seconds.map(|exit| exit * 1e6 / sessions),
            server_cpu_us_per_session: cpu.map(|cpu| cpu * 1e6 / sessions),
            closings: closed.closings,
            deliveries: closed.messages,
            deliveries_expected: self.sessions as u64 * self.messages as u64,
            gaps: closed.gaps,
            phases: gone.phases,
        }
    }
}

impl Figures for Found {
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
        (self.deliveries < self.deliveries_expected).then(|| {
            let (had, wanted, gaps) = (self.deliveries, self.deliveries_expected, self.gaps);
            format!("the sessions heard {had} messages of {wanted}, with {gaps} gaps")
        })
    }
}
