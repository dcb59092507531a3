//! `arauto explain SEQ --report FILE`.

use arauto::Seq;
use serde_json::Value;

use super::Told;
use crate::support::{arauto, finish};

/// Each session's user and what became of the broadcast there.
fn fates(told: &Told, seq: u64) -> Vec<(String, String)> {
    let seq = seq.to_string();
    let text = told.prints(&["explain", &seq, "--json", "--report"], &[]);
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("each line is json");
        let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
        (text("user"), text("fate"))
    });
    lines.collect()
}

#[test]
fn explain_prints_the_fate_for_every_session() {
    let told = Told::with_a_stalled_reader();
    let (stalled, rui) = (told.user("stalled"), told.user("rui"));
    let of = |seq: Seq| {
        let pairs = fates(&told, seq.0);
        assert_eq!(pairs.len(), told.report.sessions.len());
        move |user: &str| {
            let mut pairs = pairs.iter();
            let found = pairs.find(|(name, _)| name == user);
            found.expect("the user is there").1.clone()
        }
    };
    let last = of(told.report.head);
    assert_eq!(
        (last("stalled"), last("-")),
        ("missing".to_owned(), "no-reader".to_owned())
    );
    assert_eq!(last("rui"), "read");
    let sent = of(stalled.sent);
    assert_eq!(sent("stalled"), "written", "nobody knows more");
    let first = of(rui.after.expect("it reads"));
    assert_eq!(
        (first("rui"), first("stalled")),
        ("before".to_owned(), "before".to_owned())
    );

    let seq = told.report.head.to_string();
    let text = told.prints(&["explain", &seq, "--report"], &[]);
    let head = text.lines().next().expect("it has lines");
    assert!(
        head.contains("1 missing") && head.contains("1 no-reader"),
        "{head}"
    );
    let why = format!("the last broadcast written was {}", stalled.sent);
    assert!(text.contains(&why), "{text}");
}

#[test]
fn explain_of_an_unknown_broadcast_is_refused() {
    let told = Told::with_a_stalled_reader();
    let head = told.report.head;
    let next = head.next().to_string();
    let mut command = arauto(&["explain", &next, "--report"]);
    finish(command.arg(told.file()), "").expect_failure(64, &[&next, &head.to_string()]);
    let mut zero = arauto(&["explain", "0", "--report"]);
    finish(zero.arg(told.file()), "").expect_failure(64, &["0"]);
}
