mod run;

use std::time::Duration;

use self::run::{HEAD, Run, SESSION, TOTAL, closed, record, seen};
use super::*;
use crate::close::{
    CloseReason, Component, Evidence, ExitCode, Micros, Phase, StopReason, Trouble,
};
use crate::wire::Seq;

#[test]
fn phases_follow_in_order_and_the_exit_is_clean() {
    let mut run = Run::with_session();
    let outcome = run.begin().finish();
    let expected = Phase::ALL.map(|phase| (phase, true));
    assert_eq!(run.lines(), expected);
    let phases: Vec<_> = outcome.phases.iter().map(|line| line.phase).collect();
    assert_eq!(phases, Phase::ALL);
    assert_eq!((outcome.exit, outcome.head), (ExitCode::Clean, HEAD));
    assert_eq!(outcome.sessions, [record(20)]);
    assert_eq!(outcome.trouble, []);
}

#[test]
fn session_gets_each_order_once_and_in_order() {
    let mut run = Run::with_session();
    run.begin().pass(Phase::Seal);
    let announced = Order::Announce(Status {
        reason: StopReason::Signal,
        phase: Phase::Announce,
        remaining: TOTAL,
    });
    assert_eq!(run.orders(), [announced]);
    run.finish();
    let linger = Order::Close(Duration::from_secs(1));
    assert_eq!(
        run.orders(),
        [announced, Order::Drain(HEAD), linger, Order::Finish]
    );
}

#[test]
fn stop_is_answered_before_the_first_phase_is_over() {
    let mut run = Run::new();
    assert_eq!(run.machine.status(Duration::ZERO), None);
    run.stop(Haste::AsPlanned);
    let status = run.machine.status(Duration::from_secs(3));
    let status = status.expect("it stops");
    assert_eq!(
        (status.phase, status.remaining),
        (Phase::Trigger, Duration::from_secs(17))
    );
    assert_eq!(run.machine.deadline(), None);
}

#[test]
fn limit_of_a_stop_changes_until_it_has_begun() {
    let mut run = Run::new();
    assert!(run.machine.set_total(Duration::from_secs(7)));
    run.stop(Haste::AsPlanned);
    assert!(!run.machine.set_total(Duration::from_secs(9)));
    let status = run.machine.status(Duration::from_secs(3));
    assert_eq!(status.expect("it stops").remaining, Duration::from_secs(4));
}

#[test]
fn second_stop_changes_nothing() {
    let mut run = Run::with_session();
    run.begin();
    let before = run.machine.clone();
    let reason = StopReason::Admin;
    let haste = Haste::AsPlanned;
    let count = run.effects.len();
    run.feed(Input::Stop { reason, haste });
    assert_eq!(run.machine, before);
    assert_eq!(run.effects.len(), count);
}

#[test]
fn phase_that_is_late_is_left_and_says_so() {
    let mut run = Run::with_session();
    run.begin().pass_until(Phase::Requests);
    run.expire(Duration::ZERO);
    assert_eq!(run.lines().last(), Some(&(Phase::Requests, false)));
    assert_eq!(run.time, Duration::from_secs(6));
    run.feed(Input::RequestsIdle); // too late
    assert_eq!(run.machine.phase(), Some(Phase::Hub));
    assert_eq!(run.finish().exit, ExitCode::Clean);
}

#[test]
fn tick_before_the_deadline_is_ignored() {
    let mut run = Run::with_session();
    run.begin();
    run.time = Duration::from_millis(499);
    run.feed(Input::Tick);
    assert_eq!(run.machine.phase(), Some(Phase::Seal));
}

#[test]
fn deadline_passed_in_suspension_is_extended_once() {
    let mut run = Run::with_session();
    run.begin().pass_until(Phase::Drain);
    run.expire(Duration::from_millis(1001));
    assert_eq!(run.machine.phase(), Some(Phase::Drain));
    let until = run.time + Duration::from_millis(250);
    assert_eq!(run.machine.deadline(), Some(until));
    run.expire(Duration::from_secs(30));
    assert_eq!(run.lines().last(), Some(&(Phase::Drain, false)));
}

#[test]
fn second_signal_leaves_a_second_and_is_a_forced_exit() {
    let mut run = Run::with_session();
    run.stop(Haste::Insist)
        .feed(Input::Begun)
        .pass_until(Phase::Drain);
    run.time = Duration::from_secs(2);
    assert_eq!(run.machine.deadline(), Some(Duration::from_secs(16)));
    run.stop(Haste::Insist);
    assert_eq!(run.machine.deadline(), Some(Duration::from_secs(3)));
    run.expire(Duration::ZERO);
    let last_records = run.time + Duration::from_millis(200);
    assert_eq!(run.machine.deadline(), Some(last_records));
    assert_eq!(run.finish().exit, ExitCode::Forced);
}

