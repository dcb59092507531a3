//! Sends requests to a service at once, and prints each reply with the user that answered.
//!
//! ```sh
//! ARAUTO_PASSWORD=... cargo run --example ask -- ENDPOINT USER SERVICE TEXT...
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use arauto::wire::text::body_line;
use arauto::{Client, ErrorCode};

const USAGE: &str = "usage: ARAUTO_PASSWORD=... ask ENDPOINT USER SERVICE TEXT...";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ask: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let args = std::env::args_os().skip(1).map(|arg| arg.into_string());
    let args: Vec<String> = args.collect::<Result<_, _>>().map_err(|_| USAGE)?;
    let [endpoint, user, service, requests @ ..] = &args[..] else {
        return Err(USAGE.into());
    };
    let password = std::env::var("ARAUTO_PASSWORD").map_err(|_| USAGE)?;

    let handshake = Client::connect(&endpoint.parse()?).await?;
    let (client, events) = handshake.login(user, &password).await?;
    drop(events); // this program does not read broadcasts

    // All requests are sent before the first reply is awaited. Replies may come in any order.
    let mut replies = Vec::new();
    for request in requests {
        let ask = client
            .ask(service, request.as_str())
            .timeout(Duration::from_secs(5))
            .patience(Duration::from_secs(60)); // sends it again while it is throttled
        replies.push(ask.begin().await?);
    }
    let mut failed = 0;
    for (request, reply) in requests.iter().zip(replies) {
        match reply.await {
            Ok(reply) => writeln!(io::stdout(), "{}: {}", reply.from, body_line(&reply.body))?,
            Err(error) => {
                failed += 1;
                let advice = match error.code() {
                    Some(ErrorCode::Failed) => "the service has answered",
                    Some(ErrorCode::Unavailable | ErrorCode::Timeout) => {
                        "it may have been done: ask again only where that does no harm"
                    }
                    _ => return Err(error.into()),
                };
                eprintln!("ask: {request}: {error}; {advice}");
            }
        }
    }
    client.fim().await?;
    match failed {
        0 => Ok(()),
        _ => Err(format!("{failed} of {} requests failed", requests.len()).into()),
    }
}
