//! `arauto escritor`: publishes.

use std::io::{self, Write};

use arauto::wire::raw::Direction;

use super::connect::{ConnectArgs, log_in_to_ask};
use super::exit::{Failure, stdout_failed};
use super::input::Input;
use super::pipeline;
use super::raw::{self, RawArgs};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,

    #[command(flatten)]
    raw: RawArgs,

    /// Print each message's place in the stream.
    #[arg(long, short, conflicts_with = "raw")]
    verbose: bool,

    /// Each one is a message [default: each line of stdin, until `fim`].
    messages: Vec<String>,
}

pub(super) fn run(args: Args) -> Result<u8, Failure> {
    match args.raw.pipe(&args.connect, Direction::Outbound)? {
        Some(pipe) => raw::escritor(pipe, args.messages),
        None => super::client(publish(args)),
    }
}

async fn publish(args: Args) -> Result<u8, Failure> {
    let client = log_in_to_ask(&args.connect).await?;
    let send = async |body| client.begin_publish(body).await;
    let mut out = io::BufWriter::new(io::stdout());
    let published = pipeline::run(&client, Input::new(args.messages), send, |answer| {
        let seq = answer?;
        if !args.verbose {
            return Ok(true);
        }
        match writeln!(out, "{seq}").and_then(|()| out.flush()) {
            Ok(()) => Ok(true),
            Err(error) => stdout_failed(&error).map(|_| false),
        }
    });
    published.await?;
    client.fim().await?;
    Ok(0)
}
