//! `arauto leitor` and `arauto escritor` with topics.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command};

use serde_json::{Value, json};

use crate::support::{Served, finish, spawn, wait_until, watchdog};

/// A leitor that runs; it is killed when it is dropped.
struct Leitor {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Leitor {
    /// Starts a leitor, and waits until it is logged in.
    fn start(served: &Served, arguments: &[&str]) -> Leitor {
        let mut command = served.command(&["leitor"]);
        command.env("ARAUTO_USER", "eva").args(arguments);
        let mut child = spawn(&mut command);
        wait_until("the leitor is logged in", || {
            let who = finish(&mut served.command(&["who"]), "").expect_success();
            who.contains("eva")
        });
        let lines = BufReader::new(child.stdout.take().expect("it is a pipe"));
        Leitor { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("it prints utf-8");
        assert!(line.ends_with('\n'), "it goes on: {line:?}");
        line.trim_end().to_owned()
    }

    fn json(&mut self) -> Value {
        serde_json::from_str(&self.line()).expect("it prints JSON")
    }

    /// Returns the next object that is not `passed`, and its name.
    fn object(&mut self) -> (String, Value) {
        loop {
            let Value::Object(object) = self.json() else {
                panic!("each line is an object");
            };
            let (name, value) = object.into_iter().next().expect("it has a name");
            if name != "passed" {
                return (name, value);
            }
        }
    }
}

impl Drop for Leitor {
    fn drop(&mut self) {
        let _ = self.child.kill(); // or it has ended
        let _ = self.child.wait();
    }
}

fn escritor(served: &Served, arguments: &[&str]) -> Command {
    let mut command = served.command(&["escritor", "--verbose"]);
    command.args(arguments);
    command
}

/// Publishes, and returns the seq.
fn post(served: &Served, arguments: &[&str]) -> u64 {
    let seq = finish(&mut escritor(served, arguments), "").expect_success();
    seq.trim().parse().expect("it prints the seq")
}

/// Returns the message without the keys that differ from one run to the next.
fn without_time((name, mut value): (String, Value)) -> (String, Value) {
    let object = value.as_object_mut().expect("it is a map");
    assert!(object.remove("at").is_some() && object.remove("seq").is_some());
    (name, value)
}

#[test]
fn leitor_prints_the_messages_of_its_patterns() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let kept = post(&served, &["--topic", "home/light", "--keep", "on"]);
    let mut leitor = Leitor::start(&served, &["--kept", "home/+", "alarms/#"]);
    assert_eq!(leitor.line(), format!("kept {kept} ana [home/light]: on"));
    post(&served, &["--topic", "away/light", "on"]);
    let first = post(&served, &["--topic", "alarms", "fire"]);
    post(&served, &["without a topic"]);
    let second = post(&served, &["--to", "eva", "run"]);
    let third = post(&served, &["--to", "eva", "--topic", "home/x", "again"]);
    let expected = [
        format!("{first} ana [alarms]: fire"),
        format!("{second} ana -> eva: run"),
        format!("{third} ana -> eva [home/x]: again"),
    ];
    assert_eq!([leitor.line(), leitor.line(), leitor.line()], expected);
    drop(leitor);
    served.stop();
}

#[test]
fn leitor_json_has_every_key_of_a_message() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let headers = ["--header", "k=v", "--header", "e=a=b"];
    let first = [&["--topic", "a", "--keep", "um"], &headers[..]].concat();
    post(&served, &first);
    let mut leitor = Leitor::start(&served, &["--json", "--no-presence", "--kept"]);
    let message = json!({
        "from": "ana", "body": "um", "topic": "a", "keep": true,
        "headers": {"k": "v", "e": "a=b"},
    });
    let kept = without_time(leitor.object());
    assert_eq!(kept, ("kept".to_owned(), message.clone()));
    post(&served, &first);
    let broadcast = without_time(leitor.object());
    assert_eq!(broadcast, ("message".to_owned(), message));
    post(&served, &["--to", "eva", "dois"]);
    let direct = json!({"from": "ana", "body": "dois", "to": "eva"});
    assert_eq!(without_time(leitor.object()).1, direct);
    drop(leitor);

    // Where nothing is for it, that is printed too.
    let mut leitor = Leitor::start(&served, &["--json", "b"]);
    let seq = post(&served, &["--topic", "c", "três"]);
    while leitor.json()["passed"]["to"]
        .as_u64()
        .expect("it is passed")
        < seq
    {}
    drop(leitor);
    served.stop();
}

