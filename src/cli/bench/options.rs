//! The options that all measurements have, and how counts are parsed.

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::password::PasswordArgs;
use crate::cli::tls::TrustArgs;

/// The options that every measurement has.
#[derive(clap::Args, Serialize)]
pub(super) struct Common {
    /// Measure this running server, and not one that the bench starts. Its CPU time and
    /// memory are known if it is a process of this machine. The password of the accounts
    /// is asked for as by the other commands.
    #[arg(long, value_name = "ENDPOINT")]
    #[serde(skip)]
    pub(super) endpoint: Option<String>,

    /// Write the figures into this file, as JSON (docs/bench.md).
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub(super) json: Option<PathBuf>,

    /// Threads that the clients are spread over.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_1)]
    pub(super) threads: usize,

    /// Accounts are NAME-1, NAME-2, …; those that are new register.
    #[arg(long, value_name = "NAME", default_value = "bench")]
    #[serde(skip)]
    pub(super) user: String,

    #[command(flatten)]
    #[serde(skip)]
    pub(super) password: PasswordArgs,

    #[command(flatten)]
    #[serde(skip)]
    pub(super) tls: TrustArgs,

    /// Further arguments of the `arauto serve` that the bench starts, as in
    /// `arauto bench fanout -- --arbiters 2`.
    #[arg(
        last = true,
        value_name = "SERVE ARGUMENTS",
        conflicts_with = "endpoint"
    )]
    #[serde(rename = "serve_arguments")]
    pub(super) serve: Vec<String>,
}

/// The largest count that an option takes: two of them can be multiplied.
const MOST: usize = 1_000_000_000;

/// Parses a count of which 0 makes no sense.
pub(super) fn at_least_1(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=MOST) => Ok(count),
        Ok(0) => Err("it must be 1 at least".to_owned()),
        Ok(_) => Err(format!("it must be {MOST} at most")),
        Err(error) => Err(format!("{error}")),
    }
}

/// Parses a count that may be 0.
pub(super) fn at_least_0(text: &str) -> Result<usize, String> {
    match text {
        "0" => Ok(0),
        _ => at_least_1(text),
    }
}
