//! `arauto tls fingerprint`.

use std::io::{self, Write};
use std::path::PathBuf;

use arauto::Fingerprint;

use super::{default_pair, unusable};
use crate::cli::exit::{Failure, stdout_failed};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The certificate's PEM file [default: that of `arauto tls init`].
    file: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let file = args.file.clone();
    let file = file.unwrap_or_else(|| default_pair().certificate);
    let fingerprint = Fingerprint::of_file(&file).map_err(|error| unusable(&error))?;
    match writeln!(io::stdout(), "{fingerprint}") {
        Ok(()) => Ok(0),
        Err(error) => stdout_failed(&error),
    }
}
