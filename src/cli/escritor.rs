//! `arauto escritor`: publishes.

use arauto::wire::raw::Direction;
use arauto::{Client, Seq};

use super::connect::{ConnectArgs, PATIENCE, log_in_to_publish};
use super::exit::{Failure, sysexits};
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

/// How far it came: what is told where it does not come to its end.
#[derive(Debug, Default, Clone, Copy)]
struct Published {
    count: u64,
    last: Option<Seq>,
}

async fn publish(args: Args) -> Result<u8, Failure> {
    let client = log_in_to_publish(&args.connect).await?;
    let input = Input::new(args.messages, pipeline::longest_body(&client))?;
    let mut published = Published::default();
    match publish_all(&client, input, args.verbose, &mut published).await {
        Ok(()) => {
            client.fim().await?;
            Ok(0)
        }
        Err(failure) => {
            // Sent messages may be published though their answers were not seen here.
            let _ = client.fim().await; // or the session is over
            Err(published.told(failure))
        }
    }
}

async fn publish_all(
    client: &Client,
    input: Input,
    is_verbose: bool,
    published: &mut Published,
) -> Result<(), Failure> {
    let mut out = Output::stdout();
    let send = async |body| client.begin_publish_patiently(body, PATIENCE).await;
    let told = pipeline::run(client, input, send, |place, answer| {
        let seq = answer.map_err(|error| Failure::from(error).at(place))?;
        published.count += 1;
        published.last = Some(seq);
        if is_verbose {
            out.line(&seq.to_string())?;
            out.flush()?;
        }
        Ok(())
    });
    told.await
}

impl Published {
    /// The failure, and how far it had come.
    fn told(self, failure: Failure) -> Failure {
        let so_far = match self.last {
            None => "nothing is known to be published".to_owned(),
            Some(last) => format!(
                "{} published until then are known, the last one is {last}",
                self.count
            ),
        };
        if failure.is_reader_gone() {
            let message = format!("nobody reads stdout any more, and so this stopped; {so_far}");
            return Failure::new(sysexits::IOERR, message);
        }
        failure.with(&so_far)
    }
}
