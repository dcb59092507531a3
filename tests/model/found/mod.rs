//! The checker finds a counter-example for each broken rule, and none for the intact rules.
//! `cargo test --test model found -- --nocapture` prints the counter-examples.

mod cursor;
mod numbers;
mod services;
mod topics;

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};

use crate::broken::Broken;
use crate::properties::{
    ACKS_TRUE, ALL_TOLD, ANSWERED_ONCE, CLOSING_LAST, CUT_KEPT, ENDS, EVIDENCE, EXACT,
    EXIT_3_HAS_CAUSE, IN_ORDER, NOTHING_LOST, ON_DISK, OWN_SEQ, PHASES_IN_ORDER, SEAL_LAST,
    THIRD_SIGNAL, TRUTH, WORK_AWAITED,
};
use crate::setting::{Client, Frame, Setting};
use crate::step::Step;
use crate::trace;

/// Returns the steps to a state that violates the property; `None` if there is no such state. There
/// are as few steps as possible, or one more.
fn counter_example(setting: &Setting, name: &'static str) -> Option<Vec<Step>> {
    let checker = setting
        .clone()
        .checker()
        .finish_when(HasDiscoveries::AnyOf(BTreeSet::from([name])))
        .spawn_bfs()
        .join();
    let path = checker.discovery(name)?;
    let property = setting.property(name);
    Some(trace::steps(setting, path, &property))
}

/// Checks that the property holds with intact rules, and fails with the broken rule.
fn assert_found(broken: Broken, name: &'static str, setting: Setting) {
    let intact = counter_example(&setting, name);
    assert_eq!(intact, None, "the property fails with intact rules");
    assert_broken_found(broken, name, setting);
}

/// Checks that the property fails with the broken rule. It does not check the intact rules: use it only
/// where another test checks them in the same setting.
fn assert_broken_found(broken: Broken, name: &'static str, setting: Setting) {
    let setting = Setting {
        broken: Some(broken),
        ..setting
    };
    let steps = counter_example(&setting, name).expect("the checker finds a counter-example");
    println!("{broken:?}, {}", trace::text(name, &steps));
}

#[test]
fn drain_before_the_seal_loses_a_broadcast() {
    let clients = vec![Client::sends(&[Frame::Fim]), Client::sends(&[])];
    assert_found(
        Broken::DrainBeforeSeal,
        EXIT_3_HAS_CAUSE,
        Setting::of(clients),
    );
}

#[test]
fn closing_before_the_replies_is_not_last() {
    let setting = Setting {
        early_deadlines: 1,
        ..Setting::of(vec![Client::sends(&[Frame::Request])])
    };
    assert_found(Broken::ClosingBeforeReplies, CLOSING_LAST, setting);
}

#[test]
fn cut_read_before_the_seal_misses_a_broadcast() {
    let clients = vec![Client::sends(&[Frame::Fim]), Client::sends(&[])];
    assert_found(Broken::CutReadTwice, NOTHING_LOST, Setting::of(clients));
}

#[test]
fn roster_without_settle_misses_a_handed_over_session() {
    let clients = vec![Client::sends(&[]).comes_late()];
    assert_found(Broken::NoSettle, ALL_TOLD, Setting::of(clients));
}

#[test]
fn marker_overtakes_work_that_waits_for_a_handler() {
    let clients = vec![Client::sends(&[Frame::Request])];
    assert_found(Broken::MarkerForCounter, WORK_AWAITED, Setting::of(clients));
}

#[test]
fn actors_stopped_at_once_lose_answers() {
    let clients = vec![Client::sends(&[Frame::Request])];
    assert_found(Broken::SystemStop, EXIT_3_HAS_CAUSE, Setting::of(clients));
}

#[test]
fn written_bytes_are_not_counted_as_read() {
    let clients = vec![Client::sends(&[]).stalls()];
    assert_found(Broken::WrittenIsRead, EVIDENCE, Setting::of(clients));
}

#[test]
fn frame_behind_the_cut_is_not_admitted() {
    let clients = vec![Client::sends(&[Frame::Request])];
    assert_found(Broken::AdmitsBehindTheCut, CUT_KEPT, Setting::of(clients));
}

