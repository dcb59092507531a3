//! A disk that hangs: every sync blocks for ever.
//!
//! None of these disks ever works again, so that a stop ends by its deadlines, by a second
//! or a third signal, or not at all.

use std::fs::File;
use std::io::Write;
use std::process::Stdio;

use arauto::{Phase, Trouble};

use crate::support::{FrameClient, HungDisk, Served, Stop, arauto, os, watchdog};

/// A server that waits for its disk.
struct Hung {
    served: Served,
    disk: HungDisk,
    /// A client that the situation holds on to.
    _client: Option<FrameClient>,
}

/// No stop takes so long: only signals end it.
const LONG: &str = "10m";
const SHORT: &str = "2s";

impl Hung {
    fn of(served: Served, disk: HungDisk, client: Option<FrameClient>) -> Hung {
        Hung {
            served,
            disk,
            _client: client,
        }
    }

    fn tell(&self) {
        self.served.send_stop(Stop::USUAL);
    }

    fn type_line(&mut self, line: &str) {
        let console = self.served.child.stdin.as_mut().expect("it is a pipe");
        console.write_all(line.as_bytes()).expect("it reads");
    }

    fn wrote_report(&self) -> bool {
        self.served.folder.path().join("report.json").exists()
    }
}

fn served(budget: &str, arguments: &[&str]) -> (Served, HungDisk) {
    let disk = HungDisk::new();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut all = vec!["--drain-timeout", budget];
    all.extend(arguments);
    let served = Served::with_command(folder, &all, |command| disk.under(command));
    (served, disk)
}

/// Nothing waits for the disk before the last checkpoint.
fn before_the_stop(budget: &str) -> Hung {
    let (served, disk) = served(budget, &["--no-console"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    ana.fim();
    drop(ana);
    disk.hang();
    Hung::of(served, disk, None)
}

fn during_the_first_look_at_the_database(budget: &str) -> Hung {
    let disk = HungDisk::new();
    disk.hang();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let endpoint = os::endpoint(folder.path(), "s");
    let mut command = arauto(&["serve", "--no-console", "--drain-timeout", budget]);
    command.arg("--listen").arg(endpoint.to_string());
    command.arg("--data").arg(folder.path().join("data"));
    command
        .arg("--report")
        .arg(folder.path().join("report.json"));
    let log = File::create(folder.path().join("log")).expect("the folder is ours");
    let child = disk.under(command).stdin(Stdio::null()).stderr(log).spawn();
    let child = child.expect("the binary is built");
    let served = Served::starting(child, folder, endpoint);
    disk.wait_until_hung();
    Hung::of(served, disk, None)
}

fn with_a_console_line_that_waits(budget: &str) -> Hung {
    let (served, disk) = served(budget, &["--console", "--journal"]);
    disk.hang();
    let mut hung = Hung::of(served, disk, None);
    hung.type_line("bom dia\n");
    hung.disk.wait_until_hung();
    hung
}

fn with_a_registration_in_work(budget: &str) -> Hung {
    let (served, disk) = served(budget, &["--no-console"]);
    disk.hang();
    let mut ana = served.unauthenticated();
    ana.send(&crate::support::login(1, "ana", crate::support::PASSWORD));
    disk.wait_until_hung();
    Hung::of(served, disk, Some(ana))
}

fn with_a_publish_in_work(budget: &str) -> Hung {
    let (served, disk) = served(budget, &["--no-console", "--journal"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    disk.hang();
    ana.publish(1, "bom dia");
    disk.wait_until_hung();
    Hung::of(served, disk, Some(ana))
}

type Situation = fn(&str) -> Hung;

const SITUATIONS: [(&str, Situation); 5] = [
    ("before the stop", before_the_stop),
    ("in the start", during_the_first_look_at_the_database),
    ("console", with_a_console_line_that_waits),
    ("registration", with_a_registration_in_work),
    ("publish", with_a_publish_in_work),
];

#[test]
fn stop_on_hung_disk_writes_its_report_and_exits_3() {
    let _watchdog = watchdog();
    for (name, situation) in SITUATIONS {
        let mut hung = situation(SHORT);
        hung.tell();
        assert_eq!(hung.served.wait(), Some(3), "{name}: {}", hung.served.log());
        let report = hung.served.report();
        assert_eq!((report.exit, report.reason.as_str()), (3, "signal"));
        let mut trouble = report.trouble.iter().map(Trouble::to_string);
        let disk = |what: String| what.contains("database did not close") || what.contains("disk");
        assert!(trouble.any(disk), "{name}: {report:#?}");
        if name != "in the start" {
            let last = report.phases.last().expect("they were gone through");
            assert_eq!((last.phase, last.in_time), (Phase::Store, false), "{name}");
        }
    }
}

#[test]
fn second_signal_on_hung_disk_exits_4_with_a_report() {
    let _watchdog = watchdog();
    for (name, situation) in SITUATIONS {
        let mut hung = situation(LONG);
        hung.tell();
        hung.served.send_another_stop(Stop::USUAL);
        assert_eq!(hung.served.wait(), Some(4), "{name}: {}", hung.served.log());
        let report = hung.served.report();
        assert_eq!(report.exit, 4, "{name}: {report:#?}");
    }
}

#[test]
fn third_signal_on_hung_disk_ends_the_process_at_once() {
    let _watchdog = watchdog();
    for (name, situation) in SITUATIONS {
        let mut hung = situation(LONG);
        hung.tell();
        hung.served.send_another_stop(Stop::USUAL);
        hung.served.send_another_stop(Stop::USUAL);
        let code = hung.served.wait();
        assert_eq!(code, Some(4), "{name}: {}", hung.served.log());
        assert!(!hung.wrote_report(), "{name}: it did not wait for that");
    }
}

#[test]
fn fim_on_the_console_is_read_behind_a_waiting_line() {
    let _watchdog = watchdog();
    let mut hung = with_a_console_line_that_waits(SHORT);
    hung.type_line("fim\n");
    assert_eq!(hung.served.wait(), Some(3), "{}", hung.served.log());
    assert_eq!(hung.served.report().reason.as_str(), "fim");
}
