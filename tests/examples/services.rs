//! The examples of services, in Rust and in Python: each responder with each caller.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::support::{Served, complaint, example, interrupt, printed, run_with, start, within};

/// Returns the responders whose tools are there.
async fn responders() -> Vec<(&'static str, Command)> {
    let rust = example("offer.rs").await;
    let python = example("offer.py").await;
    named([("offer.rs", rust), ("offer.py", python)])
}

/// Returns the callers whose tools are there.
async fn callers() -> Vec<(&'static str, Command)> {
    let rust = example("ask.rs").await;
    let python = example("ask.py").await;
    named([("ask.rs", rust), ("ask.py", python)])
}

fn named(commands: [(&'static str, Option<Command>); 2]) -> Vec<(&'static str, Command)> {
    let there = commands.into_iter();
    there
        .filter_map(|(name, command)| Some((name, command?)))
        .collect()
}

/// Starts a responder, and waits until it has offered the service.
async fn offer(mut command: Command, endpoint: &str) -> Child {
    let command = command.args([endpoint, "rui", "backwards"]);
    let mut child = start(command.stderr(Stdio::piped()));
    let stderr = child.stderr.take().expect("it is piped");
    let mut lines = BufReader::new(stderr).lines();
    let line = lines.next_line().await.expect("it prints text");
    let line = line.expect("it goes on");
    assert!(line.ends_with("backwards is offered"), "{line}");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}

#[tokio::test]
async fn responder_and_caller_of_each_language_interoperate() {
    let test = async {
        let server = Served::start().await;
        let endpoint = server.cbor();
        for (name, responder) in responders().await {
            let mut responder = offer(responder, &endpoint).await;
            for (name, caller) in callers().await {
                let args = [&*endpoint, "ana", "backwards", "olá", "roma"];
                let replies = printed(run_with(caller, &args).await);
                assert_eq!(replies, "rui: álo\nrui: amor\n", "{name}");
            }
            interrupt(&responder);
            let status = responder.wait().await.expect("it can be waited for");
            assert_eq!(status.code(), Some(0), "{name}");
        }
    };
    within(test).await;
}

#[tokio::test]
async fn caller_tells_that_no_program_offers_the_service() {
    let test = async {
        let server = Served::start().await;
        let endpoint = server.cbor();
        for (name, caller) in callers().await {
            let args = [&*endpoint, "ana", "backwards", "olá", "roma"];
            let complaint = complaint(run_with(caller, &args).await, 1);
            for part in ["olá: ", "roma: ", "(unavailable)", "2 of 2 requests failed"] {
                assert!(complaint.contains(part), "{name}: {part} in {complaint}");
            }
        }
    };
    within(test).await;
}

#[tokio::test]
async fn responder_offers_again_at_the_next_server() {
    let test = async {
        for (name, responder) in responders().await {
            let mut server = Served::start().await;
            let endpoint = server.cbor();
            let mut responder = offer(responder, &endpoint).await;
            server.child.kill().await.expect("it runs");
            let server = Served::start_within(server.folder, &[]).await;
            loop {
                let caller = example("ask.rs").await.expect("it needs no tools");
                let args = [&*endpoint, "ana", "backwards", "roma"];
                let output = run_with(caller, &args).await;
                if output.status.success() {
                    assert_eq!(printed(output), "rui: amor\n");
                    break;
                }
            }
            interrupt(&responder);
            let status = responder.wait().await.expect("it can be waited for");
            assert_eq!(status.code(), Some(0), "{name}");
            drop(server);
        }
    };
    within(test).await;
}
