//! `arauto report FILE`.

use serde_json::json;

use super::{Told, of_many};
use crate::support::{arauto, finish};

#[test]
fn report_prints_phases_outcomes_slowest_and_missing() {
    let told = Told::with_a_stalled_reader();
    let text = told.prints(&["report"], &[]);
    let stalled = told.user("stalled");
    let misses = format!("{}-{}", stalled.sent.next(), told.report.head);
    let row = |start: &str| {
        let mut lines = text.lines();
        let line = lines.find(|line| line.trim_start().starts_with(start));
        line.unwrap_or_else(|| panic!("{start:?} is not in {text}"))
            .to_owned()
    };
    assert!(
        text.starts_with("stopped by fim, exit 3: delivery not confirmed in time"),
        "{text}"
    );
    assert!(row("drain").ends_with("too late"), "{text}");
    assert!(row("1         missing").contains("shutdown"), "{text}");
    assert!(row("hub  ").contains(" ms"), "{text}");
    let slowest = text.find("the slowest").expect("they are listed");
    let incomplete = text
        .find("sessions that are not complete")
        .expect("they are listed");
    assert!(slowest < incomplete);
    let last = text.lines().last().expect("it has lines");
    assert!(
        last.contains("stalled") && last.ends_with(&misses),
        "{last:?} {misses}"
    );
}

#[test]
fn report_lists_20_incomplete_sessions_or_all() {
    let told = Told::with_a_stalled_reader();
    // Of each three one is stalled.
    let told = Told::of(of_many(&told.report, 90));
    let rows = |text: &str| text.lines().filter(|line| line.contains("stalled")).count();
    let some = told.prints(&["report"], &[]);
    assert!(
        some.trim_end().ends_with("and 10 more; --all lists them"),
        "{some}"
    );
    let all = told.prints(&["report"], &["--all"]);
    assert_eq!(rows(&all) - rows(&some), 10);
    assert!(!all.contains("--all"));
}

#[test]
fn invalid_report_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("r.json");
    let refused = |text: &str, code: i32, naming: &[&str]| {
        std::fs::write(&file, text).expect("the folder is ours");
        finish(arauto(&["report"]).arg(&file), "").expect_failure(code, naming);
    };
    refused("bom dia", 65, &["r.json", "arauto serve --report"]);
    let newer = r#"{"version": 9, "reason": "fim", "exit": 0, "stream": "s", "head": 0,
                    "phases": [], "sessions": []}"#;
    refused(newer, 65, &["r.json", "format is version 9"]);
    finish(arauto(&["report"]).arg(folder.path().join("none")), "").expect_failure(66, &["none"]);
    let plain = newer.replace('9', "1");
    std::fs::write(&file, plain).expect("the folder is ours");
    let drawn = finish(arauto(&["report"]).arg(&file).args(["--svg", "-"]), "");
    drawn.expect_failure(65, &["no times"]);
}

#[test]
fn report_is_read_from_a_pipe() {
    let told = Told::with_a_stalled_reader();
    let text = serde_json::to_string(&told.report).expect("a report is json");
    let printed = finish(&mut arauto(&["report", "-"]), &text).expect_success();
    assert_eq!(printed, told.prints(&["report"], &[]));
}

#[test]
fn hostile_text_in_a_report_is_escaped() {
    let told = Told::with_a_stalled_reader();
    let mut report = told.report;
    report.sessions[0].user = Some("\u{1b}[31mred\nrow".to_owned());
    report
        .trouble
        .push("a\u{1b}]0;title\u{7}".to_owned().into());
    let text = Told::of(report).prints(&["report"], &[]);
    assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    assert!(text.contains(r"\u{1b}[31mred\nrow"), "{text}");
}

