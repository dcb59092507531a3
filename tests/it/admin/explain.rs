//! `arauto explain SEQ --admin ENDPOINT`: what became of a broadcast of a server that runs.

use serde_json::Value;

use super::Administered;
use crate::support::{CommandResult, arauto, finish, watchdog};

/// The exit code for wrong arguments.
const USAGE: i32 = 64;

fn explain(server: &Administered, arguments: &[&str]) -> CommandResult {
    let mut command = arauto(&["explain", "--admin", &server.admin.to_string()]);
    finish(command.args(arguments), "")
}

/// Returns the fate of a broadcast at the session of each user; `-` is one without a login.
fn fates(server: &Administered, seq: u64) -> Vec<(String, String)> {
    let text = explain(server, &[&seq.to_string(), "--json"]).expect_success();
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("each line is json");
        let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
        (text("user"), text("fate"))
    });
    lines.collect()
}

#[test]
fn explain_tells_the_fate_of_a_broadcast_while_the_server_runs() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let connected = server.served.unauthenticated();
    let mut rui = server.served.unauthenticated();
    rui.log_in("rui");
    rui.publish(2, "bom dia");
    let seq = rui.skip_to("published").num("seq");
    rui.ping();
    let mut late = server.served.unauthenticated();
    late.log_in("eva");

    let fates = fates(&server, seq);
    let fate = |user: &str| {
        let mut fates = fates.iter().filter(|(name, _)| name == user);
        fates.next().expect("it has a session").1.as_str()
    };
    assert_eq!(fates.len(), 3);
    assert_eq!((fate("eva"), fate("-")), ("before", "no-reader"));
    assert!(
        ["written", "kernel-acked", "read"].contains(&fate("rui")),
        "{fates:?}"
    );

    let text = explain(&server, &[&seq.to_string()]).expect_success();
    assert!(text.contains("a message without a topic"), "{text}");
    drop((connected, rui, late));
    server.served.stop();
}

#[test]
fn broadcast_that_a_stalled_reader_has_not_read_is_waiting() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let mut stalled = server.served.unauthenticated();
    stalled.log_in("stalled");
    let mut rui = server.served.unauthenticated();
    rui.log_in("rui");
    // More than the buffers of a socket hold.
    let long = "x".repeat(60_000);
    let mut head = 0;
    for id in 2..130 {
        rui.publish(id, &long);
        head = rui.skip_to("published").num("seq");
    }
    let fates = fates(&server, head);
    let waiting = ("stalled".to_owned(), "waiting".to_owned());
    assert!(fates.contains(&waiting), "{fates:?}");
    let text = explain(&server, &[&head.to_string()]).expect_success();
    assert!(
        text.contains("not written yet; the last broadcast"),
        "{text}"
    );
    drop((stalled, rui));
    server.served.stop();
}

#[test]
fn explain_of_a_broadcast_that_is_not_there_is_refused() {
    let _watchdog = watchdog();
    let server = Administered::new();
    explain(&server, &["700"]).expect_failure(USAGE, &["no broadcast 700"]);
    let unnamed = finish(&mut arauto(&["explain", "700"]), "");
    unnamed.expect_failure(USAGE, &["--report FILE", "--admin ENDPOINT"]);
    server.served.stop();
}
