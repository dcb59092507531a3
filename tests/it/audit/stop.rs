//! Starts and stops.

use serde_json::json;

use super::{Audited, events};
use crate::support::{Stop, arauto, finish, json_lines, watchdog};

#[test]
fn start_and_stop_are_the_first_and_the_last_record() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    let mut ana = audited.served.unauthenticated();
    ana.log_in("ana");
    ana.publish(1, "bom dia");
    ana.skip_to("published");
    ana.fim();
    drop(ana);
    let pid = audited.served.child.id();
    let endpoint = audited.served.endpoint().to_string();
    let records = audited.stop();
    assert_eq!(events(&records), ["start", "login", "stop"]);
    let start = &records[0];
    assert_eq!(start["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (&start["pid"], &start["listen"]),
        (&json!(pid), &json!([endpoint]))
    );
    let stop = &records[2];
    assert_eq!(
        (&stop["cause"], &stop["exit"]),
        (&json!("signal"), &json!(0))
    );
    assert!(
        stop["head"].as_u64() >= Some(2),
        "joined and the message: {stop}"
    );
    assert_eq!(stop["incomplete"], 0);
    // The server may not have noted yet that the session has ended.
    assert!(stop["sessions"].as_u64() <= Some(1), "{stop}");
}

#[test]
fn stop_that_a_user_asks_for_names_the_user() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    audited
        .users(&["add", "--role", "admin", "olga"])
        .expect_success();
    let mut fim = audited.served.command(&["fim", "--user", "olga"]);
    finish(&mut fim, "").expect_success();
    assert_eq!(audited.served.wait(), Some(0));
    let records = audited.records();
    let asked = records
        .iter()
        .find(|record| record["event"] == "stop-requested");
    let asked = asked.expect("it was recorded");
    assert_eq!(
        (&asked["user"], &asked["now"]),
        (&json!("olga"), &json!(false))
    );
    let stop = records.last().expect("there is one");
    assert_eq!(
        (&stop["event"], &stop["cause"]),
        (&json!("stop"), &json!("admin"))
    );
}

#[test]
fn start_that_fails_is_recorded_with_its_reason() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl");
    let mut command = arauto(&["serve", "--no-console", "--data", "none", "--listen"]);
    command
        .args(["unix:/no/such/folder/s", "--audit"])
        .arg(&path);
    let failed = finish(&mut command, "");
    let code = failed.code.expect("it exits");
    assert_ne!(code, 0);
    let records = json_lines(&path);
    assert_eq!(events(&records), ["start", "stop"]);
    let stop = &records[1];
    assert_eq!(
        (&stop["cause"], &stop["exit"]),
        (&json!("start-failed"), &json!(code))
    );
    let reason = stop["reason"].as_str().expect("it is text");
    assert!(
        failed.err.contains(reason),
        "{reason:?} is not in {}",
        failed.err
    );
}

#[test]
fn forced_stop_has_its_exit_code() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    let mut ana = audited.served.unauthenticated();
    ana.log_in("ana"); // it reads nothing more, which keeps the drain open
    audited.served.send_stop(Stop::USUAL);
    audited.served.send_another_stop(Stop::USUAL);
    assert_eq!(audited.served.wait(), Some(4), "{}", audited.served.log());
    let records = audited.records();
    let stop = records.last().expect("there is one");
    assert_eq!((&stop["event"], &stop["exit"]), (&json!("stop"), &json!(4)));
    assert_eq!(stop["sessions"], 1);
}
