//! `arauto explain`: tells what became of one broadcast or one call, by the report of a stop or by what
//! a running server knows.

mod broadcast;
mod call;
mod source;

use std::path::PathBuf;

use arauto::{Observation, Seq};

use self::source::Source;
use super::admin_client::OptionalAdminArgs;
use super::client_runtime::client;
use super::exit::{Failure, sysexits};
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
    #[arg(long, value_name = "CALL", value_parser = clap::value_parser!(u64).range(1..),
          requires = "report")]
    call: Option<u64>,

    /// The report that `arauto serve --report FILE` wrote; `-` is stdin. It takes precedence over
    /// --admin.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    #[command(flatten)]
    admin: OptionalAdminArgs,

    /// Print JSON: one object per line, for each session, or one for the call.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Result<u8, Failure> {
    let seq = Seq(args.seq.unwrap_or_default());
    let Some(path) = &args.report else {
        return client(explain_now(args.admin, seq, args.json));
    };
    let report = read(path)?;
    match args.call {
        Some(call) => call::explain(&report, call, args.json),
        None => broadcast::explain(Source::Stopped(&report), seq, args.json),
    }
}

/// Explains a broadcast of the server that runs now.
async fn explain_now(admin: OptionalAdminArgs, seq: Seq, as_json: bool) -> Result<u8, Failure> {
    let admin = admin.given().ok_or_else(|| {
        let message = "name a report with --report FILE, or a running server with --admin ENDPOINT";
        Failure::new(sysexits::USAGE, message)
    })?;
    let observation: Observation = admin.get_json("/observation").await?;
    broadcast::explain(Source::Running(&observation), seq, as_json)
}
