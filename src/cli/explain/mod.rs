//! `arauto explain`: tells what became of one broadcast or one call, by the report of a stop.

mod broadcast;
mod call;

use std::path::PathBuf;

use arauto::Seq;

use super::exit::Failure;
use super::report::read;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The broadcast's sequence number.
    #[arg(
        value_name = "SEQ",
        value_parser = clap::value_parser!(u64).range(1..),
        required_unless_present = "call",
        conflicts_with = "call"
    )]
    seq: Option<u64>,

    /// The number of a call to a service, as its responder has it.
    #[arg(long, value_name = "CALL", value_parser = clap::value_parser!(u64).range(1..))]
    call: Option<u64>,

    /// The report that `arauto serve --report FILE` wrote; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    report: PathBuf,

    /// Print JSON: one object per line, for each session, or one for the call.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let report = read(&args.report)?;
    match args.call {
        Some(call) => call::explain(&report, call, args.json),
        None => broadcast::explain(&report, Seq(args.seq.unwrap_or_default()), args.json),
    }
}
