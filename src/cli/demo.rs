//! x
use super::exit::Failure;
#[derive(clap::Args)]
pub(super) struct Args {}
pub(super) fn run(_args: &Args) -> Result<u8, Failure> { Ok(0) }
