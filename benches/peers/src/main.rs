//! Measures arauto beside other servers and beside bare loops that do nothing but
//! move bytes; see README.md.

mod affinity;
mod child;
mod load;
mod meter;
mod net;
mod peer;
mod server;
mod start;

use std::path::{Path, PathBuf};

use anyhow::{Result};
use clap::{Parser, Subcommand, ValueEnum};

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Also>,
    #[arg(long, default_value="target/release/arauto")]
    arauto: PathBuf,
    #[arg(long, default_value_t=100)]
    readers: usize,
    #[arg(long, default_value_t=128)]
    size: usize,
}

/// What the program does for itself, in processes of their own.
#[derive(Debug, Subcommand)]
enum Also {
    /// Run a bare loop
    Bare {
        /// Which
        which: Bare,
        /// The socket that it listens at
        path: PathBuf,
    },
    /// Become another program, that dies with this one's parent
    Exec {
        /// Run on this cpu only
        #[arg(long)]
        cpu: Option<usize>,
        /// The program and its arguments
        #[arg(last = true)]
        words: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Bare {
    FanOut,
    EpollEcho,
    TokioEcho,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    match &cli.command {
        Some(Also::Bare { which, path }) => bare(*which, path),
        Some(Also::Exec { cpu, words }) => child::exec(words, *cpu),
        None => {
            use peer::System::*;
            for s in [Arauto, Bare, BareFramed, Nats, Redis, Mosquitto] {
                let r = start::start(s, &std::fs::canonicalize(&cli.arauto)?, None)?;
                let work = load::fan_out::FanOut{publishers:1, readers: cli.readers, size: cli.size, writes: load::fan_out::Writes::Pipelined, pace:None};
                let mut n = (20_000/cli.readers) as u64;
                let mut f = load::fan_out::run(work,&r,n)?;
                for _ in 0..2 {
                 n = (f.rate/cli.readers as f64 * if f.seconds<0.2 {0.4} else {1.5}) as u64;
                 f = load::fan_out::run(work,&r,n)?; }
                println!("{:?} n {n} {f:?}", s);
            }
            Ok(())
        }
    }
}

fn bare(which: Bare, path: &Path) -> Result<()> {
    match which {
        Bare::FanOut => server::fan_out::serve(path),
        Bare::EpollEcho => server::epoll_echo::serve(path),
        Bare::TokioEcho => server::tokio_echo::serve(path),
    }
}