#[test]
fn report_with_impossible_numbers_is_refused_by_name() {
    let told = Told::with_a_stalled_reader();
    let report = serde_json::to_value(&told.report).expect("a report is json");
    let wrong = [
        ("/began", json!(u64::MAX), "began"),
        ("/head", json!(u64::MAX), "head"),
        ("/phases/5/took_ms", json!(u64::MAX), "drain"),
        ("/phases/8/began_us", json!(0), "store"),
        ("/sessions/0/accepted", json!(u64::MAX), "session 1"),
        ("/sessions/0/missing", json!([[812, 641]]), "812 to 641"),
        ("/sessions/0/gaps", json!([[0, 1]]), "0 to 1"),
    ];
    for (place, value, naming) in wrong {
        let mut broken = report.clone();
        match broken.pointer_mut(place) {
            Some(field) => *field = value,
            None => broken["sessions"][0]["gaps"] = value,
        }
        let text = broken.to_string();
        for command in ["report -", "explain 1 --report -"] {
            let arguments: Vec<&str> = command.split(' ').collect();
            finish(&mut arauto(&arguments), &text).expect_failure(65, &[naming]);
        }
    }
}

#[test]
fn report_with_impossible_routes_or_patterns_is_refused_by_name() {
    let told = Told::with_a_stalled_reader();
    let report = serde_json::to_value(&told.report).expect("a report is json");
    let routes = |listed: serde_json::Value| json!({"above": 1, "direct_to": 0, "listed": listed});
    let wrong = [
        ("routes", routes(json!([{"seq": 1}])), "broadcast 1"),
        (
            "routes",
            routes(json!([{"seq": 3}, {"seq": 2}])),
            "broadcast 2",
        ),
        ("routes", routes(json!([{"seq": u64::MAX}])), "in order"),
        (
            "routes",
            routes(json!([{"seq": 2, "topic": "a/+"}])),
            "topic of broadcast 2",
        ),
        (
            "routes",
            json!({"above": 1, "direct_to": 2, "listed": []}),
            "direct_to",
        ),
        (
            "filter",
            json!({"patterns": ["a/#/b"], "since": 1, "presence": true}),
            "a/#/b",
        ),
        (
            "filter",
            json!({"unlisted": u64::MAX, "since": 1, "presence": true}),
            "session 1",
        ),
        ("rules", json!({"deny": ["x+"], "since": 1}), "x+"),
        ("not_for_it", json!(u64::MAX), "session 1"),
    ];
    for (name, value, naming) in wrong {
        let mut broken = report.clone();
        let place = match name {
            "routes" => &mut broken,
            _ => &mut broken["sessions"][0],
        };
        place[name] = value;
        let text = broken.to_string();
        for command in ["report -", "explain 1 --report -"] {
            let arguments: Vec<&str> = command.split(' ').collect();
            finish(&mut arauto(&arguments), &text).expect_failure(65, &[naming]);
        }
    }
}

#[test]
fn report_without_times_is_printed_as_far_as_known() {
    let told = Told::with_a_stalled_reader();
    let mut old = serde_json::to_value(&told.report).expect("a report is json");
    let object = old.as_object_mut().expect("it is one");
    object.retain(|name, _| !["began", "actors"].contains(&name.as_str()));
    for line in old["phases"].as_array_mut().expect("it is one") {
        let line = line.as_object_mut().expect("it is one");
        line.retain(|name, _| !name.ends_with("_us"));
    }
    for record in old["sessions"].as_array_mut().expect("it is one") {
        let record = record.as_object_mut().expect("it is one");
        record.retain(|name, _| !["after", "acked", "times_us"].contains(&name.as_str()));
    }
    let text = old.to_string();
    let printed = finish(&mut arauto(&["report", "-"]), &text).expect_success();
    let took = printed.lines().nth(1).expect("it has a second line");
    assert!(
        took.starts_with("took 5"),
        "the phases' sum, and no date: {took}"
    );
    let head = told.report.head.to_string();
    let explained =
        finish(&mut arauto(&["explain", &head, "--report", "-"]), &text).expect_success();
    let first = explained.lines().next().expect("it has lines");
    for fate in ["1 missing", "1 unplaced", "1 no-reader"] {
        assert!(first.contains(fate), "{first}");
    }
}

#[test]
fn report_without_sessions_has_nothing_to_explain() {
    let told = Told::with_a_stalled_reader();
    let mut report = told.report;
    report.sessions.clear();
    let told = Told::of(report);
    assert_eq!(
        told.prints(&["explain", "1", "--json", "--report"], &[]),
        ""
    );
    assert!(
        told.prints(&["explain", "1", "--report"], &[])
            .contains("no session")
    );
}
