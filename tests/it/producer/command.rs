//! `arauto escritor --once-only`.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};

use crate::journal::on_disk;
use crate::support::{CommandResult, Served, finish, spawn, wait_until, watchdog};

const JOURNAL: [&str; 2] = ["--journal", "--no-console"];

fn escritor(served: &Served, file: &Path) -> Command {
    let mut command = served.command(&["escritor", "--once-only"]);
    command.arg(file);
    command
}

fn run(served: &Served, file: &Path, input: &str) -> CommandResult {
    finish(&mut escritor(served, file), input)
}

/// The texts of the messages on disk, in their order.
fn messages(served: &Served) -> Vec<String> {
    let (kept, _) = on_disk(&served.folder.path().join("data/arauto.db"));
    kept.into_values().filter(|body| !body.is_empty()).collect()
}

fn lines(numbers: std::ops::RangeInclusive<u32>) -> String {
    numbers.map(|number| format!("line {number}\n")).collect()
}

fn expected(numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers.map(|number| format!("line {number}")).collect()
}

/// The content of the file: the number of its first message, and the messages.
fn outbox(file: &Path) -> (u64, usize) {
    let text = std::fs::read_to_string(file).expect("it is there");
    let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let messages = value["messages"].as_array().expect("it has messages");
    (
        value["n"].as_u64().expect("it has a number"),
        messages.len(),
    )
}

#[test]
fn starts_with_one_file_continue_its_numbers() {
    let _watchdog = watchdog();
    let served = Served::new(&JOURNAL);
    let file = served.folder.path().join("outbox");
    run(&served, &file, &lines(1..=500)).expect_success();
    assert_eq!(outbox(&file), (501, 0));
    let mut command = escritor(&served, &file);
    let seqs = finish(command.args(["--verbose", "line 501", "line 502"]), "").expect_success();
    assert_eq!(seqs.lines().count(), 2, "{seqs}");
    run(&served, &file, "line 503\nfim\nline 504\n").expect_success();
    assert_eq!(outbox(&file), (504, 0));
    assert_eq!(messages(&served), expected(1..=503));
    served.stop();
}

#[test]
fn lines_are_published_once_across_kills_of_the_server() {
    let _watchdog = watchdog();
    let mut served = Served::new(&JOURNAL);
    let file = served.folder.path().join("outbox");
    let mut child = spawn(&mut escritor(&served, &file));
    let mut stdin = child.stdin.take().expect("it is a pipe");
    for first in [1, 401, 801] {
        stdin
            .write_all(lines(first..=first + 399).as_bytes())
            .expect("it reads");
        wait_until("some are published", || {
            messages(&served).len() > first as usize + 50
        });
        served.child.kill().expect("it runs");
        served = Served::within(served.into_folder(), &JOURNAL);
    }
    drop(stdin);
    let output = child.wait_with_output().expect("it is a child");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(messages(&served), expected(1..=1200));
    assert_eq!(outbox(&file), (1201, 0));
    served.stop();
}

fn kill(mut child: Child) {
    child.kill().expect("it runs");
    child.wait().expect("it is a child");
}

#[test]
fn escritor_killed_without_answers_sends_them_again_at_its_next_start() {
    let _watchdog = watchdog();
    let mut served = Served::new(&JOURNAL);
    let file = served.folder.path().join("outbox");
    run(&served, &file, &lines(1..=10)).expect_success();
    let mut child = spawn(&mut escritor(&served, &file));
    let mut stdin = child.stdin.take().expect("it is a pipe");
    stdin.write_all(b"line 11\n").expect("it reads");
    wait_until("it is published", || messages(&served).len() == 11);
    // The server stands still: nothing is answered any more.
    let server = i32::try_from(served.child.id())
        .ok()
        .and_then(Pid::from_raw);
    kill_process(server.expect("it has an id"), Signal::STOP).expect("it runs");
    stdin
        .write_all(lines(12..=40).as_bytes())
        .expect("it reads");
    wait_until("they are kept", || outbox(&file).1 >= 29);
    kill(child);
    let (first, kept) = outbox(&file);
    assert_eq!(first + kept as u64, 41);
    served.child.kill().expect("it is there");
    served = Served::within(served.into_folder(), &JOURNAL);
    run(&served, &file, "line 41\n").expect_success();
    assert_eq!(messages(&served), expected(1..=41));
    served.stop();
}

