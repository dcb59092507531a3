//! `arauto explain --call`: what became of a call, by the report of a stop.

use arauto::{CallEnd, CallParty, Micros, RecentCalls, RecordedCall, SessionId};
use serde_json::Value;

use super::{Told, stop_with_a_stalled_reader};
use crate::support::{arauto, finish};

/// A report with this call, the 17th of 20.
fn told(recorded: RecordedCall) -> Told {
    let mut report = stop_with_a_stalled_reader();
    report.calls = Some(RecentCalls {
        last: 20,
        unlisted: 16,
        listed: vec![recorded],
    });
    Told::of(report)
}

fn recorded() -> RecordedCall {
    let party = |session, user: &str| CallParty {
        session: SessionId(session),
        user: user.to_owned(),
    };
    RecordedCall {
        call: 17,
        service: "upper".to_owned(),
        caller: party(2, "rui"),
        responder: Some(party(900, "eva")),
        sent: true,
        made_us: -12_300,
        took_us: Some(Micros(1890)),
        end: Some(CallEnd::Replied),
    }
}

fn text(recorded: RecordedCall) -> String {
    told(recorded).prints(&["explain", "--call", "17", "--report"], &[])
}

#[test]
fn explain_tells_who_had_a_call_and_how_it_ended() {
    let replied = text(recorded());
    let lines: Vec<&str> = replied.lines().collect();
    assert_eq!(lines[0], "call 17 of 20, to the service upper: replied");
    assert!(
        lines[1].starts_with("made by session 2 of rui ("),
        "{replied}"
    );
    assert!(
        lines[1].ends_with("), 12 ms before the stop began"),
        "{replied}"
    );
    assert_eq!(
        lines[2],
        "sent to session 900 of eva (ended before the stop)"
    );
    assert_eq!(lines[3], "the service replied after 1.89 ms");

    let in_work = text(RecordedCall {
        made_us: 500,
        took_us: None,
        end: None,
        ..recorded()
    });
    assert!(in_work.contains("upper: in work\n"), "{in_work}");
    assert!(
        in_work.contains("0.50 ms after the stop began"),
        "{in_work}"
    );
    assert!(in_work.contains("may have done it"), "{in_work}");

    let waiting = text(RecordedCall {
        responder: None,
        sent: false,
        took_us: None,
        end: Some(CallEnd::Timeout),
        ..recorded()
    });
    assert!(waiting.contains("waited for a free one"), "{waiting}");
    assert!(waiting.contains("has not seen it"), "{waiting}");
}

#[test]
fn explain_prints_a_call_as_json() {
    let told = told(recorded());
    let text = told.prints(&["explain", "--call", "17", "--json", "--report"], &[]);
    let line: Value = serde_json::from_str(&text).expect("it is one object");
    assert_eq!(
        (&line["end"], &line["made_us"]),
        (&"replied".into(), &(-12_300).into())
    );
    assert_eq!(line["responder"]["user"], "eva");
    assert_eq!(line["because"], "the service replied after 1.89 ms");
}

#[test]
fn explain_of_a_call_that_is_not_listed_is_refused() {
    let told = told(recorded());
    let explain = |arguments: &[&str]| {
        let mut command = arauto(&["explain"]);
        finish(command.args(arguments).arg("--report").arg(told.file()), "")
    };
    explain(&["--call", "16"]).expect_failure(65, &["call 16 is older", "1 newest"]);
    explain(&["--call", "21"]).expect_failure(64, &["no call 21", "20"]);
    explain(&["--call", "0"]).expect_failure(64, &["0"]);
    explain(&["--call", "17", "3"]).expect_failure(64, &["SEQ"]);
    explain(&[]).expect_failure(64, &["SEQ"]);
    let none = Told::of(stop_with_a_stalled_reader());
    let mut command = arauto(&["explain", "--call", "1", "--report"]);
    finish(command.arg(none.file()), "").expect_failure(64, &["no call 1"]);
}
