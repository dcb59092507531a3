//! Measures arauto beside other servers and beside bare loops that do nothing but
//! move bytes; see README.md.

mod affinity;
mod bars;
mod epoll;
mod figure;
mod load;
mod measure;
mod meter;
mod net;
mod peer;
mod report;
mod rows;
mod server;
mod start;
mod stats;
mod tls;

/// The load engine, which is a module of arauto's binary: the same files.
#[path = "../../../src"]
mod shared {
    pub mod load;
}

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use measure::Plan;
use report::machine::Machine;
use report::{Results, document, tables};
use rows::{ROWS, Row};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use shared::load as engine;
use start::Programs;

/// Gives arauto, nats-server, redis-server, mosquitto and bare loops the same work
/// in turn, and writes down how they compare
#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Also>,
    /// How many times each system is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Only these rows, or the rows of these groups; the page is then left alone.
    /// `--only help` shows the names
    #[arg(long, value_name = "NAMES", value_delimiter = ',', num_args = 1..)]
    only: Vec<String>,
    /// One round of next to nothing: do all counts add up? The page is left alone
    #[arg(long)]
    quick: bool,
    /// Write what was measured into this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure nothing: write the page from such a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "only", "json"])]
    from: Option<PathBuf>,
    /// arauto's program
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/release/arauto",
        overrides_with = "arauto"
    )]
    arauto: PathBuf,
    /// nats-server's program; Debian's is measured beside it
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/peers/venv/bin/nats-server",
        overrides_with = "nats"
    )]
    nats: PathBuf,
    /// A folder on a disk, for the servers' data folders
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = "target/peers",
        overrides_with = "disk"
    )]
    disk: PathBuf,
    /// The page of tables to write; the picture is put beside it
    #[arg(
        long,
        value_name = "FILE",
        default_value = "docs/performance/tables.md"
    )]
    page: PathBuf,
}

/// The commands that the program runs in child processes of its own.
#[derive(Debug, Subcommand)]
enum Also {
    /// Run a bare loop
    #[command(hide = true)]
    Bare {
        /// Which
        which: Bare,
        /// The socket that it listens at
        path: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Bare {
    FanOut,
    EpollEcho,
    TokioEcho,
    Relay,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    match (&cli.command, &cli.from) {
        (Some(Also::Bare { which, path }), _) => bare(*which, path),
        (None, Some(file)) => {
            let results = serde_json::from_slice(&fs::read(file)?)?;
            document::write(&results, &cli.page)
        }
        (None, None) => measure_all(cli),
    }
}

fn bare(which: Bare, path: &Path) -> Result<()> {
    match which {
        Bare::FanOut => server::fan_out::serve(path),
        Bare::EpollEcho => server::epoll_echo::serve(path),
        Bare::TokioEcho => server::tokio_echo::serve(path),
        Bare::Relay => server::relay::serve(path),
    }
}

fn measure_all(cli: &Cli) -> Result<()> {
    use_all_descriptors()?;
    let rows = chosen(&cli.only)?;
    let plan = Plan {
        programs: Programs {
            arauto: absolute(&cli.arauto)?,
            nats: absolute(&cli.nats)?,
        },
        rounds: if cli.quick { 1 } else { cli.rounds.into() },
        quick: cli.quick,
        disk: absolute(&cli.disk)?,
    };
    let results = Results {
        machine: Machine::look(&plan.programs),
        rounds: plan.rounds,
        rows: rows.iter().map(|row| measure::row(row, &plan)).collect(),
    };
    if let Some(file) = &cli.json {
        fs::write(file, serde_json::to_vec_pretty(&results)?)?;
    }
    if !cli.quick {
        println!("{}", document::page(&results));
    }
    if !cli.quick && rows.len() == ROWS.len() {
        document::write(&results, &cli.page)?;
    }
    ensure!(
        results.is_whole(),
        "not everything could be measured:\n{}",
        tables::failures(&results)
    );
    Ok(())
}

/// Returns a path that servers, which run in folders of their own, find too.
fn absolute(path: &Path) -> Result<PathBuf> {
    fs::canonicalize(path).with_context(|| path.display().to_string())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Row>> {
    let is_named = |name: &str| names.iter().any(|it| it == name);
    let unknown = names
        .iter()
        .find(|name| !ROWS.iter().any(|row| row.id == *name || row.group == *name));
    if let Some(name) = unknown {
        bail!("no row or group is named {name}; there are:{}", all_names());
    }
    let is_chosen = |row: &&Row| names.is_empty() || is_named(row.id) || is_named(row.group);
    Ok(ROWS.iter().filter(is_chosen).collect())
}

/// Returns a line for each group, with the names of its rows.
fn all_names() -> String {
    let mut text = String::new();
    for rows in ROWS.chunk_by(|one, next| one.group == next.group) {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        text += &format!("\n  {}: {}", rows[0].group, ids.join(" "));
    }
    text
}

/// A thousand readers need more descriptors than many shells allow at first.
fn use_all_descriptors() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    Ok(setrlimit(Resource::Nofile, all)?)
}
