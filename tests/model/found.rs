//! Each broken rule is found by a counter-example, and there is none where it is kept.
//! `cargo test --test model found -- --nocapture` prints them.

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};

use crate::broken::Broken;
use crate::properties::{
    ACKS_TRUE, ALL_TOLD, ANSWERED_ONCE, CLOSING_LAST, CUT_KEPT, ENDS, EVIDENCE, EXACT, IN_ORDER,
    NOTHING_LOST, OWN_SEQ, PATIENCE, PHASES_IN_ORDER, SEAL_LAST, TRUTH, WORK_AWAITED,
};
use crate::setting::{Client, Frame, Setting};
use crate::step::Step;
use crate::told;

/// A way to make the property fall: as short as there is, or one step longer.
fn counter_example(setting: &Setting, name: &'static str) -> Option<Vec<Step>> {
    let checker = setting
        .clone()
        .checker()
        .finish_when(HasDiscoveries::AnyOf(BTreeSet::from([name])))
        .spawn_bfs()
        .join();
    let path = checker.discovery(name)?;
    let property = setting.property(name);
    Some(told::steps(setting, path, &property))
}

fn falls(broken: Broken, name: &'static str, setting: Setting) {
    let intact = counter_example(&setting, name);
    assert_eq!(intact, None, "the intact protocol keeps it");
    let setting = Setting {
        broken: Some(broken),
        ..setting
    };
    let steps = counter_example(&setting, name).expect("the break is found");
    println!("{broken:?}, {}", told::tell(name, &steps));
}

#[test]
fn drain_before_the_seal_loses_a_broadcast() {
    let clients = vec![Client::sends(&[Frame::Fim]), Client::sends(&[])];
    falls(Broken::DrainBeforeSeal, PATIENCE, Setting::of(clients));
}

#[test]
fn closing_before_the_replies_is_not_last() {
    let setting = Setting {
        early_deadlines: 1,
        ..Setting::of(vec![Client::sends(&[Frame::Request])])
    };
    falls(Broken::ClosingBeforeReplies, CLOSING_LAST, setting);
}

#[test]
fn cut_read_twice_differs() {
    let clients = vec![Client::sends(&[Frame::Fim]), Client::sends(&[])];
    falls(Broken::CutReadTwice, NOTHING_LOST, Setting::of(clients));
}

#[test]
fn roster_without_settle_misses_a_handed_over_session() {
    let clients = vec![Client::sends(&[]).comes_late()];
    falls(Broken::NoSettle, ALL_TOLD, Setting::of(clients));
}

#[test]
fn marker_overtakes_work_that_waits_for_a_handler() {
    let clients = vec![Client::sends(&[Frame::Request])];
    falls(Broken::MarkerForCounter, WORK_AWAITED, Setting::of(clients));
}

#[test]
fn actors_stopped_at_once_lose_answers() {
    let clients = vec![Client::sends(&[Frame::Request])];
    falls(Broken::SystemStop, PATIENCE, Setting::of(clients));
}

#[test]
fn written_bytes_are_not_counted_as_read() {
    let clients = vec![Client::sends(&[]).stalls()];
    falls(Broken::WrittenIsRead, EVIDENCE, Setting::of(clients));
}

#[test]
fn frame_behind_the_cut_is_not_admitted() {
    let clients = vec![Client::sends(&[Frame::Request])];
    falls(Broken::AdmitsBehindTheCut, CUT_KEPT, Setting::of(clients));
}

#[test]
fn incomplete_roster_is_never_exit_0() {
    let setting = Setting {
        early_deadlines: 2,
        ..Setting::of(vec![Client::sends(&[]).comes_late()])
    };
    falls(Broken::RosterBelieved, ALL_TOLD, setting);
}

#[test]
fn head_not_sealed_in_time_is_never_exit_0() {
    let setting = Setting {
        early_deadlines: 2,
        ..Setting::of(vec![Client::sends(&[Frame::Publish])])
    };
    falls(Broken::HeadGuessed, NOTHING_LOST, setting);
}

#[test]
fn session_cut_short_after_fim_has_its_missing_range() {
    let setting = Setting {
        waiting: 4,
        ..Setting::of(vec![Client::sends(&[Frame::Fim]).stalls()])
    };
    falls(Broken::CutForgotten, TRUTH, setting);
}

#[test]
fn publish_behind_the_cut_finds_the_log_sealed() {
    let clients = vec![Client::sends(&[Frame::Publish])];
    falls(Broken::AdmitsBehindTheCut, SEAL_LAST, Setting::of(clients));
}

#[test]
fn drain_before_the_seal_is_out_of_order() {
    let clients = vec![Client::sends(&[])];
    falls(
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
    falls(Broken::RefusalAnsweredToo, ANSWERED_ONCE, setting);
}

#[test]
fn stop_without_deadlines_waits_for_ever() {
    let clients = vec![Client::sends(&[]).stalls()];
    falls(Broken::NoDeadlines, ENDS, Setting::of(clients));
}

#[test]
fn session_failed_in_the_stop_is_owed_the_same() {
    let setting = Setting {
        waiting: 4,
        session_panics: 1,
        ..Setting::of(vec![Client::sends(&[Frame::Request]).stalls()])
    };
    falls(Broken::OwedForgotten, TRUTH, setting);
}

#[test]
fn ping_behind_runs_in_work_is_answered_behind_them() {
    let setting = Setting {
        is_journaled: true,
        ..Setting::of(vec![Client::sends(&[Frame::Publish, Frame::Ping])])
    };
    falls(Broken::OrderForgotten, IN_ORDER, setting);
}

#[test]
fn answer_to_a_later_run_is_not_taken_for_the_oldest() {
    let setting = Setting {
        is_journaled: true,
        ..Setting::of(vec![Client::sends(&[Frame::Publish, Frame::Publish])])
    };
    falls(Broken::LaterRunFirst, OWN_SEQ, setting);
}

#[test]
fn publish_in_work_keeps_the_requests_phase_open() {
    let clients = vec![Client::sends(&[Frame::Publish])];
    falls(Broken::RunsUncounted, WORK_AWAITED, Setting::of(clients));
}

#[test]
fn reader_behind_the_log_is_told_of_the_gap() {
    let setting = Setting {
        waiting: 3,
        log_holds: Some(1),
        ..Setting::of(vec![Client::sends(&[])])
    };
    falls(Broken::GapUntold, EXACT, setting);
}

#[test]
fn ack_ahead_of_what_was_sent_has_no_effect() {
    let clients = vec![Client::sends(&[Frame::AckAhead])];
    falls(Broken::AckBelieved, ACKS_TRUE, Setting::of(clients));
}
