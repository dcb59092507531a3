//! Gives each system the same work in turn, round after round.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::affinity::{self, Pinned};
use crate::load::{Figures, fan_out, latency, loops};
use crate::peer::System;
use crate::rows::{Row, Work};
use crate::start::{self, Running};

/// A run is made to last about this long, where that is free.
const RUN_SECONDS: f64 = 2.0;

/// A probe shorter than this says too little.
const PROBE_SECONDS: f64 = 0.4;

/// How the measuring is done.
#[derive(Debug)]
pub struct Plan {
    /// arauto's program.
    pub arauto: PathBuf,
    /// How often everybody gets its turn.
    pub rounds: usize,
    /// Whether only the counts matter, and nothing is to take long.
    pub quick: bool,
}

/// What one system has shown in a row: one entry a round.
#[derive(Debug, Serialize, Deserialize)]
pub struct Runs {
    /// Which.
    pub system: System,
    /// Round by round.
    pub rounds: Vec<Figures>,
    /// What went wrong; then there are fewer rounds.
    pub failed: Option<String>,
}

/// What a row has shown.
#[derive(Debug, Serialize, Deserialize)]
pub struct RowResult {
    /// The row's id.
    pub row: String,
    /// A system each.
    pub runs: Vec<Runs>,
}

impl RowResult {
    /// What one system has shown.
    pub fn of(&self, system: System) -> Option<&Runs> {
        self.runs.iter().find(|runs| runs.system == system)
    }
}

struct Contender {
    running: Running,
    amount: u64,
}

/// Measures one row: starts the servers, finds out how much work fills a run,
/// and then A B C, A B C, and so on.
pub fn row(row: &Row, plan: &Plan) -> RowResult {
    eprintln!("{}", row.title);
    let mut contenders = Vec::new();
    let mut runs = Vec::new();
    for system in row.systems {
        let (contender, failed) = match prepare(row, *system, plan) {
            Ok(contender) => (Some(contender), None),
            Err(error) => (None, Some(complain(*system, &error))),
        };
        contenders.push(contender);
        runs.push(Runs {
            system: *system,
            rounds: Vec::new(),
            failed,
        });
    }
    for round in 1..=plan.rounds {
        for (contender, runs) in contenders.iter_mut().zip(&mut runs) {
            let Some(Contender { running, amount }) = contender else {
                continue;
            };
            match run(row.work, running, *amount) {
                Ok(figures) => {
                    progress(round, runs.system, &figures);
                    runs.rounds.push(figures);
                }
                Err(error) => {
                    let error = error.context(running.server.last_words());
                    runs.failed = Some(complain(runs.system, &error));
                    *contender = None; // who knows what state it is in
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
    let Figures {
        rate,
        cpu,
        load_busy,
        others_busy,
        lost,
        ..
    } = figures;
    let name = system.name();
    eprint!("  {round} {name:16} {rate:12.0}/s  cpu {cpu:7.4} s/million");
    let [load, others] = [load_busy, others_busy].map(|share| share * 100.0);
    eprint!("  busy: load {load:3.0}%, others {others:2.0}%");
    if let (Some(p50), Some(p99)) = (figures.p50, figures.p99) {
        eprint!("  p50 {p50:.1} us  p99 {p99:.1} us");
    }
    match lost {
        0 => eprintln!(),
        lost => eprintln!("  {lost} LOST"),
    }
}

fn prepare(row: &Row, system: System, plan: &Plan) -> Result<Contender> {
    let cpu = match row.work {
        Work::Latency { .. } => Some(affinity::first_cpu()?),
        _ => None,
    };
    let running = start::start(system, &plan.arauto, cpu)?;
    let amount = match plan.quick {
        true => little(row.work),
        false => enough(row.work, &running).context("while finding out how fast it is")?,
    };
    Ok(Contender { running, amount })
}

/// Does the work once: `amount` messages or requests.
fn run(work: Work, running: &Running, amount: u64) -> Result<Figures> {
    match work {
        Work::FanOut(work) => fan_out::run(work, running, amount),
        Work::Loops(work) => loops::run(work, running, amount),
        Work::Latency { size } => {
            let _pinned = Pinned::to(affinity::first_cpu()?)?;
            latency::run(size, running, amount)
        }
    }
}

/// An amount that is over in no time.
fn little(work: Work) -> u64 {
    match work {
        Work::FanOut(fan_out::FanOut {
            pace: Some(pace), ..
        }) => pace / 5,
        Work::FanOut(work) => (20_000 / work.readers).max(work.publishers) as u64,
        Work::Latency { .. } => 1000,
        Work::Loops(_) => 6400,
    }
}

/// The amount that fills a run.
fn enough(work: Work, running: &Running) -> Result<u64> {
    let deliveries_each = match work {
        Work::FanOut(fan_out::FanOut {
            pace: Some(pace), ..
        }) => return Ok(pace * 3),
        Work::Latency { .. } => return Ok(50_000),
        Work::FanOut(work) => work.readers as f64,
        Work::Loops(_) => 1.0,
    };
    let mut amount = little(work);
    loop {
        let figures = run(work, running, amount)?;
        if figures.seconds >= PROBE_SECONDS {
            return Ok((figures.rate * RUN_SECONDS / deliveries_each).ceil() as u64);
        }
        let more = (1.25 * PROBE_SECONDS / figures.seconds).clamp(1.5, 20.0);
        amount = (amount as f64 * more).ceil() as u64;
    }
}
