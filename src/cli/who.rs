//! `arauto who`: prints the users that are logged in.

use super::connect::{ConnectArgs, log_in_to_ask};
use super::exit::Failure;
use super::output::Output;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    let client = log_in_to_ask(&args.connect).await?;
    let users = client.who().await?;
    client.fim().await?;
    let mut out = Output::stdout();
    for user in users {
        out.line(&user)?;
    }
    out.finish()
}
