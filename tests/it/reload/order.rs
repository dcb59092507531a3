//! Reloads beside each other, and beside a stop.

use super::Configured;
use crate::support::{Stop, finish, spawn, wait_until, watchdog};

#[test]
fn reloads_at_once_come_one_after_the_other() {
    let _watchdog = watchdog();
    let server = Configured::new("patterns = 7\n", &[]);
    server.write("patterns = 8\n");
    let commands: Vec<_> = (0..6)
        .map(|_| spawn(&mut server.command(&["reload"])))
        .collect();
    let mut printed: Vec<String> = commands
        .into_iter()
        .map(|command| {
            let output = command.wait_with_output().expect("it ends");
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            String::from_utf8(output.stdout).expect("it is text")
        })
        .collect();
    printed.sort();
    // One has changed the setting, and the others have found it changed.
    assert_eq!(printed[5], "patterns: 7 -> 8\n");
    assert!(
        printed[..5]
            .iter()
            .all(|text| text == "no setting has changed\n"),
        "{printed:?}"
    );
    server.served.stop();
}

#[test]
fn reload_of_a_server_that_stops_is_refused() {
    let _watchdog = watchdog();
    let mut server = Configured::new("", &[]);
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    server.served.send_stop(Stop::USUAL);
    // Its last frames are not read, so the stop cannot go on.
    wait_until("the stop has begun", || {
        let status = finish(&mut server.command(&["status"]), "");
        status.out.contains(", stopping\n")
    });
    let result = server.reload("patterns = 8\n");
    result.expect_failure(75, &["settings not reloaded", "the server is stopping"]);
    ana.skip_to("closing");
    drop(ana);
    assert_eq!(server.served.wait(), Some(0), "{}", server.served.log());
}
