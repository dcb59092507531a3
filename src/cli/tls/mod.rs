//! `arauto tls`: makes certificates; and the flags with which clients verify their server.

mod default_pair;
mod fingerprint;
mod init;
mod pair;
mod trust;

use clap::Subcommand;

use super::exit::Failure;

pub(super) use pair::Pair;
pub(super) use trust::TrustArgs;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a self-signed certificate and its key.
    Init(init::Args),
    /// Print a certificate's fingerprint, for clients that pin it.
    Fingerprint(fingerprint::Args),
}

pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    match &args.command {
        Command::Init(args) => init::run(args),
        Command::Fingerprint(args) => fingerprint::run(args),
    }
}
