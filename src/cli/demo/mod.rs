//! `arauto demo`: a real server on a real socket, real clients, in a few seconds.

mod print;
mod server;
mod steps;

use super::exit::Failure;
use super::resources::{self, Requirements};
use server::DemoServer;

#[derive(clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args) -> Result<u8, Failure> {
    resources::check(Requirements::server(1, 1))?;
    let server = DemoServer::start()?;
    let code = resources::runtime()?.block_on(steps::run(&server))?;
    match print::print_failure() {
        Some(failure) if code == 0 => Err(failure.clone()),
        _ => Ok(code),
    }
}
