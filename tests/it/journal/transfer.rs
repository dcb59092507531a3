//! Exports and imports of journals.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{resume, seqs_up_to};
use crate::support::{CommandResult, Served, arauto, bytes, finish, publish, wait_until, watchdog};

/// A command of `arauto` for a data folder.
fn on(data: &Path, command: &str, arguments: &[&str]) -> Command {
    let mut command = arauto(&[command, "--data"]);
    command.arg(data).args(arguments);
    command
}

fn exported(data: &Path, arguments: &[&str]) -> CommandResult {
    let mut export = on(data, "export", &["--jsonl"]);
    finish(export.args(arguments), "")
}

fn imported(data: &Path, text: &str) -> CommandResult {
    finish(&mut on(data, "import", &["-"]), text)
}

/// Starts a server and publishes messages of each kind.
fn filled() -> Served {
    let served = Served::new(&["--journal", "--no-console"]);
    let escritor = |arguments: &[&str]| {
        finish(served.command(&["escritor"]).args(arguments), "").expect_success();
    };
    finish(&mut served.command(&["who", "--user", "rui"]), "").expect_success();
    escritor(&["olá", "a\u{202e}b\tc \"d\" \\"]);
    escritor(&[
        "--topic", "casa/luz", "--keep", "--header", "z=1", "--header", "a=é", "on",
    ]);
    escritor(&["--to", "rui", "only for rui"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    ana.send(&publish(1, bytes(b"\xff\x00")));
    ana.skip_to("published");
    ana.send(&publish(2, bytes(b"bytes that are text")));
    ana.skip_to("published");
    ana.fim();
    let data = served.folder.path().join("data");
    // The last broadcast comes after its client has gone.
    wait_until("everyone has left", || {
        let text = exported(&data, &[]).expect_success();
        let number = |kind| text.matches(kind).count();
        number(r#""kind":"joined""#) == number(r#""kind":"left""#)
    });
    served
}

/// Returns the header, the lines between, and the footer.
fn parsed(text: &str) -> (Value, Vec<Value>, Value) {
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("it is json"))
        .collect();
    let footer = lines.pop().expect("there is a footer");
    let header = lines.remove(0);
    (header, lines, footer)
}

/// Returns the export without the name of its stream.
fn without_stream(text: &str) -> String {
    let (header, _, _) = parsed(text);
    text.replacen(header["stream"].as_str().expect("a name"), "", 1)
}

#[test]
fn export_of_a_live_server_is_imported_as_a_new_stream() {
    let _watchdog = watchdog();
    let served = filled();
    let data = served.folder.path().join("data");
    let text = exported(&data, &[]).expect_success();
    let (header, lines, footer) = parsed(&text);
    assert_eq!(
        (&header["arauto"], &header["version"]),
        (&"journal".into(), &1.into())
    );
    let to = header["to"].as_u64().expect("a seq");
    let seqs: Vec<_> = lines.iter().map(|line| line["seq"].as_u64()).collect();
    assert_eq!(seqs, (1..=to).map(Some).collect::<Vec<_>>());
    assert_eq!(footer["broadcasts"], to);
    for line in [
        r#""from":"ana","topic":"casa/luz","headers":{"a":"é","z":"1"},"keep":true,"body":"on"}"#,
        r#""from":"ana","to":"rui","body":"only for rui"}"#,
        r#""from":"ana","body_base64":"/wA="}"#,
        r#""body":"a\u202eb\tc \"d\" \\"}"#,
        r#"{"kind":"joined","seq":1,"#,
        r#"{"kind":"left","#,
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    served.stop();

    let other = tempfile::tempdir().expect("a folder can be made");
    let data = other.path().join("data");
    let done = imported(&data, &text);
    for named in ["arauto users import", &format!("{to} broadcasts")] {
        assert!(done.err.contains(named), "{done:?}");
    }
    done.expect_success();
    let again = exported(&data, &[]).expect_success();
    assert_eq!(without_stream(&again), without_stream(&text));
    let (new, _, _) = parsed(&again);
    assert_ne!(new["stream"], header["stream"]);
    imported(&data, &text).expect_failure(73, &["has a journal with broadcasts"]);

    let served = Served::within(other, &["--journal", "--no-console"]);
    let mut ana = served.unauthenticated();
    let stream = new["stream"].as_str().expect("a name");
    let login = resume(&mut ana, "ana", stream, 1);
    assert_eq!(login.text("stream"), stream, "the server goes on with it");
    ana.fim();
    drop(ana);
    let mut rui = served.unauthenticated();
    resume(&mut rui, "rui", stream, 1);
    let all = seqs_up_to(&mut rui, to);
    assert_eq!(all.first(), Some(&2), "nothing is missing: {all:?}");
    drop(rui);
    served.stop();
}

#[test]
fn export_of_a_range_has_its_seqs() {
    let _watchdog = watchdog();
    let served = filled();
    let data = served.folder.path().join("data");
    let text = exported(&data, &["--from", "3", "--to", "5"]).expect_success();
    let (header, lines, footer) = parsed(&text);
    assert_eq!((&header["from"], &header["to"]), (&3.into(), &5.into()));
    assert_eq!((lines.len(), &footer["broadcasts"]), (3, &3.into()));
    let whole = exported(&data, &[]).expect_success();
    let (header, _, _) = parsed(&whole);
    let next = (header["to"].as_u64().expect("a seq") + 1).to_string();
    for range in [
        ["--from", "0", "--to", "5"],
        ["--from", "1", "--to", &next],
        ["--from", "5", "--to", "3"],
        [
            "--from",
            "18446744073709551615",
            "--to",
            "18446744073709551615",
        ],
    ] {
        exported(&data, &range).expect_failure(64, &["the journal has seq 1 to"]);
    }
    // The value that the topic keeps is older than the last broadcast, and goes with it.
    let last = header["to"].as_u64().expect("a seq").to_string();
    let text = exported(&data, &["--from", &last]).expect_success();
    let (_, lines, footer) = parsed(&text);
    assert_eq!(
        (&lines[0]["kind"], &lines[0]["body"]),
        (&"kept".into(), &"on".into())
    );
    assert_eq!(
        (&footer["kept"], &footer["broadcasts"]),
        (&1.into(), &1.into())
    );
    served.stop();
    let other = tempfile::tempdir().expect("a folder can be made");
    let data = other.path().join("data");
    imported(&data, &text).expect_success();
    let again = exported(&data, &[]).expect_success();
    assert_eq!(without_stream(&again), without_stream(&text));
}

#[test]
fn export_without_a_journal_is_refused() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let data = served.folder.path().join("data");
    exported(&data, &[]).expect_failure(65, &["arauto.db", "no journal", "--journal"]);
    exported(&data.join("none"), &[]).expect_failure(66, &["arauto.db"]);
    let done = finish(&mut on(&data, "export", &[]), "");
    done.expect_failure(64, &["--jsonl"]);
    let header = r#"{"arauto":"journal","version":1,"stream":"s","from":1,"to":0}"#;
    imported(&data, header).expect_failure(75, &["in use"]);
    served.stop();
}

#[test]
fn changed_or_incomplete_export_is_not_imported() {
    let _watchdog = watchdog();
    let header = r#"{"arauto":"journal","version":1,"stream":"s","from":4,"to":6}"#;
    let kept = r#"{"kind":"kept","seq":2,"at":1,"from":"ana","topic":"a","keep":true,"body":"x"}"#;
    let line = |seq| format!(r#"{{"kind":"message","seq":{seq},"at":1,"from":"ana","body":"x"}}"#);
    let footer = r#"{"arauto":"end","kept":1,"broadcasts":3}"#;
    let (four, five, six) = (line(4), line(5), line(6));
    let sound = [header, kept, &four, &five, &six, footer];
    let with = |number: usize, text: &str| {
        let mut lines = sound.map(str::to_owned).to_vec();
        lines[number - 1] = text.to_owned();
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    };
    let newer = header.replace("\"version\":1", "\"version\":2");
    let topic = four.replace("\"body\"", "\"topic\":\"a/#\",\"body\"");
    let name = four.replace("ana", "a b");
    for (text, naming) in [
        (String::new(), &["line 1", "not the header"][..]),
        (with(1, ""), &["line 1", "not the header"]),
        (
            with(1, &newer),
            &["line 1", "version 2", "newer", "up to 1"],
        ),
        (with(1, &header.replace('6', "5")), &["line 5", "above 5"]),
        (
            with(1, &header.replace('6', "7")),
            &["line 6", "seq 7 to 7"],
        ),
        (with(1, &header.replace('4', "5")), &["line 3", "seq 4"]),
        (with(2, ""), &["line 5", "there are 0"]),
        (with(3, ""), &["line 3", "has seq 5, and 4 is next"]),
        (with(4, &four), &["line 4", "has seq 4, and 5 is next"]),
        (with(4, "{}"), &["line 4", "kind"]),
        (with(4, "x"), &["line 4", "no line of an export"]),
        (with(3, &topic), &["line 3", "topic"]),
        (with(3, &name), &["line 3", "from"]),
        (with(5, ""), &["line 5", "2"]),
        (with(6, ""), &["line 6", "footer is missing"]),
        (with(6, &footer[..20]), &["line 6"]),
        (
            with(6, &format!("{footer}\n{footer}")),
            &["line 7", "follows the footer"],
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let data = folder.path().join("data");
        let done = imported(&data, &text);
        println!("{}", done.err);
        done.expect_failure(65, naming);
        if data.exists() {
            let left = std::fs::read_dir(&data).expect("readable").count();
            assert_eq!(left, 1, "the lock file alone: {text}");
        }
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    imported(&folder.path().join("data"), &sound.join("\n")).expect_success();
}

#[test]
fn export_to_a_file_is_private_and_replaces_nothing() {
    let _watchdog = watchdog();
    let served = filled();
    let data = served.folder.path().join("data");
    let file = served.folder.path().join("journal.jsonl");
    let name = file.display().to_string();
    let text = exported(&data, &[]).expect_success();
    let printed = exported(&data, &["--output", &name]).expect_success();
    assert_eq!(printed, "");
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), text);
    exported(&data, &["--output", &name]).expect_failure(73, &[&name, "exists already"]);
    let own = data.join("arauto.db-wal").display().to_string();
    exported(&data, &["--output", &own]).expect_failure(73, &[&own]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).expect("it is there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "it has messages of all users");
    }
    served.stop();
}
