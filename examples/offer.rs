//! Answers the requests to a service with their text backwards, until SIGTERM or Ctrl-C.
//!
//! ```sh
//! ARAUTO_PASSWORD=... cargo run --example offer -- ENDPOINT USER SERVICE
//! ```

use std::error::Error;
use std::io;
use std::process::ExitCode;

use arauto::{Body, Call, CallError, Client, Reconnect};

const USAGE: &str = "usage: ARAUTO_PASSWORD=... offer ENDPOINT USER SERVICE";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("offer: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let args = std::env::args_os().skip(1).map(|arg| arg.into_string());
    let args: Vec<String> = args.collect::<Result<_, _>>().map_err(|_| USAGE)?;
    let [endpoint, user, service] = &args[..] else {
        return Err(USAGE.into());
    };
    let password = std::env::var("ARAUTO_PASSWORD").map_err(|_| USAGE)?;

    // Before the offer: from now on a signal does not end the process in the middle of a call.
    let mut stop = std::pin::pin!(stop_signal()?);
    let (client, events) = Client::builder(endpoint.parse()?)
        .user(user)
        .password(password)
        .reconnect(Reconnect::new())
        .connect()
        .await?;
    drop(events); // this program does not read broadcasts
    // Up to 8 calls are answered at once. The service is offered again on each later session.
    let mut responder = client.offer(service, backwards).limit(8).await?;
    eprintln!("offer: {service} is offered");
    tokio::select! {
        () = &mut stop => {}
        ended = responder.ended() => {
            ended?;
            return Err("the server has withdrawn the offer: a rule does not allow it".into());
        }
    }
    // No new calls come, and those in work are answered.
    responder.withdraw().await?;
    client.fim().await?;
    Ok(())
}

/// Answers one call. If nobody waits for the answer any more, this future is dropped.
async fn backwards(call: Call) -> Result<Body<'static>, CallError> {
    match call.body.as_text() {
        Some(text) => Ok(text.chars().rev().collect::<String>().into()),
        None => Err(CallError::new("not-text", "the request is a byte string")),
    }
}

/// Returns a future that waits for SIGTERM or Ctrl-C, which have no other effect from now on.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Returns a future that waits for Ctrl-C, which has no other effect from now on.
#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
