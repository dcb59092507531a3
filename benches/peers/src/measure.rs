//! Gives each system the same work in turn, round after round.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::affinity::{self, Pinned};
use crate::load::{Figures, delivery, fan_out, loops, round_trips};
use crate::peer::System;
use crate::rows::{Cpus, Row, Work};
use crate::start::{self, Programs, Running, Setup};

/// A run lasts about this long, where the amount of work is free.
const RUN_SECONDS: f64 = 2.0;

/// The shortest probe that tells a rate.
const PROBE_SECONDS: f64 = 0.4;

/// How the measuring is done.
#[derive(Debug)]
pub struct Plan {
    /// What is measured, as far as it is not found by its name.
    pub programs: Programs,
    /// How many times each system is measured.
    pub rounds: usize,
    /// Whether only the counts matter, and each run is as short as can be.
    pub quick: bool,
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
    running: Running,
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
            let Some(Candidate { running, amount }) = candidate else {
                continue;
            };
            match run(row, running, *amount) {
                Ok(figures) => {
                    progress(round, runs.system, &figures);
                    runs.rounds.push(figures);
                }
                Err(error) => {
                    let error = error.context(running.server.last_lines());
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
    eprint!("  {round} {name:16} {rate:12.0}/s  cpu {cpu:7.4} s/million");
    let (load, others) = (figures.load_busy * 100.0, figures.others_busy * 100.0);
    eprint!("  busy: load {load:3.0}%, others {others:2.0}%");
    if let (Some(p50), Some(p99)) = (figures.p50, figures.p99) {
        eprint!("  p50 {p50:.1} us  p99 {p99:.1} us");
    }
    match figures.lost {
        0 => eprintln!(),
        lost => eprintln!("  {lost} LOST"),
    }
}

fn prepare(row: &Row, system: System, plan: &Plan) -> Result<Candidate> {
    let cpu = match row.cpus {
        Cpus::One => Some(affinity::first_cpu()?),
        Cpus::All => None,
    };
    let setup = Setup { cpu, tls: row.tls };
    let running = start::start(system, setup, &plan.programs)?;
    let amount = match plan.quick {
        true => little(row.work),
        false => enough(row, &running).context("while finding out how fast it is")?,
    };
    Ok(Candidate { running, amount })
}

/// Does the work once: `amount` messages or requests.
fn run(row: &Row, running: &Running, amount: u64) -> Result<Figures> {
    let _pinned = match row.cpus {
        Cpus::One => Some(Pinned::to(affinity::first_cpu()?)?),
        Cpus::All => None,
    };
    match row.work {
        Work::FanOut(work) => fan_out::run(work, running, amount),
        Work::Loops(work) => loops::run(work, running, amount),
        Work::Delivery { size } => delivery::run(size, running, amount),
        Work::RoundTrips { size } => round_trips::run(size, running, amount),
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
        Work::Loops(_) => 6400,
    }
}

/// Returns the amount that fills a run, by probing with more and more.
fn enough(row: &Row, running: &Running) -> Result<u64> {
    let deliveries_each = match row.work {
        Work::FanOut(fan_out::FanOut {
            pace: Some(pace), ..
        }) => return Ok(pace * 3),
        Work::RoundTrips { .. } | Work::Delivery { .. } => return Ok(50_000),
        Work::FanOut(work) => work.readers as f64,
        Work::Loops(_) => 1.0,
    };
    let mut amount = little(row.work);
    loop {
        let figures = run(row, running, amount)?;
        if figures.seconds >= PROBE_SECONDS {
            return Ok((figures.rate * RUN_SECONDS / deliveries_each).ceil() as u64);
        }
        let more = (1.25 * PROBE_SECONDS / figures.seconds).clamp(1.5, 20.0);
        amount = (amount as f64 * more).ceil() as u64;
    }
}