#[test]
fn message_refused_for_good_is_kept_and_told() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console", "--default-role", "leitor"]);
    let file = served.folder.path().join("outbox");
    let done = run(&served, &file, "a\nb\n");
    let path = file.display().to_string();
    done.expect_failure(77, &["forbidden", "line 1", "keeps: 2 messages", &path]);
    finish(&mut served.users(&["role", "ana", "escritor"]), "").expect_success();
    wait_until("the role counts", || {
        run(&served, &file, "").code == Some(0)
    });
    assert_eq!(outbox(&file), (3, 0));
    served.stop();
}

#[test]
fn outbox_in_use_or_of_another_kind_is_refused() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let file = served.folder.path().join("outbox");
    let mut child = spawn(&mut escritor(&served, &file));
    let mut stdin = child.stdin.take().expect("it is a pipe");
    stdin.write_all(b"a\n").expect("it reads");
    wait_until("it has the file", || file.exists());
    run(&served, &file, "b\n").expect_failure(75, &["another escritor"]);
    drop(stdin);
    assert!(child.wait().expect("it is a child").success());
    run(&served, &file, "b\n").expect_success();

    std::fs::write(&file, "{\"stream\":\"s\",\"seq\":1}").expect("writable");
    run(&served, &file, "c\n").expect_failure(65, &["is not an outbox"]);
    run(&served, Path::new("/dev/null"), "c\n").expect_failure(64, &["/dev/null"]);
    let folder = served.folder.path().join("no/outbox");
    run(&served, &folder, "c\n").expect_failure(73, &["no/outbox", "No such file"]);
    served.stop();
}

#[test]
fn bytes_that_are_not_text_are_kept_and_published() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let file = served.folder.path().join("outbox");
    let mut reader = served.unauthenticated();
    reader.log_in("eva");
    let state = r#"{"producer":"p","n":7,"messages":["olá",{"hex":"00ff"}]}"#;
    std::fs::write(&file, state).expect("writable");
    run(&served, &file, "").expect_success();
    assert_eq!(reader.skip_to("message").text("body"), "olá");
    let bytes = reader.skip_to("message");
    let expected = serde_cbor::Value::Bytes(vec![0, 0xff]);
    assert_eq!(bytes.get("body"), Some(&expected));
    assert_eq!(outbox(&file), (9, 0));
    drop(reader);
    served.stop();
}

#[test]
fn number_that_the_server_does_not_expect_is_explained() {
    let _watchdog = watchdog();
    let served = Served::new(&JOURNAL);
    let file = served.folder.path().join("outbox");
    run(&served, &file, &lines(1..=3)).expect_success();
    // As if the server's data were those of an older copy.
    let state = std::fs::read_to_string(&file).expect("it is there");
    std::fs::write(&file, state.replace("\"n\":4", "\"n\":9")).expect("writable");
    let done = run(&served, &file, "line 9\n");
    done.expect_failure(
        76,
        &["line 1", "out-of-order", "older copy", "keeps: 1 message"],
    );
    // The remedy of docs/operations.md.
    let mut state = std::fs::read_to_string(&file).expect("it is there");
    state = state.replacen("escritor-", "other-", 1);
    std::fs::write(&file, state).expect("writable");
    run(&served, &file, "").expect_success();
    let all = ["line 1", "line 2", "line 3", "line 9"];
    assert_eq!(messages(&served), all);
    served.stop();
}
