//! `arauto pedir`: asks, and prints the replies in the order of the requests.

use arauto::ClientError;
use arauto::wire::raw::Direction;

use super::connect::{ConnectArgs, log_in_to_ask};
use super::exit::Failure;
use super::input::Input;
use super::pipeline;
use super::printer::Printer;
use super::raw::{self, RawArgs};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,

    #[command(flatten)]
    raw: RawArgs,

    /// With --raw: end each request in a NUL.
    #[arg(long, requires = "raw")]
    nul: bool,

    /// Each one is a request [default: each line of stdin, until `fim`].
    requests: Vec<String>,
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    if let Some(pipe) = args.raw.pipe(&args.connect, Direction::Duplex)? {
        return raw::pedir(pipe, args.requests, args.nul).await;
    }
    let client = log_in_to_ask(&args.connect).await?;
    let send = async |body| client.begin_request(body).await;
    let mut printer = Printer::new();
    let mut refused = None;
    let asked = pipeline::run(
        &client,
        Input::new(args.requests),
        send,
        |answer| match answer {
            Ok(body) => printer.print(&body),
            // One refused request is told and the others go on; the exit code tells it.
            Err(error @ ClientError::Refused { .. }) => {
                let failure = Failure::from(error);
                eprintln!("arauto: {}", failure.message());
                refused.get_or_insert(failure);
                Ok(true)
            }
            Err(error) => Err(error.into()),
        },
    );
    asked.await?;
    printer.flush()?;
    client.fim().await?;
    match refused {
        None => Ok(0),
        Some(failure) => Ok(failure.code()),
    }
}
