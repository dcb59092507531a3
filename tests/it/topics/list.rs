//! The list of topics, for operators.

use arauto::{ErrorCode, NewMessage};

use super::log_in;
use crate::support::{Fixture, Served, block_on, finish, watchdog};

#[test]
fn topics_are_listed_in_parts_within_a_small_frame() {
    let fixture = Fixture::with(|config| {
        config.limits.max_frame = 4096;
        Fixture::also(config, "tcp:127.0.0.1:0");
    });
    let endpoints = fixture.server.endpoints();
    block_on(async {
        let (ana, _events) = log_in(&endpoints[0], "ana").await;
        let names: Vec<String> = (0..300).map(|n| format!("t/{n:03}")).collect();
        for name in names.iter().rev() {
            let message = NewMessage::new("x").topic(&**name);
            ana.publish(message).await.expect("it may");
        }
        let (mut listed, mut parts) = (Vec::<String>::new(), 0);
        loop {
            let after = listed.last().cloned().unwrap_or_default();
            let (part, has_more) = ana.topics(Some("t/+"), &after).await.expect("it may");
            listed.extend(part.into_iter().map(|line| line.topic.into_owned()));
            parts += 1;
            if !has_more {
                break;
            }
        }
        assert_eq!(listed, names);
        assert!(parts > 3, "{parts}");

        let error = ana.topics(Some("a/#/b"), "").await.expect_err("no pattern");
        assert_eq!(error.code(), Some(ErrorCode::BadTopic));
        assert!(error.to_string().contains("level 2"), "{error}");
        // Over TCP nobody is the server's own user.
        let (rui, _events) = log_in(&endpoints[1], "rui").await;
        let error = rui.topics(None, "").await.expect_err("it is no admin");
        assert_eq!(error.code(), Some(ErrorCode::Forbidden));
    });
    // The clients have gone without reading to the end, which a stop would report.
    fixture.wait_for_sessions(0);
    fixture.finish();
}

#[test]
fn topics_command_prints_newest_seq_count_and_kept_value() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let post = |arguments: &[&str]| {
        let mut command = served.command(&["escritor", "--verbose"]);
        let seq = finish(command.args(arguments), "").expect_success();
        seq.trim().parse::<u64>().expect("it prints the seq")
    };
    let first = post(&["--topic", "a/x", "--keep", "um"]);
    let second = post(&["--topic", "a/x", "dois"]);
    let third = post(&["--topic", "b", "três"]);
    let topics = |arguments: &[&str]| {
        let mut command = served.command(&["topics"]);
        finish(command.args(arguments), "")
    };
    let table = topics(&[]).expect_success();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let [first, second, third] = [first, second, third].map(|seq| seq.to_string());
    assert_eq!(rows[0], ["topic", "newest", "held", "kept"]);
    assert_eq!(rows[1], ["a/x", &*second, "2", &*first]);
    assert_eq!(rows[2..], [["b", &*third, "1", "-"]]);
    let json = topics(&["--json", "b/#"]).expect_success();
    let line: serde_json::Value = serde_json::from_str(&json).expect("it is one object");
    assert_eq!(line["topic"], "b");
    assert_eq!(line["seq"].to_string(), third);
    assert!(line.get("kept").is_none(), "{json}");
    topics(&["a+"]).expect_failure(64, &["a+", "level 1", "at byte 1"]);
    served.stop();
}
