//! A full disk during a stop.
//!
//! Acknowledged data are on disk before, in the write-ahead log, which the last checkpoint moves
//! into the database. If the checkpoint fails, the stop reports it, and the next start has them.

use std::io::{BufRead, BufReader};
use std::path::Path;

use arauto::{Report, SessionRecord};
use tempfile::TempDir;

use super::durability::{self, Acknowledged};
use crate::support::{Served, SmallDisk, Stop, can_mount, spawn, wait_until, watchdog};

const USERS: [&str; 3] = ["ana", "bia", "caio"];

/// A size at which the write-ahead log holds pages that no longer fit into the database.
const MESSAGES: u64 = 40;

/// Copies the contents of a disk into a folder that has space.
fn copy(disk: &SmallDisk) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("the folder is ours");
    for name in ["arauto.db", "arauto.db-wal"] {
        std::fs::copy(disk.path(name), data.join(name)).expect("it is there");
    }
    folder
}

/// Has accounts and broadcasts acknowledged.
fn acknowledged(served: &Served) -> Acknowledged {
    let mut told = Acknowledged::default();
    let body = "x".repeat(20_000);
    for user in USERS {
        let mut client = served.unauthenticated();
        let login = client.log_in(user);
        told.stream = login.text("stream").to_owned();
        told.users.push(user.to_owned());
        for id in 0..MESSAGES {
            client.publish(id, &body);
            let seq = client.skip_to("published").num("seq");
            told.published.push((seq, body.clone()));
        }
        client.fim();
    }
    told
}

#[test]
fn checkpoint_on_a_full_disk_exits_3_and_loses_nothing() {
    let _watchdog = watchdog();
    if !can_mount() {
        return;
    }
    let outside = tempfile::tempdir().expect("a folder can be made");
    let data = outside.path().join("data").display().to_string();
    let report = outside.path().join("report.json").display().to_string();
    let arguments = ["--journal", "--data", &data, "--report", &report];
    let (mut served, disk) = SmallDisk::serve(Path::new(&data), "12m", &arguments);
    let told = acknowledged(&served);
    let mut reader = served.unauthenticated();
    reader.log_in("ana");
    disk.fill();

    served.send_stop(Stop::USUAL);
    reader.skip_to("stopping");
    reader.expect_closing("shutdown");
    drop(reader);
    assert_eq!(served.wait(), Some(3), "{}", served.log());
    let report = std::fs::read_to_string(report).expect("it lies on another disk");
    let report: Report = serde_json::from_str(&report).expect("it is a report");
    assert!(report.sessions.iter().all(SessionRecord::is_whole));
    assert_eq!(report.trouble.len(), 1, "{:?}", report.trouble);
    let trouble = report.trouble[0].to_string();
    assert!(trouble.contains("full"), "{trouble}");
    durability::check(copy(&disk), &told);
}

#[test]
fn report_on_a_full_disk_exits_73_without_half_a_file() {
    let _watchdog = watchdog();
    if !can_mount() {
        return;
    }
    let outside = tempfile::tempdir().expect("a folder can be made");
    let report = outside.path().join("report.json").display().to_string();
    let arguments = ["--data", "none", "--report", &report];
    let (mut served, disk) = SmallDisk::serve(outside.path(), "1m", &arguments);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    disk.fill();

    served.send_stop(Stop::USUAL);
    ana.expect("stopping");
    ana.expect_closing("shutdown");
    drop(ana);
    assert_eq!(served.wait(), Some(73), "{}", served.log());
    assert!(
        served.log().contains("report.json: No space left"),
        "{}",
        served.log()
    );
    let left = std::fs::read_dir(disk.path(""))
        .expect("it is there")
        .count();
    assert_eq!(left, 1, "the filler alone");
}

#[test]
fn full_disk_for_both_exits_with_the_code_of_the_stop() {
    let _watchdog = watchdog();
    if !can_mount() {
        return;
    }
    let data = tempfile::tempdir().expect("a folder can be made");
    let report = data.path().join("report.json").display().to_string();
    let path = data.path().display().to_string();
    let arguments = ["--journal", "--data", &path, "--report", &report];
    let (mut served, disk) = SmallDisk::serve(data.path(), "12m", &arguments);
    acknowledged(&served);
    disk.fill();
    served.send_stop(Stop::USUAL);
    assert_eq!(served.wait(), Some(3), "{}", served.log());
    assert!(
        served.log().contains("report.json: No space left"),
        "{}",
        served.log()
    );
}

#[test]
fn leitor_refused_by_a_full_disk_logs_in_once_there_is_space() {
    let _watchdog = watchdog();
    if !can_mount() {
        return;
    }
    let outside = tempfile::tempdir().expect("a folder can be made");
    let data = outside.path().join("data").display().to_string();
    let arguments = ["--journal", "--data", &data];
    let (served, disk) = SmallDisk::serve(Path::new(&data), "4m", &arguments);
    let mut client = served.unauthenticated();
    client.log_in("ana");
    disk.fill();
    // The write-ahead log has some room of its own, and what was refused leaves some again.
    for body in ["x".repeat(20_000), "x".to_owned()] {
        let mut answers = (0..).map(|id| {
            client.publish(id, &body);
            loop {
                let frame = client.recv().expect("the session goes on");
                if frame.is("published") || frame.is("error") {
                    break frame;
                }
            }
        });
        let refused = answers.find(|answer| answer.is("error"));
        let refused = refused.expect("they are endless");
        assert_eq!(refused.text("code"), "internal", "{refused:?}");
    }
    let mut command = served.command(&["leitor"]);
    let mut leitor = spawn(command.env("ARAUTO_USER", "eva"));
    let mut told = BufReader::new(leitor.stderr.take().expect("it is a pipe")).lines();
    let refused = told
        .next()
        .expect("it says why it waits")
        .expect("it is text");
    assert!(refused.contains("(internal); trying again"), "{refused}");

    std::fs::remove_file(disk.path("filler")).expect("it is ours");
    let mut lines = BufReader::new(leitor.stdout.take().expect("it is a pipe")).lines();
    wait_until("the leitor has logged in", || {
        client.ask("who", 1);
        let present = format!("{:?}", client.skip_to("present"));
        present.contains("eva")
    });
    client.publish(2, "bom dia");
    let heard = lines.find(|line| {
        line.as_ref()
            .is_ok_and(|line| line.ends_with("ana: bom dia"))
    });
    assert!(heard.is_some());
    leitor.kill().expect("it runs");
    leitor.wait().expect("it is a child");
    drop(client);
    served.stop();
}