#[test]
fn stop_now_leaves_no_time_to_drain() {
    let mut run = Run::with_session();
    run.stop(Haste::Now).feed(Input::Begun);
    assert_eq!(run.machine.deadline(), Some(Duration::from_millis(200)));
    assert_eq!(run.finish().exit, ExitCode::Forced);
}

#[test]
fn store_limit_follows_each_change_of_its_deadline() {
    let mut run = Run::with_session();
    run.begin().pass_until(Phase::Hub);
    assert_eq!(run.store_limits(), [TOTAL - Duration::from_millis(250)]);
    run.stop(Haste::Insist);
    assert_eq!(
        run.store_limits().last(),
        Some(&Duration::from_millis(750)),
        "a quarter of the second is the store's own"
    );
    run.pass_until(Phase::Store);
    assert_eq!(run.store_limits().len(), 3);
}

#[test]
fn panic_stops_the_server_and_outweighs_force() {
    let mut run = Run::with_session();
    run.feed(Input::Failed(Component::Hub)).feed(Input::Begun);
    run.stop(Haste::Insist);
    let outcome = run.finish();
    assert_eq!(
        (outcome.reason, outcome.exit),
        (StopReason::Panic, ExitCode::Panicked)
    );
    assert_eq!(outcome.trouble, [Trouble::Panicked(Component::Hub)]);
}

#[test]
fn panic_while_actors_are_stopped_is_ignored() {
    let mut run = Run::with_session();
    run.begin().pass_until(Phase::Actors);
    run.feed(Input::Failed(Component::Hub));
    assert_eq!(run.finish().exit, ExitCode::Clean);
}

#[test]
fn panic_of_the_store_while_it_closes_is_exit_70() {
    let mut run = Run::with_session();
    run.begin().pass_until(Phase::Store).feed(closed(true));
    let outcome = run.observe(vec![seen()], &[]);
    assert_eq!(outcome.exit, ExitCode::Panicked);
    assert_eq!(outcome.trouble, [Trouble::Panicked(Component::Store)]);
}

#[test]
fn log_that_is_not_sealed_is_reported() {
    for is_gone in [true, false] {
        let mut run = Run::with_session();
        run.begin().pass_until(Phase::Hub);
        match is_gone {
            true => run.feed(Input::LogSealed(None)),
            false => run.expire(Duration::ZERO),
        };
        run.feed(Input::LogSealed(Some(Seq(99)))); // too late
        assert_eq!(run.orders().last(), Some(&Order::Drain(HEAD)));
        let outcome = run.finish();
        assert_eq!((outcome.exit, outcome.head), (ExitCode::Deadline, HEAD));
        assert_eq!(outcome.trouble[0], Trouble::LogUnsealed);
    }
}

#[test]
fn hub_phase_waits_for_listeners_that_were_late() {
    let mut run = Run::with_session();
    run.begin().expire(Duration::ZERO);
    run.answer(Phase::Announce, Some(record(20)))
        .feed(Input::RequestsIdle)
        .feed(Input::LogSealed(Some(HEAD)));
    assert_eq!(run.machine.phase(), Some(Phase::Hub));
    run.feed(Input::ListenersSealed);
    assert_eq!(run.machine.phase(), Some(Phase::Drain));
    assert_eq!(run.finish().exit, ExitCode::Clean);
}

#[test]
fn listeners_never_sealed_are_reported() {
    let mut run = Run::with_session();
    run.begin().expire(Duration::ZERO);
    run.answer(Phase::Announce, Some(record(20)))
        .feed(Input::RequestsIdle)
        .feed(Input::LogSealed(Some(HEAD)))
        .expire(Duration::ZERO);
    run.feed(Input::ListenersSealed); // too late: sessions may have missed the drain
    let outcome = run.finish();
    assert_eq!(outcome.exit, ExitCode::Deadline);
    assert_eq!(outcome.trouble[0], Trouble::ListenersUnsealed);
}

#[test]
fn session_that_starts_late_is_drained() {
    let mut run = Run::new();
    run.begin().feed(Input::Opened(SESSION));
    run.feed(Input::ListenersSealed);
    assert!(matches!(run.orders()[..], [Order::Announce(_)]));
    run.answer(Phase::Announce, None);
    assert_eq!(run.finish().sessions.len(), 1);
}

