//! Disks that are full, or hang.

use serde_json::Value;

use super::Audited;
use crate::admin::http;
use crate::support::{HungDisk, SmallDisk, Stop, can_mount, json_lines, os, wait_until, watchdog};

#[test]
fn records_wait_for_a_full_disk_and_none_is_lost_or_torn() {
    if !can_mount() {
        return;
    }
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let small = folder.path().join("small");
    let audit = small.join("audit.jsonl").display().to_string();
    let admin = os::endpoint(folder.path(), "admin");
    let endpoint = admin.to_string();
    let arguments = ["--data", "none", "--audit", &audit, "--admin", &endpoint];
    let (mut served, disk) = SmallDisk::serve(&small, "64k", &arguments);
    disk.fill();
    let is_failing = || !http::get(&admin, "/readyz").json()["warnings"].is_null();
    let mut logins = 0;
    wait_until("the disk takes nothing more", || {
        let mut client = served.unauthenticated();
        client.log_in("ana");
        client.fim();
        logins += 1;
        is_failing()
    });
    let mut client = served.unauthenticated();
    client.log_in("rui"); // the server goes on
    client.fim();
    std::fs::remove_file(disk.path("filler")).expect("it is ours");
    wait_until("the disk works again", || !is_failing());
    served.send_stop(Stop::USUAL);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let records = json_lines(&disk.path("audit.jsonl"));
    let of = |user: &str| {
        let is_login = |record: &&Value| record["event"] == "login" && record["user"] == user;
        records.iter().filter(is_login).count()
    };
    assert_eq!((of("ana"), of("rui")), (logins, 1));
    assert_eq!(
        records.last().map(|record| &record["event"]),
        Some(&"stop".into())
    );
    let log = served.log();
    for told in ["audit log cannot be written", "audit log is written again"] {
        assert_eq!(log.matches(told).count(), 1, "{told:?} in {log}");
    }
}

#[test]
fn hung_disk_delays_no_login_and_the_stop_says_so() {
    let _watchdog = watchdog();
    let disk = HungDisk::new();
    let mut audited = Audited::with(&["--data", "none"], |command| disk.under(command));
    audited.wait_for_event("start");
    disk.hang();
    audited.visit("ana");
    disk.wait_until_hung();
    audited.visit("rui");
    wait_until("the server warns", || {
        let ready = audited.get("/readyz").json();
        ready["warnings"][0]["problem"] == "the disk does not answer"
    });
    audited.served.send_stop(Stop::USUAL);
    assert_eq!(audited.served.wait(), Some(73), "{}", audited.served.log());
    let log = audited.served.log();
    assert!(log.contains("the last records may be missing"), "{log}");
}