#[test]
fn resume_file_moves_with_what_passed_the_leitor() {
    let _watchdog = watchdog();
    let served = Served::new(&["--journal", "--no-console"]);
    let state = served.folder.path().join("state.json");
    let path = state.display().to_string();
    let seq_in = |file: &Path| -> Option<u64> {
        let text = std::fs::read_to_string(file).ok()?;
        let value: Value = serde_json::from_str(&text).ok()?;
        value["seq"].as_u64()
    };
    let leitor = Leitor::start(&served, &["--resume", &path, "a"]);
    let other = post(&served, &["--topic", "b", "um"]);
    wait_until("the position moves", || seq_in(&state) >= Some(other));
    drop(leitor);
    post(&served, &["--topic", "a", "dois"]);
    post(&served, &["--topic", "b", "três"]);
    let mut leitor = Leitor::start(&served, &["--resume", &path, "a"]);
    assert!(leitor.line().ends_with("ana [a]: dois"));
    drop(leitor);
    served.stop();
}

#[test]
fn outbox_keeps_the_topic_of_each_message() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let mut leitor = Leitor::start(&served, &["--json", "--no-presence"]);
    // As an earlier start left it.
    let outbox = served.folder.path().join("outbox");
    let left = json!({"producer": "p", "n": 1, "messages": [
        "bare", {"text": "old", "topic": "a", "keep": true, "headers": {"k": "v"}},
    ]});
    std::fs::write(&outbox, left.to_string()).expect("the folder is ours");
    let file = outbox.display().to_string();
    let new = ["--once-only", &file, "--topic", "b", "new", "newer"];
    finish(&mut escritor(&served, &new), "").expect_success();
    let bodies = [
        json!({"from": "ana", "body": "bare"}),
        json!({"from": "ana", "body": "old", "topic": "a", "keep": true, "headers": {"k": "v"}}),
        json!({"from": "ana", "body": "new", "topic": "b"}),
        json!({"from": "ana", "body": "newer", "topic": "b"}),
    ];
    for body in bodies {
        assert_eq!(without_time(leitor.object()).1, body);
    }
    let text = std::fs::read_to_string(&outbox).expect("it is there");
    let value: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!((&value["n"], &value["messages"]), (&json!(5), &json!([])));
    drop(leitor);
    served.stop();
}

#[test]
fn wrong_arguments_of_topics_say_what_is_wrong_and_where() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let run = |command: &str, arguments: &[&str]| {
        let mut command = served.command(&[command]);
        finish(command.args(arguments), "")
    };
    let many: Vec<String> = (0..33).map(|n| format!("--header=h{n}=v")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).chain(["x"]).collect();
    for (command, arguments, naming) in [
        (
            "leitor",
            &["a", "b/#/c"][..],
            &["b/#/c", "level 2", "at byte 2"][..],
        ),
        ("leitor", &["--raw", "a"], &["--raw"]),
        (
            "escritor",
            &["--topic", "a/+", "x"],
            &["a/+", "level 2", "at byte 2"],
        ),
        ("escritor", &["--topic", "$a", "x"], &["$a", "reserved"]),
        ("escritor", &["--keep", "x"], &["--topic"]),
        (
            "escritor",
            &["--topic=a", "--keep", "--to=rui", "x"],
            &["--keep", "--to"],
        ),
        ("escritor", &["--header", "k", "x"], &["\"=\""]),
        (
            "escritor",
            &["--header=k=1", "--header=k=2", "x"],
            &["k is given twice"],
        ),
        ("escritor", &many, &["33 headers", "32"]),
    ] {
        run(command, arguments).expect_failure(64, naming);
    }
    let to = run("escritor", &["--to", "nobody", "x"]);
    assert!(to.err.contains("nobody") && to.code != Some(0), "{to:?}");
    served.stop();
}

#[test]
fn long_topic_leaves_less_of_a_frame_for_a_line() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none", "--max-frame", "4096"]);
    let topic = "t".repeat(256);
    let arguments = ["--topic", &topic, "--header", "k=v"];
    let long = format!("{}\n", "x".repeat(4000));
    let refused = finish(&mut escritor(&served, &arguments), &long);
    refused.expect_failure(65, &["line 1"]);
    let fits = format!("{}\n", "x".repeat(3000));
    finish(&mut escritor(&served, &arguments), &fits).expect_success();
    served.stop();
}
