//! `arauto escritor`: publishes its arguments, or the lines of stdin.

mod args;
mod once_only;

use arauto::wire::raw::Direction;
use arauto::{Body, Client, Seq};

pub(super) use self::args::Args;
use crate::cli::client_runtime::client;
use crate::cli::connect::{PATIENCE, log_in_to_publish};
use crate::cli::exit::{Failure, sysexits};
use crate::cli::input::Input;
use crate::cli::outbox::MessageOptions;
use crate::cli::output::Output;
use crate::cli::pipeline;
use crate::cli::raw;

pub(super) fn run(args: Args) -> Result<u8, Failure> {
    match args.raw.pipe(&args.connect, Direction::Outbound)? {
        Some(pipe) => raw::escritor(pipe, args.messages),
        None => client(async {
            match args.once_only.clone() {
                Some(path) => once_only::publish(args, &path).await,
                None => publish(args).await,
            }
        }),
    }
}

/// The messages that were published, for the error message of a failure.
#[derive(Debug, Default, Clone, Copy)]
struct Published {
    count: u64,
    last: Option<Seq>,
}

async fn publish(args: Args) -> Result<u8, Failure> {
    let options = args.message.options()?;
    let client = log_in_to_publish(&args.connect).await?;
    let longest = pipeline::longest_body(&client).saturating_sub(options.overhead());
    let input = Input::new(args.messages, longest)?;
    let mut published = Published::default();
    match publish_all(&client, input, &options, args.verbose, &mut published).await {
        Ok(()) => {
            client.fim().await?;
            Ok(0)
        }
        Err(failure) => {
            let _ = client.fim().await; // the session may be over already
            Err(published.describe_in(failure))
        }
    }
}

async fn publish_all(
    client: &Client,
    input: Input,
    options: &MessageOptions,
    is_verbose: bool,
    published: &mut Published,
) -> Result<(), Failure> {
    let mut out = Output::stdout();
    let send = async |body: Body<'static>| {
        let message = options.message(body);
        client.begin_publish_patiently(message, PATIENCE).await
    };
    let sending = pipeline::run(client, input, pipeline::WINDOW, send, |place, answer| {
        let seq = answer.map_err(|error| Failure::from(error).at(place))?;
        published.count += 1;
        published.last = Some(seq);
        if is_verbose {
            out.line(&seq.to_string())?;
            out.flush()?;
        }
        Ok(())
    });
    sending.await
}

impl Published {
    /// Adds the number of published messages to the failure. Messages that were sent without an
    /// answer may be published as well.
    fn describe_in(self, failure: Failure) -> Failure {
        let so_far = match self.last {
            None => "no message is confirmed as published".to_owned(),
            Some(last) => format!(
                "{} messages are confirmed as published, the last one with number {last}",
                self.count
            ),
        };
        if failure.is_reader_gone() {
            let message = format!("stopped because stdout was closed by its reader; {so_far}");
            return Failure::new(sysexits::IOERR, message);
        }
        failure.with(&so_far)
    }
}