#[test]
fn incomplete_roster_is_never_exit_0() {
    let setting = Setting {
        early_deadlines: 2,
        ..Setting::of(vec![Client::sends(&[]).comes_late()])
    };
    assert_found(Broken::RosterBelieved, ALL_TOLD, setting);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn head_not_sealed_in_time_is_never_exit_0() {
    let setting = Setting {
        early_deadlines: 2,
        ..Setting::of(vec![Client::sends(&[Frame::Publish])])
    };
    assert_found(Broken::HeadGuessed, NOTHING_LOST, setting);
}

#[test]
fn session_cut_short_after_fim_has_its_missing_range() {
    let setting = Setting {
        waiting: 4,
        ..Setting::of(vec![Client::sends(&[Frame::Fim]).stalls()])
    };
    assert_found(Broken::CutForgotten, TRUTH, setting);
}

#[test]
fn publish_behind_the_cut_finds_the_log_sealed() {
    let clients = vec![Client::sends(&[Frame::Publish])];
    assert_found(Broken::AdmitsBehindTheCut, SEAL_LAST, Setting::of(clients));
}

#[test]
fn drain_before_the_seal_is_out_of_order() {
    let clients = vec![Client::sends(&[])];
    assert_found(
        Broken::DrainBeforeSeal,
        PHASES_IN_ORDER,
        Setting::of(clients),
    );
}

#[test]
fn publish_refused_by_the_sealed_log_is_not_answered() {
    let setting = Setting {
        early_deadlines: 1,
        ..Setting::of(vec![Client::sends(&[Frame::Publish])])
    };
    assert_found(Broken::RefusalAnsweredToo, ANSWERED_ONCE, setting);
}

#[test]
fn stop_without_deadlines_waits_for_ever() {
    let clients = vec![Client::sends(&[]).stalls()];
    assert_found(Broken::NoDeadlines, ENDS, Setting::of(clients));
}

#[test]
fn session_failed_in_the_stop_is_owed_all_broadcasts() {
    let setting = Setting {
        waiting: 4,
        session_panics: 1,
        ..Setting::of(vec![Client::sends(&[Frame::Request]).stalls()])
    };
    assert_found(Broken::OwedForgotten, TRUTH, setting);
}

#[test]
fn ping_behind_runs_in_work_is_answered_behind_them() {
    let setting = Setting {
        is_journaled: true,
        ..Setting::of(vec![Client::sends(&[Frame::Publish, Frame::Ping])])
    };
    assert_found(Broken::OrderForgotten, IN_ORDER, setting);
}

#[test]
fn answer_to_a_later_run_is_not_taken_for_the_oldest() {
    let setting = Setting {
        is_journaled: true,
        ..Setting::of(vec![Client::sends(&[Frame::Publish, Frame::Publish])])
    };
    assert_found(Broken::LaterRunFirst, OWN_SEQ, setting);
}

#[test]
fn publish_in_work_keeps_the_requests_phase_open() {
    let clients = vec![Client::sends(&[Frame::Publish])];
    assert_found(Broken::RunsUncounted, WORK_AWAITED, Setting::of(clients));
}

#[test]
fn third_signal_does_not_wait_for_the_stop() {
    let setting = Setting {
        signals: 3,
        ..Setting::of(vec![Client::sends(&[])])
    };
    assert_found(Broken::ThirdSignalInsists, THIRD_SIGNAL, setting);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn publish_is_answered_after_its_commit() {
    let setting = Setting {
        is_journaled: true,
        signals: 3,
        ..Setting::of(vec![Client::sends(&[Frame::Publish])])
    };
    assert_found(Broken::AnsweredBeforeCommit, ON_DISK, setting);
}

#[test]
fn reader_behind_the_log_is_told_of_the_gap() {
    let setting = Setting {
        waiting: 3,
        log_holds: Some(1),
        ..Setting::of(vec![Client::sends(&[])])
    };
    assert_found(Broken::GapUntold, EXACT, setting);
}

#[test]
fn ack_ahead_of_what_was_sent_has_no_effect() {
    let clients = vec![Client::sends(&[Frame::AckAhead])];
    assert_found(Broken::AckBelieved, ACKS_TRUE, Setting::of(clients));
}
