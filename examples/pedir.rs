//! Sends requests, and prints the replies in the order of the requests.
//!
//! ```sh
//! ARAUTO_PASSWORD=... cargo run --example pedir -- ENDPOINT USER TEXT...
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use arauto::Client;
use arauto::wire::text::body_line;

const USAGE: &str = "usage: ARAUTO_PASSWORD=... pedir ENDPOINT USER TEXT...";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pedir: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let args = std::env::args_os().skip(1).map(|arg| arg.into_string());
    let args: Vec<String> = args.collect::<Result<_, _>>().map_err(|_| USAGE)?;
    let [endpoint, user, requests @ ..] = &args[..] else {
        return Err(USAGE.into());
    };
    let password = std::env::var("ARAUTO_PASSWORD").map_err(|_| USAGE)?;

    let handshake = Client::connect(&endpoint.parse()?).await?;
    let (client, events) = handshake.login(user, &password).await?;
    drop(events); // this program does not read broadcasts

    // All requests are sent before the first answer is awaited: one round trip in total.
    let mut answers = Vec::new();
    for request in requests {
        answers.push(client.begin_request(request.as_str()).await?);
    }
    for answer in answers {
        let reply = answer.await?;
        writeln!(io::stdout(), "{}", body_line(&reply))?;
    }
    client.fim().await?;
    Ok(())
}
