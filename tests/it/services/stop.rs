//! The stop of the server, with calls in work.

use std::time::Duration;

use arauto::Phase;

use super::{call, expect, expect_failed, member, reply, responder, take};
use crate::support::Fixture;

#[test]
fn stop_waits_for_answers_to_calls_accepted_before_it() {
    let fixture = Fixture::new();
    let mut rui = responder(&fixture, "rui", "up", 4);
    let mut ana = member(&fixture, "ana");
    for id in 1..=2 {
        ana.send(&call(id, "up", "a"));
    }
    let calls = [take(&mut rui).0, take(&mut rui).0];
    fixture.begin_stop();
    rui.skip_to("stopping");
    ana.skip_to("stopping");
    ana.send(&call(3, "up", "late"));
    expect_failed(&mut ana, 3, "stopping");
    for call in calls {
        reply(&mut rui, call, "x");
        expect(&mut ana, "reply");
    }
    let closing = ana.skip_to("closing");
    assert_eq!((closing.num("accepted"), closing.num("refused")), (2, 1));
    ana.expect_end();
    rui.skip_to("closing");
    rui.expect_end();
    drop((ana, rui));
    let report = fixture.assert_clean();
    let calls = |user: &str| {
        let mut sessions = report.sessions.iter();
        let record = sessions.find(|record| record.user.as_deref() == Some(user));
        record
            .and_then(|record| record.calls)
            .expect("it had calls")
    };
    assert_eq!((calls("ana").made, calls("ana").replied), (2, 2));
    assert_eq!((calls("rui").held, calls("rui").answered), (2, 2));
}

#[test]
fn calls_that_nobody_answers_are_unavailable_at_a_stop() {
    let fixture = Fixture::with(|config| config.timeouts.drain = Duration::from_secs(4));
    let mut rui = responder(&fixture, "rui", "up", 1);
    let mut ana = member(&fixture, "ana");
    for id in 1..=2 {
        ana.send(&call(id, "up", "a"));
    }
    let (first, _) = take(&mut rui);
    fixture.begin_stop();
    ana.skip_to("stopping");
    expect_failed(&mut ana, 1, "unavailable");
    expect_failed(&mut ana, 2, "unavailable");
    let closing = ana.expect_closing("shutdown");
    assert_eq!(closing.num("accepted"), 2);
    reply(&mut rui, first, "too late");
    rui.skip_to("closing");
    rui.expect_end();
    drop((ana, rui));
    let report = fixture.report();
    assert_eq!(report.exit, 0, "every accepted frame was answered");
    let requests = report
        .phases
        .iter()
        .find(|line| line.phase == Phase::Requests);
    let requests = requests.expect("it is a phase of each stop");
    assert!(requests.took_ms >= requests.budget_ms, "{requests:?}");
}
