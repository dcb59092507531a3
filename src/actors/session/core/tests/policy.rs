//! The kinds of sessions.

use crate::actors::session::core::Served;
use crate::actors::session::core::effects::Done;
use crate::actors::session::core::policy::{ConnectRefusal, Policy};
use crate::actors::session::core::testing::{
    Effect, LIMITS, Run, entry, login, ping, publish, request,
};
use crate::wire::raw::{Direction, RawDialect};
use crate::wire::{Charset, Dialect, Seq};

#[test]
fn policy_follows_from_the_dialect() {
    let raw = |direction| {
        Dialect::Raw(RawDialect {
            direction,
            ..RawDialect::default()
        })
    };
    let policies = [
        (Dialect::Cbor, Policy::Dialogue),
        (Dialect::Text(Charset::Utf8), Policy::Dialogue),
        (raw(Direction::Duplex), Policy::RawDuplex),
        (raw(Direction::Outbound), Policy::RawOutbound),
    ];
    for (dialect, policy) in policies {
        assert_eq!(Policy::of(dialect), policy, "{dialect:?}");
    }
}

#[test]
fn outbound_session_follows_from_the_head_at_its_start() {
    let mut run = Run::with(|beginning| {
        beginning.policy = Policy::RawOutbound;
        beginning.out.head = Seq(9);
    });
    assert_eq!(run.effects(), [Effect::Follow(Seq(9))]);
    assert!(run.core.is_outbound());
    assert_eq!(run.core.wake_at(), None, "it has no idle timeout");
}

#[test]
fn duplex_session_without_a_login_asks_and_gets_no_broadcasts() {
    let mut run = Run::with(|beginning| beginning.policy = Policy::RawDuplex);
    run.out.reply = Some(Ok("sim".into()));
    assert_eq!(run.frame(request(1)), Served::Done);
    assert_eq!(run.answers(), ["welcome 7", "reply 1"]);
    assert_eq!(run.effects(), [Effect::Request(String::new())]);
    run.frame(publish(2));
    assert_eq!(run.answers(), ["error 2 forbidden"]);
    assert_eq!(run.sleep(), LIMITS.idle_timeout);
}

#[test]
fn one_read_and_one_frame_are_shorter_before_the_login() {
    let mut run = Run::new();
    assert_eq!(run.core.read_size(), 4 * 1024);
    assert_eq!(run.core.frame_limit(), LIMITS.max_frame_before_login);
    run.frame(login(1));
    run.done(Done::Login(Ok(entry(Seq::ZERO))));
    assert_eq!(run.core.read_size(), 256 * 1024);
    assert_eq!(run.core.frame_limit(), LIMITS.max_frame);
    let nameless = Run::with(|beginning| beginning.policy = Policy::RawDuplex);
    assert_eq!(nameless.core.read_size(), 16 * 1024);
}

#[test]
fn refused_connection_is_told_why_and_serves_nothing() {
    let refusals = [
        (
            ConnectRefusal::Full,
            "too-many-sessions",
            "too-many-sessions",
        ),
        (
            ConnectRefusal::FullBriefly,
            "too-many-sessions",
            "too-many-sessions",
        ),
        (ConnectRefusal::Forbidden, "forbidden", "forbidden"),
        (ConnectRefusal::Draining, "stopping", "shutdown"),
        (ConnectRefusal::Stopping, "stopping", "shutdown"),
    ];
    for (refusal, code, reason) in refusals {
        let mut run = Run::with(|beginning| beginning.refusal = Some(refusal));
        run.advance();
        let closing = format!("closing {reason} at 0, 0 accepted, 0 refused");
        let expected = ["welcome 7".to_owned(), format!("error - {code}"), closing];
        assert_eq!(run.answers(), expected);
        run.frame(ping(1));
        assert_eq!(run.answers(), [""; 0]);
    }
}
