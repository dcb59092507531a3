//! A server that is killed.

use std::fs::OpenOptions;
use std::io::Write;

use serde_json::Value;

use super::{Audited, events};
use crate::support::{Served, Stop, json_lines, watchdog};

#[test]
fn killed_server_leaves_whole_lines_and_the_next_one_goes_on() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    for _ in 0..50 {
        audited.visit("ana");
    }
    audited.served.child.kill().expect("it runs");
    audited.served.wait();
    let text = std::fs::read_to_string(&audited.path).expect("it is there");
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for line in whole.lines() {
        serde_json::from_str::<Value>(line).expect("it is a whole record");
    }
    // As if the kill had come within the last line.
    let mut file = OpenOptions::new().append(true).open(&audited.path);
    let torn = file
        .as_mut()
        .expect("it is ours")
        .write_all(b"{\"time\":\"20");
    torn.expect("there is room");
    let path = audited.path.clone();
    let before = whole.lines().count();
    let folder = audited.served.into_folder();
    let shown = path.display().to_string();
    let served = Served::within(folder, &["--no-console", "--audit", &shown]);
    served.send_stop(Stop::USUAL);
    let _folder = served.into_folder();
    let text = std::fs::read_to_string(&path).expect("it is there");
    let torn = text
        .lines()
        .skip(before)
        .filter(|line| serde_json::from_str::<Value>(line).is_err());
    assert_eq!(torn.count(), 1, "{text}");
    std::fs::write(
        &path,
        text.lines()
            .rev()
            .take(2)
            .fold(String::new(), |all, line| format!("{line}\n{all}")),
    )
    .expect("it is ours");
    assert_eq!(events(&json_lines(&path)), ["start", "stop"]);
}
