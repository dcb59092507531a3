//! Rotation: the file is renamed, and the server is told, or finds another file at the path.

use rustix::process::{Pid, Signal, kill_process};

use super::{Audited, events};
use crate::support::{json_lines, wait_until, watchdog};

fn send_sighup(audited: &Audited) {
    let pid = i32::try_from(audited.served.child.id()).expect("a process has an id");
    let pid = Pid::from_raw(pid).expect("a process has an id");
    kill_process(pid, Signal::HUP).expect("it is still there");
}

#[test]
fn renamed_file_is_made_again_at_sighup() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    audited.visit("ana");
    audited.wait_for_event("login");
    let rotated = audited.path.with_extension("1");
    std::fs::rename(&audited.path, &rotated).expect("the folder is ours");
    send_sighup(&audited);
    wait_until("the file is there again", || audited.path.exists());
    audited.visit("rui");
    let now = audited.stop();
    assert_eq!(events(&json_lines(&rotated)), ["start", "login"]);
    assert_eq!(events(&now), ["login", "stop"]);
    assert_eq!(now[0]["user"], "rui");
}

#[test]
fn sighup_without_a_rename_changes_nothing() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    send_sighup(&audited);
    audited.visit("ana");
    let records = audited.stop();
    assert_eq!(events(&records), ["start", "login", "stop"]);
}

#[test]
fn file_that_replaced_it_is_used_from_the_next_record_on() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    audited.wait_for_event("start");
    let rotated = audited.path.with_extension("1");
    std::fs::rename(&audited.path, &rotated).expect("the folder is ours");
    std::fs::write(&audited.path, "").expect("the folder is ours");
    use std::os::unix::fs::PermissionsExt;
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&audited.path, private).expect("it is ours");
    audited.visit("ana");
    let now = audited.stop();
    assert_eq!(events(&json_lines(&rotated)), ["start"]);
    assert_eq!(events(&now), ["login", "stop"]);
}

#[test]
fn records_wait_while_a_link_is_at_the_path() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    audited.wait_for_event("start");
    let rotated = audited.path.with_extension("1");
    std::fs::rename(&audited.path, &rotated).expect("the folder is ours");
    let victim = audited.served.folder.path().join("victim");
    std::os::unix::fs::symlink(&victim, &audited.path).expect("the folder is ours");
    audited.visit("ana");
    wait_until("the server says so", || {
        audited.served.log().contains("audit log cannot be written")
    });
    let ready = audited.get("/readyz");
    assert_eq!((ready.status, &ready.json()["ready"]), (200, &true.into()));
    let warning = &ready.json()["warnings"][0];
    assert_eq!(warning["warning"], "audit");
    assert!(
        warning["problem"]
            .as_str()
            .is_some_and(|why| why.contains("is a link"))
    );
    assert!(
        audited
            .get("/metrics")
            .body
            .contains("\narauto_audit_failing 1\n")
    );
    std::fs::remove_file(&audited.path).expect("the folder is ours");
    let login = audited.path.clone();
    wait_until("the records are written", || {
        login.exists() && events(&json_lines(&login)) == ["login"]
    });
    wait_until("the problem is over", || {
        audited
            .get("/metrics")
            .body
            .contains("\narauto_audit_failing 0\n")
    });
    assert!(!victim.exists(), "the link was not followed");
    audited.stop();
}
