//! `arauto offer --exec`: a command for each request.

use std::io::Write;

use super::{Offer, in_work, pedir, services};
use crate::support::{Served, finish, spawn, wait_until, watchdog};

#[test]
fn offer_runs_its_command_for_each_request() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let offer = Offer::start(&served, &["s", "--exec", "tr", "a-z", "A-Z"]);
    let replies = pedir(&served, &["bom dia", "", "a\nb"], "").expect_success();
    assert_eq!(replies, "BOM DIA\n\nA\nB\n");
    let line = &services(&served)[0];
    assert_eq!(
        (&line["service"], &line["offers"][0]["user"]),
        (&"s".into(), &"rui".into())
    );
    assert_eq!((&line["answered"], &line["failed"]), (&3.into(), &0.into()));
    let table = finish(&mut served.command(&["services"]), "").expect_success();
    assert!(table.contains("p99") && table.contains("rui:"), "{table}");
    offer.stop();
    served.stop();
}

#[test]
fn replies_are_printed_in_request_order() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let offer = Offer::start(&served, &["s", "--jobs", "8", "--exec", "cat"]);
    let lines: Vec<String> = (0..400).map(|n| format!("{n}\n")).collect();
    let replies = pedir(&served, &["--timeout", "50"], &lines.concat()).expect_success();
    assert_eq!(replies, lines.concat());
    offer.stop();
    served.stop();
}

#[test]
fn bytes_go_through_a_command_unchanged() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let offer = Offer::start(&served, &["s", "--exec", "cat"]);
    let mut child = spawn(&mut served.command(&["pedir", "--service", "s"]));
    let mut input = child.stdin.take().expect("it is a pipe");
    input.write_all(b"\xff\x00\xfe\n").expect("it reads");
    drop(input);
    let done = child.wait_with_output().expect("it is a child");
    assert_eq!(done.stdout, b"\xff\x00\xfe\n");
    offer.stop();
    served.stop();
}

#[test]
fn command_that_fails_is_the_error_of_its_call() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let failing = "echo one >&2; echo 'two: %' >&2; echo >&2; exit 3";
    for (script, naming) in [
        (failing, &["exit-3", "two: %", "(failed)"][..]),
        ("exit 4", &["exit-4", "exit status: 4"]),
        ("kill -9 $$", &["killed", "signal: 9"]),
        ("yes", &["output-too-long"]),
    ] {
        let offer = Offer::start(&served, &["s", "--exec", "sh", "-c", script]);
        pedir(&served, &["olá"], "").expect_failure(70, naming);
        offer.stop();
    }
    let offer = Offer::start(&served, &["s", "--exec", "/no/such/command"]);
    let done = pedir(&served, &["olá"], "");
    done.expect_failure(70, &["not-started", "No such file"]);
    offer.stop();
    served.stop();
}

#[test]
fn failed_requests_do_not_stop_the_others() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let script = "read word; test $word != b || exit 1; echo $word";
    let offer = Offer::start(&served, &["s", "--exec", "sh", "-c", script]);
    let done = pedir(&served, &["a", "b", "c"], "");
    done.expect_failure(70, &["argument 2", "exit-1"]);
    assert_eq!(done.out, "a\n\nc\n\n");
    offer.stop();
    served.stop();
}

#[test]
fn command_knows_its_caller_and_no_password() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let script = "echo $ARAUTO_SERVICE $ARAUTO_FROM ${ARAUTO_PASSWORD-none}";
    let offer = Offer::start(&served, &["s", "--exec", "sh", "-c", script]);
    let reply = pedir(&served, &["olá"], "").expect_success();
    assert_eq!(reply.trim_end(), "s ana none");
    offer.stop();
    served.stop();
}

#[test]
fn command_that_ignores_a_long_request_answers() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let offer = Offer::start(&served, &["s", "--exec", "echo", "sim"]);
    let long = format!("{}\n", "x".repeat(500_000));
    let reply = pedir(&served, &[], &long).expect_success();
    assert_eq!(reply, "sim\n\n");
    offer.stop();
    served.stop();
}

#[test]
fn jobs_bound_the_commands_at_once() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let folder = served.folder.path().join("running");
    std::fs::create_dir(&folder).expect("the folder is ours");
    let gate = served.folder.path().join("gate");
    let script = format!(
        "touch {}/$$; while test -d {0} -a ! -e {}; do sleep 0.01; done; cat",
        folder.display(),
        gate.display()
    );
    let offer = Offer::start(
        &served,
        &["s", "--jobs", "3", "--exec", "sh", "-c", &script],
    );
    let mut asking = served.command(&["pedir", "--service", "s", "--timeout", "50"]);
    let requests: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    let child = spawn(asking.args(&requests));
    let running = || std::fs::read_dir(&folder).expect("it is there").count();
    wait_until("three run", || running() == 3);
    wait_until("the others wait", || services(&served)[0]["waiting"] == 7);
    assert_eq!((running(), in_work(&served)), (3, 3));
    std::fs::write(&gate, "").expect("the folder is ours");
    let done = child.wait_with_output().expect("it is a child");
    let replies = String::from_utf8(done.stdout).expect("it is text");
    assert_eq!(replies.lines().collect::<Vec<_>>(), requests);
    offer.stop();
    served.stop();
}
