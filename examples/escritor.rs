//! Publishes its arguments, or each line of stdin until `fim`, and prints the sequence number of
//! each message.
//!
//! ```sh
//! ARAUTO_PASSWORD=... cargo run --example escritor -- ENDPOINT USER [TEXT...]
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use arauto::Client;
use tokio::sync::mpsc;

const USAGE: &str = "usage: ARAUTO_PASSWORD=... escritor ENDPOINT USER [TEXT...]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("escritor: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let args = std::env::args_os().skip(1).map(|arg| arg.into_string());
    let args: Vec<String> = args.collect::<Result<_, _>>().map_err(|_| USAGE)?;
    let [endpoint, user, texts @ ..] = &args[..] else {
        return Err(USAGE.into());
    };
    let password = std::env::var("ARAUTO_PASSWORD").map_err(|_| USAGE)?;

    let handshake = Client::connect(&endpoint.parse()?).await?;
    let (client, events) = handshake.login(user, &password).await?;
    drop(events); // this program does not read broadcasts

    let mut messages = messages(texts.to_vec());
    loop {
        let message = tokio::select! {
            message = messages.recv() => message,
            // The end of the session is noticed while the next line is being typed, too.
            end = client.closed() => return Err(format!("closed: {}", end?.reason).into()),
        };
        match message {
            Some(text) => {
                let seq = client.publish(text?).await?;
                writeln!(io::stdout(), "published {seq}")?;
            }
            None => break,
        }
    }
    client.fim().await?;
    Ok(())
}

/// Reads stdin on a thread. The program does not wait for it at the exit: a read of a terminal
/// may block until a line is typed.
fn messages(texts: Vec<String>) -> mpsc::Receiver<io::Result<String>> {
    let (sender, messages) = mpsc::channel(16);
    std::thread::spawn(move || {
        if texts.is_empty() {
            let mut lines = io::stdin().lines().take_while(|line| !is_fim(line));
            lines.try_for_each(|line| sender.blocking_send(line))
        } else {
            texts
                .into_iter()
                .try_for_each(|text| sender.blocking_send(Ok(text)))
        }
    });
    messages
}

fn is_fim(line: &io::Result<String>) -> bool {
    line.as_ref().is_ok_and(|line| line == "fim")
}
