//! The record of the newest calls.

use std::time::Duration;

use super::{LIMITS, Tested};
use crate::close::{CallEnd, KnownCall, RecentCalls};

const CALLER: u64 = 1;
const ANA: u64 = 2;

fn recent(tested: &Tested, began: Duration) -> RecentCalls {
    let calls = tested.registry.recent_calls(tested.now + began);
    assert!(calls.listed.is_sorted_by_key(|recorded| recorded.call));
    calls
}

#[test]
fn record_tells_how_each_call_ended() {
    let mut tested = Tested::with_sessions(LIMITS, &[CALLER, ANA]);
    tested.offer(ANA, "up", 1);
    let made: Vec<_> = (0..4)
        .map(|_| tested.call(CALLER, "up").expect("it is offered"))
        .collect();
    tested.take_calls(ANA);
    assert!(tested.reply(ANA, made[0]));
    assert!(tested.cancel(CALLER, made[3]));
    tested.take_calls(ANA);
    let open = recent(&tested, Duration::from_secs(1));
    let ends = |calls: &RecentCalls| -> Vec<_> {
        let listed = calls.listed.iter();
        listed
            .map(|recorded| (recorded.end, recorded.sent))
            .collect()
    };
    let (replied, timeout) = (Some(CallEnd::Replied), Some(CallEnd::Timeout));
    let expected = [
        (replied, true),
        (None, true),
        (None, false),
        (timeout, false),
    ];
    assert_eq!(ends(&open), expected);
    assert_eq!(open.listed[0].made_us, -1_000_000);
    assert_eq!(open.listed[2].responder, None);
    tested.leave(ANA);
    let over = recent(&tested, Duration::ZERO);
    let (lost, not_offered) = (Some(CallEnd::ResponderEnded), Some(CallEnd::NotOffered));
    assert_eq!(ends(&over)[1..3], [(lost, true), (not_offered, false)]);
    let responder = over.listed[1].responder.as_ref();
    assert_eq!(responder.map(|party| &*party.user), Some("user2"));
}

#[test]
fn earliest_calls_are_dropped_from_the_record() {
    let mut tested = Tested::with_sessions(LIMITS, &[CALLER, ANA]);
    tested.offer(ANA, "up", 1);
    for _ in 0..1030 {
        let call = tested.call(CALLER, "up").expect("it is offered");
        tested.take_calls(ANA);
        assert!(tested.reply(ANA, call));
        tested.take_all(CALLER);
    }
    let calls = recent(&tested, Duration::ZERO);
    assert_eq!(
        (calls.last, calls.unlisted, calls.listed.len()),
        (1030, 6, 1024)
    );
    assert_eq!(calls.of(6), KnownCall::Unlisted);
    assert!(matches!(calls.of(7), KnownCall::Listed(_)));
    assert_eq!(
        (calls.of(1031), calls.of(0)),
        (KnownCall::Never, KnownCall::Never)
    );
}
