//! Exports, imports and backups that are killed, or find no space.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::random::Random;
use crate::support::{arauto, by_shell, can_mount, finish, run_by, watchdog_for};

/// The broadcasts of the export.
const BROADCASTS: u64 = 8000;

/// Kills of each command.
const KILLS: usize = 16;

/// Returns the text of an export, as a server's journal would give it.
fn export_text() -> String {
    let mut text =
        format!(r#"{{"arauto":"journal","version":1,"stream":"s","from":1,"to":{BROADCASTS}}}"#);
    text.push('\n');
    for seq in 1..=BROADCASTS {
        let body = "x".repeat(200);
        let line = format!(r#""kind":"message","seq":{seq},"at":7,"from":"ana","body":"{body}""#);
        writeln!(text, "{{{line}}}").expect("a String takes it");
    }
    text += &format!(r#"{{"arauto":"end","kept":0,"broadcasts":{BROADCASTS}}}"#);
    text.push('\n');
    text
}

fn on(data: &Path, arguments: &[&str]) -> Command {
    let mut command = arauto(arguments);
    command.arg("--data").arg(data);
    command
}

/// Runs a command to its end. Returns the time that it took.
fn timed(command: &mut Command) -> Duration {
    let began = Instant::now();
    finish(command, "").expect_success();
    began.elapsed()
}

/// Kills a command at a random moment of its usual time. Returns whether it was killed.
fn killed(command: &mut Command, usual: Duration) -> bool {
    let longest = u64::try_from(usual.as_micros()).expect("it is short");
    let late = Duration::from_micros(Random::new().below(longest + 1));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary is built");
    let began = Instant::now();
    while began.elapsed() < late {
        std::hint::spin_loop(); // nothing is waited for: the instant is random
    }
    child.kill().expect("it is ours");
    !child.wait().expect("it is ours").success()
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("readable").file_name())
        .map(|name| name.into_string().expect("it is text"))
        .collect();
    names.sort();
    names
}

/// Returns the newest seq of a database that must be sound; `None` without a journal.
fn head(data: &Path) -> Option<u64> {
    let mut verify = arauto(&["verify", "--json"]);
    let printed = finish(verify.arg(data), "").expect_success();
    let found: serde_json::Value = serde_json::from_str(&printed).expect("it is json");
    found["to"].as_u64()
}

#[test]
fn killed_import_leaves_the_old_database_or_the_whole_journal() {
    let _watchdog = watchdog_for(Duration::from_secs(180));
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("export.jsonl");
    std::fs::write(&file, export_text()).expect("the folder is ours");
    let file = file.display().to_string();
    let import = |data: &Path| on(data, &["import", &file]);
    let usual = timed(&mut import(&folder.path().join("timed")));
    let mut unfinished = 0;
    for number in 0..KILLS {
        let data = folder.path().join(format!("data{number}"));
        let has_accounts = number % 2 == 1;
        if has_accounts {
            finish(&mut on(&data, &["users", "add", "ana"]), "").expect_success();
        }
        let was_killed = killed(&mut import(&data), usual);
        let left = names(&data);
        unfinished += left
            .iter()
            .filter(|name| name.contains("-unfinished-"))
            .count();
        let found = match data.join("arauto.db").exists() {
            true => head(&data),
            false => None,
        };
        assert!(
            found.is_none_or(|head| head == BROADCASTS),
            "{found:?} {left:?}"
        );
        assert!(was_killed || found.is_some());
        assert_eq!(
            data.join("arauto.db").exists(),
            has_accounts || found.is_some()
        );
        if found.is_none() {
            finish(&mut import(&data), "").expect_success();
        }
        assert_eq!(head(&data), Some(BROADCASTS));
        if has_accounts {
            let listed = finish(&mut on(&data, &["users", "list"]), "").expect_success();
            assert!(listed.contains("ana"), "{listed}");
        }
        let left = names(&data);
        assert!(
            !left.iter().any(|name| name.contains("-unfinished-")) || was_killed,
            "{left:?}"
        );
    }
    println!("{unfinished} of {KILLS} kills left an unfinished database");
    assert!(unfinished > 0, "the kills fell into the imports");
}

#[test]
fn killed_export_leaves_no_file_or_a_whole_one() {
    let _watchdog = watchdog_for(Duration::from_secs(180));
    let folder = tempfile::tempdir().expect("a folder can be made");
    let text = export_text();
    let data = folder.path().join("data");
    finish(&mut on(&data, &["import", "-"]), &text).expect_success();
    let export = |name: &str| {
        let mut command = on(&data, &["export", "--jsonl"]);
        command.arg("--output").arg(folder.path().join(name));
        command
    };
    let usual = timed(&mut export("timed"));
    let whole = std::fs::read_to_string(folder.path().join("timed")).expect("it is there");
    let mut missing = 0;
    for number in 0..KILLS {
        let name = format!("export{number}");
        killed(&mut export(&name), usual);
        match std::fs::read_to_string(folder.path().join(&name)) {
            Ok(found) => assert!(found == whole, "{name} has {} bytes", found.len()),
            Err(_) => missing += 1,
        }
    }
    println!("{missing} of {KILLS} kills left no file");
    assert!(missing > 0, "the kills fell into the exports");
    assert_eq!(names(&data), ["arauto.db", "arauto.lock"]);
}

/// Runs a command with a file system of 1 MiB at `folder`, which is listed on stderr behind it.
fn on_small_disk(folder: &Path, command: Command) -> Command {
    std::fs::create_dir_all(folder).expect("the folder is ours");
    let folder = folder.display();
    let script = format!(
        "mount -t tmpfs -o size=1m,mode=700 tmpfs {folder}; \"$0\" \"$@\"; code=$?; \
         ls -A {folder} >&2; exit $code"
    );
    run_by(&["unshare", "-rm", "sh", "-c", &script], command)
}

#[test]
fn full_disk_fails_an_import_an_export_and_a_backup_without_a_file() {
    let _watchdog = watchdog_for(Duration::from_secs(120));
    if !can_mount() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("export.jsonl");
    std::fs::write(&file, export_text()).expect("the folder is ours");
    let file = file.display().to_string();
    let data = folder.path().join("data");
    finish(&mut on(&data, &["import", &file]), "").expect_success();
    let small = folder.path().join("small");
    let target = small.join("copy").display().to_string();
    for (command, code, problem, left) in [
        (
            on(&small, &["import", &file]),
            74,
            "full",
            "\narauto.lock\n",
        ),
        (
            on(&data, &["export", "--jsonl", "--output", &target]),
            73,
            "small/copy: No space left",
            "\n",
        ),
        (on(&data, &["backup", &target]), 74, "full", "\n"),
    ] {
        let shown = format!("{command:?}");
        let done = finish(&mut on_small_disk(&small, command), "");
        println!("{shown}: {}", done.err);
        done.expect_failure(code, &[problem]);
        assert!(
            done.err.ends_with(left) && !done.err.contains("\narauto.db"),
            "{done:?}"
        );
        assert_eq!(done.err.lines().count(), left.lines().count(), "{done:?}");
    }
}

#[test]
fn full_or_closed_stdout_fails_an_export_and_a_verification() {
    let _watchdog = watchdog_for(Duration::from_secs(120));
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data");
    finish(&mut on(&data, &["import", "-"]), &export_text()).expect_success();
    let copy = folder.path().join("copy.db");
    let name = copy.display().to_string();
    for redirection in [">/dev/full", ">&-"] {
        let export = on(&data, &["export", "--jsonl"]);
        let done = finish(&mut by_shell("true", export, redirection), "");
        done.expect_failure(74, &["stdout"]);
        let mut verify = arauto(&["verify"]);
        verify.arg(&data);
        let done = finish(&mut by_shell("true", verify, redirection), "");
        done.expect_failure(74, &["stdout"]);
        // The copy is made before it is told.
        let backup = on(&data, &["backup", "--json", &name]);
        let done = finish(&mut by_shell("true", backup, redirection), "");
        done.expect_failure(74, &["stdout", "the copy", "is made"]);
        std::fs::remove_file(&copy).expect("it is there");
    }
    let export = on(&data, &["export", "--jsonl"]);
    let script = "{ \"$0\" \"$@\"; echo $? >&2; } | head -n 1";
    let done = finish(&mut run_by(&["sh", "-c", script], export), "");
    assert_eq!((done.err.as_str(), done.out.lines().count()), ("141\n", 1));
}

#[test]
fn fifo_is_refused_where_a_database_is_read() {
    let _watchdog = watchdog_for(Duration::from_secs(60));
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fifo = folder.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("there is mkfifo").success());
    let data = folder.path().join("data");
    for mut command in [arauto(&["verify"]), on(&data, &["restore"])] {
        let done = finish(command.arg(&fifo), "");
        done.expect_failure(65, &["fifo is not a regular file"]);
    }
}
