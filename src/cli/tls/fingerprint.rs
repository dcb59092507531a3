//! `arauto tls fingerprint`: prints a certificate's fingerprint.

use std::path::PathBuf;

use arauto::Fingerprint;

use super::default_pair::{default_pair, unusable};
use crate::cli::exit::Failure;
use crate::cli::output;

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The certificate's PEM file [default: the one that `arauto tls init` makes].
    file: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let file = args.file.clone();
    let file = file.unwrap_or_else(|| default_pair().certificate);
    let fingerprint = Fingerprint::of_file(&file).map_err(|error| unusable(&error))?;
    output::print(&format!("{fingerprint}\n"))
}
