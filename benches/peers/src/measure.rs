//! Gives each system the same work in turn, round after round.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::affinity::{self, Pinned};
use crate::load::{
    Figures, commits, delivery, fan_out, loops, memory, publishers, round_trips, services, starts,
    topics,
};
use crate::peer::System;
use crate::rows::{Cpus, Row, Work};
use crate::start::{self, Programs, Running, Setup};

/// A run lasts about this long, where the amount of work is free.
const RUN_SECONDS: f64 = 2.0;

/// The shortest probe that tells a rate.
const PROBE_SECONDS: f64 = 0.4;

/// The topics or subscriptions of a run that measures their memory.
const HELD: u64 = 100_000;

/// How the measuring is done.
#[derive(Debug)]
pub struct Plan {
    /// The programs that are not found by their names.
    pub programs: Programs,
    /// How many times each system is measured.
    pub rounds: usize,
    /// Whether only the counts matter, and each run is as short as can be.
    pub quick: bool,
    /// A folder on a disk, for data folders.
    pub disk: PathBuf,
}

impl Plan {
    fn setup(&self, row: &Row) -> Result<Setup<'_>> {
        Ok(Setup {
            cpu: match row.cpus {
                Cpus::One => Some(affinity::first_cpu()?),
                Cpus::All => None,
            },
            tls: row.tls,
            storage: row.storage,
            disk: &self.disk,
        })
    }
}

/// The figures of one system in a row: one entry a round.
#[derive(Debug, Serialize, Deserialize)]
pub struct Runs {
    /// The system.
    pub system: System,
    /// Round by round.
    pub rounds: Vec<Figures>,
    /// Why a run failed; then there are fewer rounds.
    pub failed: Option<String>,
}

/// The figures of a row.
#[derive(Debug, Serialize, Deserialize)]
pub struct RowResult {
    /// The row's id.
    pub row: String,
    /// One entry a system.
    pub runs: Vec<Runs>,
}

impl RowResult {
    /// Returns the figures of one system.
    pub fn of(&self, system: System) -> Option<&Runs> {
        self.runs.iter().find(|runs| runs.system == system)
    }
}

struct Candidate {
    system: System,
    /// Its server, unless it has none or the work itself starts it.
    running: Option<Running>,
    amount: u64,
}

/// Measures one row: starts the servers, finds out how much work fills a run,
/// and then A B C, A B C, and so on.
pub fn row(row: &Row, plan: &Plan) -> RowResult {
    eprintln!("{}", row.title);
    let mut candidates = Vec::new();
    let mut runs = Vec::new();
    for system in row.systems {
        let (candidate, failed) = match prepare(row, *system, plan) {
            Ok(candidate) => (Some(candidate), None),
            Err(error) => (None, Some(complain(*system, &error))),
        };
        candidates.push(candidate);
        runs.push(Runs {
            system: *system,
            rounds: Vec::new(),
            failed,
        });
    }
    for round in 1..=plan.rounds {
        for (candidate, runs) in candidates.iter_mut().zip(&mut runs) {
            let Some(measured) = candidate else {
                continue;
            };
            match run(row, plan, measured, measured.amount) {
                Ok(figures) => {
                    progress(round, runs.system, &figures);
                    runs.rounds.push(figures);
                }
                Err(error) => {
                    let lines = measured.running.as_ref().map(|it| it.server.last_lines());
                    let error = error.context(lines.unwrap_or_default());
                    runs.failed = Some(complain(runs.system, &error));
                    *candidate = None; // its state is unknown
                }
            }
        }
    }
    RowResult {
        row: row.id.to_owned(),
        runs,
    }
}

fn complain(system: System, error: &anyhow::Error) -> String {
    eprintln!("  {}: failed: {error:#}", system.name());
    format!("{error:#}")
}

fn progress(round: usize, system: System, figures: &Figures) {
    let (name, rate, cpu) = (system.name(), figures.rate, figures.cpu);
    eprint!("  {round} {name:20} {rate:12.0}/s");
    if let Some(cpu) = cpu {
        eprint!("  cpu {cpu:7.4} s/million");
    }
    eprint!("  busy: load {:3.0}%", figures.load_busy * 100.0);
    if let Some(others) = figures.others_busy {
        eprint!(", others {:2.0}%", others * 100.0);
    }
    if let (Some(p50), Some(p99)) = (figures.p50, figures.p99) {
        eprint!("  p50 {p50:.1} us  p99 {p99:.1} us");
    }
    if let Some(bytes) = figures.bytes {
        eprint!("  {bytes:.0} bytes each");
    }
    match figures.lost {
        0 => eprintln!(),
        lost => eprintln!("  {lost} LOST"),
    }
}

