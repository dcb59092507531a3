//! `arauto pedir`: asks, and prints the replies in the order of the requests.

use arauto::ClientError;
use arauto::wire::raw::Direction;

use super::connect::{ConnectArgs, PATIENCE, log_in_to_ask};
use super::exit::{Failure, complain};
use super::input::Input;
use super::output::Output;
use super::pipeline;
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
    let send = async |body| client.begin_request_patiently(body, PATIENCE).await;
    let input = Input::new(args.requests, pipeline::longest_body(&client))?;
    let mut out = Output::stdout();
    let mut refused = None;
    let asked = pipeline::run(&client, input, send, |place, answer| match answer {
        Ok(body) => out.body(&body),
        // One refused request is told and the others go on; the exit code tells it.
        Err(error @ ClientError::Refused { .. }) => {
            let failure = Failure::from(error).at(place);
            complain(failure.message());
            refused.get_or_insert(failure);
            Ok(())
        }
        Err(error) => Err(error.into()),
    });
    asked.await?;
    out.finish()?;
    client.fim().await?;
    match refused {
        None => Ok(0),
        Some(failure) => Ok(failure.code()),
    }
}
