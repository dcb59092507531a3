//! The core's state, written down and read back.

use std::time::Duration;

use crate::accounts::LoginRefusal;
use crate::actors::session::core::Core;
use crate::actors::session::core::effects::{Done, LoginFailure};
use crate::actors::session::core::policy::{ConnectRefusal, Policy, SlowPolicy};
use crate::actors::session::core::saved::SavedCore;
use crate::actors::session::core::testing::{
    Run, ack, fim, login, ping, publish, request, shutdown, status,
};
use crate::actors::session::saved::error::{RestoreError, SaveError};
use crate::actors::session::saved::{decode, encode};
use crate::close::{Evidence, Micros, Phase};
use crate::rate::Rate;
use crate::wire::{Role, Seq};

fn copy(run: &Run) -> Core {
    let bytes = encode(&run.core.save(run.now).expect("nothing is under way"));
    let saved: SavedCore = decode(&bytes).expect("it was written");
    Core::restore(saved, run.now).expect("it was written")
}

/// The name of a field, a session in which it differs from a new one's, and whether it does.
type Case = (&'static str, Run, fn(&Core, &Core) -> bool);

fn cases() -> Vec<Case> {
    let refused = |refusal| {
        let mut run = Run::with(|beginning| beginning.refusal = Some(refusal));
        run.advance();
        run
    };
    let mut ordered = Run::member();
    ordered.out.stop_time = Some(Micros(5));
    ordered
        .core
        .announce(status(Phase::Announce), &mut ordered.out);
    ordered.core.drain(Seq::ZERO, ordered.now, &mut ordered.out);
    ordered.core.close(Duration::from_secs(1), ordered.now);
    ordered.advance_and_write();
    let mut acked = Run::member();
    acked.out.head = Seq(5);
    acked.out.write_all();
    acked.frame(ack(4));
    let mut closed = Run::member();
    closed.core.finish(&mut closed.out);
    let mut failed = Run::member();
    failed.core.input_failed(&mut failed.out);
    let mut withdrawn = Run::new();
    withdrawn
        .core
        .withdraw_permit(withdrawn.now, &mut withdrawn.out);
    let mut counted = Run::member();
    counted.frame(ping(2));
    let mut wrong = Run::new();
    wrong.frame(login(1));
    let refusal = LoginFailure::Refused(LoginRefusal::BadCredentials);
    wrong.done(Done::Login(Err(refusal)));
    let mut rated = Run::member_with(|beginning| {
        beginning.limits.request_rate = Some(Rate::per_seconds(7, 60));
    });
    rated.out.reply = Some(Ok("sim".into()));
    rated.frame(request(2));
    let mut held = Run::member();
    held.out.publish_wait = Some(Duration::from_millis(50));
    held.frame(publish(2));
    let limited = Run::with(|beginning| {
        let limits = &mut beginning.limits;
        (limits.max_frame, limits.max_frame_before_login) = (2000, 1000);
        (limits.frames_in_work, limits.slow) = (9, SlowPolicy::Disconnect);
        limits.request_rate = Some(Rate::per_seconds(7, 60));
        limits.rate_before_login = Rate::per_seconds(8, 60);
        (limits.login_timeout, limits.drain_timeout) = (Duration::from_secs(1), Duration::ZERO);
        limits.idle_timeout = Some(Duration::MAX);
    });
    vec![
        (
            "policy",
            Run::with(|new| new.policy = Policy::RawDuplex),
            |a, b| a.policy != b.policy,
        ),
        ("limits", limited, |a, b| a.limits != b.limits),
        (
            "is_journaled",
            Run::with(|new| new.is_journaled = true),
            |a, b| a.is_journaled != b.is_journaled,
        ),
        ("state: ready", Run::member(), |a, b| a.state != b.state),
        ("state: ending", ordered.clone(), |a, b| a.state != b.state),
        ("state: closed", closed.clone(), |a, b| a.state != b.state),
        ("timers: hold", held, |a, b| a.timers != b.timers),
        ("timers: looks", ordered.clone(), |a, b| {
            a.timers != b.timers
        }),
        ("tally", counted, |a, b| a.tally != b.tally),
        ("tally: passwords", wrong, |a, b| a.tally != b.tally),
        ("tally: times", ordered.clone(), |a, b| {
            a.tally.times() != b.tally.times()
        }),
        ("input", failed, |a, b| a.input != b.input),
        ("bucket", rated, |a, b| a.bucket != b.bucket),
        ("bucket: none", Run::member(), |a, b| a.bucket != b.bucket),
        ("acked", acked, |a, b| a.acked != b.acked),
        ("evidence", closed, |a, b| a.evidence != b.evidence),
        ("notice", ordered.clone(), |a, b| a.notice != b.notice),
        ("is_permit_withdrawn", withdrawn, |a, b| {
            a.is_permit_withdrawn != b.is_permit_withdrawn
        }),
        ("is_brief", refused(ConnectRefusal::FullBriefly), |a, b| {
            a.is_brief != b.is_brief
        }),
        ("is_awaited", ordered, |a, b| a.is_awaited != b.is_awaited),
    ]
}

#[test]
fn saved_core_has_every_field() {
    let new = Run::new();
    for (field, run, differs) in cases() {
        assert!(
            differs(&run.core, &new.core),
            "{field}: the case shows nothing"
        );
        assert_eq!(copy(&run), run.core, "{field}");
    }
}

#[test]
fn saved_notice_of_a_shutdown_that_was_asked_goes_on() {
    let mut run = Run::member();
    run.out.account_role = Role::Admin;
    run.frame(shutdown(2, false));
    run.done(Done::Stopping(status(Phase::Requests)));
    run.core = copy(&run);
    run.frame(shutdown(3, false));
    run.done(Done::Stopping(status(Phase::Seal)));
    let expected = ["stopping 2 requests", "stopping 3 requests"];
    assert_eq!(run.answers(), expected, "it never goes back");
}

#[test]
fn core_with_pending_work_is_saved_only_afterwards() {
    let mut login_pending = Run::new();
    login_pending.frame(login(1));
    let mut handler_runs = Run::member();
    handler_runs.frame(request(2));
    let mut publishes_wait = Run::member();
    publishes_wait.frame(publish(2));
    for (mut run, why) in [
        (login_pending, SaveError::LoginPending),
        (handler_runs, SaveError::WorkPending),
        (publishes_wait, SaveError::WorkPending),
    ] {
        assert_eq!(run.core.save(run.now), Err(why));
        run.done(Done::Gone);
        assert!(run.core.save(run.now).is_ok(), "{why}");
    }
    let mut run = Run::member();
    run.core.begin_pass();
    run.core.frame(publish(2), run.now, &mut run.out);
    assert_eq!(run.core.save(run.now), Err(SaveError::PassOpen));
}

#[test]
fn core_read_back_later_has_as_much_time_left() {
    let mut run = Run::member();
    run.pass(Duration::from_secs(20));
    let saved = run.core.save(run.now).expect("nothing is under way");
    let later = run.now + Duration::from_secs(3600);
    run.core = Core::restore(saved, later).expect("it was saved");
    run.now = later;
    assert!(!run.pass(Duration::from_secs(39)));
    assert!(run.pass_until_woken(Duration::ZERO));
    assert_eq!(run.answers(), ["error - idle-timeout"]);
}

#[test]
fn core_of_impossible_values_is_refused() {
    type Change = fn(&mut serde_cbor::Value);
    fn field<'a>(value: &'a mut serde_cbor::Value, path: &[&str]) -> &'a mut serde_cbor::Value {
        let Some((first, rest)) = path.split_first() else {
            return value;
        };
        let serde_cbor::Value::Map(map) = value else {
            panic!("no map: {value:?}");
        };
        let key = serde_cbor::Value::Text((*first).to_owned());
        field(map.get_mut(&key).expect("it is a field"), rest)
    }
    let changes: [(&str, Change); 6] = [
        ("more answers than frames", |value| {
            *field(value, &["tally", "answered"]) = serde_cbor::Value::Integer(1);
        }),
        ("more frames than can be counted", |value| {
            *field(value, &["tally", "refused"]) = serde_cbor::Value::Integer(i128::from(u64::MAX));
        }),
        ("a frame too long", |value| {
            *field(value, &["limits", "max_frame"]) = serde_cbor::Value::Integer(1 << 31);
        }),
        ("a name that is none", |value| {
            let name = serde_cbor::Value::Text("a b".to_owned());
            *field(value, &["state", "Ending", "member", "User"]) = name;
        }),
        ("a reason that is none", |value| {
            let reason = serde_cbor::Value::Text("tired".to_owned());
            *field(value, &["state", "Ending", "reason"]) = reason;
        }),
        ("a look that is too rare", |value| {
            let secs = ["state", "Ending", "last_look", "secs"];
            *field(value, &secs) = serde_cbor::Value::Integer(i128::from(u64::MAX));
        }),
    ];
    let mut run = Run::member();
    run.core.drain(Seq(5), run.now, &mut run.out);
    run.out.head = Seq(5);
    let waits = run.core.save(run.now).expect("nothing is under way");
    run.advance_and_write();
    let looks = run.core.save(run.now).expect("nothing is under way");
    for (what, change) in changes {
        let saved = if what.contains("look") {
            &looks
        } else {
            &waits
        };
        let mut value = serde_cbor::value::to_value(saved).expect("it is a value");
        change(&mut value);
        let saved: SavedCore = serde_cbor::value::from_value(value).expect("it is of the type");
        let error = Core::restore(saved, run.now).expect_err(what);
        assert!(
            matches!(error, RestoreError::Impossible(_)),
            "{what}: {error}"
        );
    }
}

#[test]
fn session_read_back_during_its_end_closes_as_it_would_have() {
    let mut run = Run::member();
    run.frame(fim(2));
    run.advance_and_write();
    let mut copied = run.clone();
    copied.core = copy(&run);
    for run in [&mut run, &mut copied] {
        run.core.hang_up();
        run.advance();
        assert!(run.core.is_closed());
    }
    assert_eq!(run.record(), copied.record());
    assert_eq!(run.record().evidence, Evidence::Written);
}
