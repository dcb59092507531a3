//! `arauto who`.

use std::io::{self, Write};

use super::connect::{ConnectArgs, log_in_to_ask};
use super::exit::{Failure, stdout_failed};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    let client = log_in_to_ask(&args.connect).await?;
    let users = client.who().await?;
    client.fim().await?;
    let mut out = io::stdout().lock();
    for user in users {
        if let Err(error) = writeln!(out, "{user}") {
            return stdout_failed(&error);
        }
    }
    Ok(0)
}
