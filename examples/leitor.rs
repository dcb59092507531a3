//! Prints every broadcast, one per line, until the server closes the session or Ctrl-C.
//!
//! ```sh
//! ARAUTO_PASSWORD=... cargo run --example leitor -- ENDPOINT USER
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use arauto::wire::text::body_line;
use arauto::{Client, Event, Incoming};

const USAGE: &str = "usage: ARAUTO_PASSWORD=... leitor ENDPOINT USER";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("leitor: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let args = std::env::args_os().skip(1).map(|arg| arg.into_string());
    let args: Vec<String> = args.collect::<Result<_, _>>().map_err(|_| USAGE)?;
    let [endpoint, user] = &args[..] else {
        return Err(USAGE.into());
    };
    let password = std::env::var("ARAUTO_PASSWORD").map_err(|_| USAGE)?;

    let handshake = Client::connect(&endpoint.parse()?).await?;
    let (client, mut events) = handshake.login(user, &password).await?;
    // Made once: a new one in each round would miss a Ctrl-C while a line is printed.
    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let incoming = tokio::select! {
            // The first poll registers the signal handler, before anything is printed.
            biased;
            Ok(()) = &mut interrupt => {
                drop(events); // unread broadcasts would delay the end of the session
                client.fim().await?;
                return Ok(());
            }
            incoming = events.next() => incoming,
        };
        // Only now has the last ack been sent.
        let Some(incoming) = incoming else {
            return Ok(());
        };
        match incoming {
            Incoming::Event(event) => {
                writeln!(io::stdout(), "{}", line(&event))?;
                // If the session has ended meanwhile, the loop goes on to read its end.
                let _ = client.ack(event.seq()).await;
            }
            Incoming::Stopping(notice) => eprintln!("leitor: the server stops: {}", notice.reason),
            Incoming::Closing(end) => {
                eprintln!("leitor: closed: {}", end.reason);
            }
            Incoming::Lost(error) => return Err(error.into()),
            _ => {}
        }
    }
}

/// Formats a broadcast as one line. `body_line` escapes text from other users, which could
/// otherwise forge a line or control the terminal.
fn line(event: &Event) -> String {
    match event {
        Event::Message {
            seq, from, body, ..
        } => format!("{seq} {from}: {}", body_line(body)),
        Event::Joined { seq, user, .. } => format!("{seq} * {user} joined"),
        Event::Left { seq, user, .. } => format!("{seq} * {user} left"),
        Event::Gap(gap) => format!("{}-{} * gap: no longer held", gap.from, gap.to),
        _ => format!("{} * unknown to this program", event.seq()),
    }
}
