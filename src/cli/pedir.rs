//! `arauto pedir`: asks, and prints the replies in the order of the requests.

use std::io::{self, IsTerminal, Write};

use arauto::wire::text::body_line;
use arauto::{Body, ClientError};

use super::connect::{ConnectArgs, log_in_to_ask};
use super::exit::{Failure, stdout_failed};
use super::input::Input;
use super::pipeline;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,

    /// Each one is a request [default: each line of stdin, until `fim`].
    requests: Vec<String>,
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
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
    printer.finish()?;
    client.fim().await?;
    match refused {
        None => Ok(0),
        Some(failure) => Ok(failure.code()),
    }
}

/// A pipe gets replies as they are, a terminal gets them without what it would obey.
struct Printer {
    out: io::BufWriter<io::Stdout>,
    is_terminal: bool,
}

impl Printer {
    fn new() -> Self {
        Printer {
            out: io::BufWriter::new(io::stdout()),
            is_terminal: io::stdout().is_terminal(),
        }
    }

    fn print(&mut self, body: &Body<'_>) -> Result<bool, Failure> {
        let harmless = body
            .as_text()
            .is_some_and(|text| !text.contains(char::is_control));
        let printed = if self.is_terminal && !harmless {
            writeln!(self.out, "{}", body_line(body))
        } else {
            let written = self.out.write_all(body.as_bytes());
            written.and_then(|()| self.out.write_all(b"\n"))
        };
        // A person sees each at once; a pipe gets them in blocks.
        let printed = match self.is_terminal {
            true => printed.and_then(|()| self.out.flush()),
            false => printed,
        };
        match printed {
            Ok(()) => Ok(true),
            Err(error) => stdout_failed(&error).map(|_| false),
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        match self.out.flush() {
            Ok(()) => Ok(()),
            Err(error) => stdout_failed(&error).map(drop),
        }
    }
}
