//! `arauto pedir`: sends requests, and prints the replies in the order of the requests.

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

    /// With --raw: end each request with a NUL.
    #[arg(long, requires = "raw")]
    nul: bool,

    /// The requests, one an argument [default: each line of stdin, until `fim`].
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
    let sending = pipeline::run(&client, input, send, |place, answer| match answer {
        Ok(body) => out.body(&body),
        // The other requests go on; the first refusal decides the exit code.
        Err(error @ ClientError::Refused { .. }) => {
            let failure = Failure::from(error).at(place);
            complain(failure.message());
            refused.get_or_insert(failure);
            Ok(())
        }
        Err(error) => Err(error.into()),
    });
    sending.await?;
    out.finish()?;
    client.fim().await?;
    match refused {
        None => Ok(0),
        Some(failure) => Ok(failure.code()),
    }
}