fn prepare(row: &Row, system: System, plan: &Plan) -> Result<Candidate> {
    let is_started_by_work = matches!(row.work, Work::Starts(_) | Work::Memory(_));
    let running = match is_started_by_work || system == System::Sqlite {
        true => None,
        false => Some(start::start(system, plan.setup(row)?, &plan.programs)?),
    };
    let mut candidate = Candidate {
        system,
        running,
        amount: little(row.work),
    };
    if !plan.quick {
        let enough = enough(row, plan, &candidate);
        candidate.amount = enough.context("while finding out how fast it is")?;
    }
    Ok(candidate)
}

/// Does the work once: `amount` messages or requests.
fn run(row: &Row, plan: &Plan, candidate: &Candidate, amount: u64) -> Result<Figures> {
    let setup = plan.setup(row)?;
    let _pinned = setup.cpu.map(Pinned::to).transpose()?;
    let Some(running) = &candidate.running else {
        return match row.work {
            Work::Starts(moment) => {
                starts::run(moment, candidate.system, setup, &plan.programs, amount)
            }
            Work::Memory(held) => {
                memory::run(held, candidate.system, setup, &plan.programs, amount)
            }
            Work::Commits { size } => commits::sqlite(size, &plan.disk, amount),
            _ => bail!("{} has no server for this work", candidate.system.name()),
        };
    };
    match row.work {
        Work::FanOut(work) => fan_out::run(work, running, amount),
        Work::Loops(work) => loops::run(work, running, amount),
        Work::Delivery { size } => delivery::run(size, running, amount),
        Work::RoundTrips { size } => round_trips::run(size, running, amount),
        Work::Publishers(work) => publishers::run(work, running, amount),
        Work::Commits { size } => commits::run(size, running, amount),
        Work::Services(work) => services::run(work, running, amount),
        Work::Topics(work) => topics::run(work.fitted(plan.quick), running, amount),
        Work::Starts(_) | Work::Memory(_) => bail!("servers that run are not started"),
    }
}

/// Returns an amount that takes a moment only.
fn little(work: Work) -> u64 {
    match work {
        Work::FanOut(fan_out::FanOut {
            pace: Some(pace), ..
        }) => pace / 5,
        Work::FanOut(work) => (20_000 / work.readers).max(work.publishers) as u64,
        Work::RoundTrips { .. } | Work::Delivery { .. } => 1000,
        Work::Services(work) if work.is_one_at_a_time() => 1000,
        Work::Loops(_) | Work::Services(_) => 6400,
        Work::Publishers(work) => (work.publishers * work.in_flight) as u64,
        Work::Commits { .. } => 100,
        Work::Topics(work) => 20_000 / work.deliveries().max(1) as u64,
        Work::Memory(_) => 1000,
        Work::Starts(_) => 3,
    }
}

/// Returns the amount that fills a run, by probing with more and more.
fn enough(row: &Row, plan: &Plan, candidate: &Candidate) -> Result<u64> {
    let deliveries_each = match row.work {
        Work::FanOut(fan_out::FanOut {
            pace: Some(pace), ..
        }) => return Ok(pace * 3),
        Work::RoundTrips { .. } | Work::Delivery { .. } => return Ok(50_000),
        Work::Services(work) if work.is_one_at_a_time() => return Ok(50_000),
        Work::Starts(_) => return Ok(10),
        Work::Memory(_) => return Ok(HELD),
        Work::Topics(work) => work.deliveries().max(1) as f64,
        Work::FanOut(work) => work.readers as f64,
        Work::Loops(_) | Work::Services(_) | Work::Publishers(_) | Work::Commits { .. } => 1.0,
    };
    let mut amount = little(row.work);
    loop {
        let figures = run(row, plan, candidate, amount)?;
        if figures.seconds >= PROBE_SECONDS {
            return Ok((figures.rate * RUN_SECONDS / deliveries_each).ceil() as u64);
        }
        let more = (1.25 * PROBE_SECONDS / figures.seconds).clamp(1.5, 20.0);
        amount = (amount as f64 * more).ceil() as u64;
    }
}