#[test]
fn session_that_ends_is_no_longer_awaited() {
    let mut run = Run::with_session();
    run.begin().pass_until(Phase::Drain);
    let mut last = record(15);
    last.reason = CloseReason::Lost.into();
    last.is_owed_head = false;
    last.times_us.stopped = Some(Micros(1));
    run.feed(Input::Ended {
        record: last.clone(),
        has_failed: false,
    });
    assert_eq!(run.machine.phase(), Some(Phase::Actors), "nobody is left");
    run.answer(Phase::Drain, Some(record(20))); // overtaken by the end
    run.feed(Input::ActorsStopped).feed(closed(false));
    let outcome = run.observe(Vec::new(), &[]);
    assert_eq!(outcome.sessions, [last]);
    assert_eq!(outcome.exit, ExitCode::Clean);
}

#[test]
fn session_that_was_over_before_the_stop_is_not_reported() {
    let mut run = Run::with_session();
    run.begin().pass_until(Phase::Announce);
    let mut over = record(15);
    over.reason = CloseReason::Disconnected.into();
    over.evidence = Evidence::Written;
    run.answer(Phase::Announce, Some(over.clone()));
    run.feed(Input::Ended {
        record: over,
        has_failed: false,
    });
    run.feed(Input::RequestsIdle)
        .feed(Input::LogSealed(Some(HEAD)))
        .feed(Input::ActorsStopped)
        .feed(closed(false));
    let outcome = run.observe(Vec::new(), &[]);
    assert_eq!(outcome.sessions, []);
    assert_eq!(outcome.exit, ExitCode::Clean);
}

#[test]
fn late_answer_to_the_announcement_only_is_noted() {
    let mut run = Run::with_session();
    run.begin().pass(Phase::Seal);
    run.expire(Duration::ZERO)
        .answer(Phase::Announce, Some(record(12)));
    run.pass_until(Phase::Drain).expire(Duration::ZERO);
    run.answer(Phase::Drain, Some(record(14)))
        .expire(Duration::ZERO)
        .expire(Duration::ZERO)
        .expire(Duration::ZERO);
    run.feed(closed(false));
    let seen = ObservedSession {
        sent: Seq(12),
        ..seen()
    };
    let outcome = run.observe(vec![seen], &[]);
    assert_eq!(outcome.sessions[0].missing, [(Seq(13), HEAD)]);
    assert_eq!(outcome.exit, ExitCode::Deadline);
}

#[test]
fn actors_get_200_ms_where_sessions_took_all_the_time() {
    let mut run = Run::with_session();
    run.begin().pass_until(Phase::Actors).expire(Duration::ZERO);
    assert_eq!(run.effects.last(), Some(&Effect::StopActors));
    let until = run.time + Duration::from_millis(200);
    assert_eq!(run.machine.deadline(), Some(until));
    let mut other = Run {
        machine: run.machine.clone(),
        effects: run.effects.clone(),
        ..run
    };
    run.feed(Input::ActorsStopped);
    other.expire(Duration::ZERO);
    for run in [run, other] {
        assert_eq!(run.machine.phase(), Some(Phase::Store));
        assert_eq!(run.effects.last(), Some(&Effect::CloseStore));
    }
}

#[test]
fn actors_are_stopped_after_the_last_session_and_once() {
    let mut run = Run::with_session();
    run.begin().pass_until(Phase::Actors);
    assert!(!run.effects.contains(&Effect::StopActors));
    run.answer(Phase::Actors, None);
    run.stop(Haste::AsPlanned);
    let stops = |effect: &&Effect| **effect == Effect::StopActors;
    assert_eq!(run.effects.iter().filter(stops).count(), 1);
    assert_eq!(run.machine.phase(), Some(Phase::Actors));
}

#[test]
fn store_that_is_late_is_reported_with_what_is_open() {
    let mut run = Run::with_session();
    run.begin().pass_until(Phase::Store).expire(Duration::ZERO);
    run.feed(closed(false)); // too late
    let outcome = run.observe(vec![seen()], &[Trouble::DatabaseUnclosed]);
    assert_eq!(outcome.trouble, [Trouble::DatabaseUnclosed]);
    assert_eq!(outcome.exit, ExitCode::Deadline);
    assert_eq!(run.machine.deadline(), None);
}

#[test]
fn session_that_failed_before_the_stop_is_reported() {
    let mut run = Run::with_session();
    let mut failed = record(15);
    failed.missing = vec![(Seq(16), Seq(18))];
    failed.is_owed_head = false;
    run.feed(Input::Ended {
        record: failed.clone(),
        has_failed: true,
    });
    run.begin()
        .feed(Input::ListenersSealed)
        .feed(Input::RequestsIdle)
        .feed(Input::LogSealed(Some(HEAD)))
        .feed(Input::ActorsStopped)
        .feed(closed(false));
    let outcome = run.observe(Vec::new(), &[]);
    assert_eq!(outcome.sessions, [failed]);
    assert_eq!(outcome.exit, ExitCode::Deadline);
}
