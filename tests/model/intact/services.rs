//! Services: calls that are answered, held, dropped or late, and the stop.

use super::check;
use crate::setting::{Client, Frame, Setting};

/// Returns a client that offers the service for one call at a time, and sends these frames.
fn responder(frames: &[Frame]) -> Client {
    Client::sends(frames).offers(1)
}

fn caller() -> Client {
    Client::sends(&[Frame::Call])
}

#[test]
fn calls_before_a_stop_are_answered_behind_it() {
    let setting = Setting::of(vec![
        responder(&[Frame::Answer, Frame::Fail]),
        Client::sends(&[Frame::Call, Frame::Call]),
    ]);
    check("services", setting, 7_800);
}

#[test]
fn call_against_an_offer_is_answered_or_refused() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Offer, Frame::Answer]),
        caller(),
    ]);
    check("offer", setting, 5_000);
}

#[test]
fn withdrawn_and_closing_wait_for_the_last_call() {
    let setting = Setting::of(vec![
        responder(&[Frame::Withdraw, Frame::Answer, Frame::Fim]),
        caller(),
    ]);
    check("withdraw", setting, 16_000);
}

#[test]
#[ignore = "slow without optimization; `just model` runs it"]
fn responder_that_says_fim_answers_the_calls_that_it_has() {
    let setting = Setting::of(vec![
        responder(&[Frame::Fim, Frame::Answer]),
        Client::sends(&[Frame::Call, Frame::Call]),
    ]);
    check("fim of a responder", setting, 94_000);
}

#[test]
fn caller_that_says_fim_gets_its_answers() {
    let setting = Setting::of(vec![
        responder(&[Frame::Answer]),
        Client::sends(&[Frame::Call, Frame::Ping, Frame::Fim]),
    ]);
    check("fim of a caller", setting, 25_000);
}

#[test]
fn answer_against_a_deadline_counts_or_is_ignored() {
    let setting = Setting {
        early_timeouts: 1,
        ..Setting::of(vec![
            responder(&[Frame::Answer, Frame::Answer]),
            Client::sends(&[Frame::Call, Frame::Call]),
        ])
    };
    check("deadline of a call", setting, 53_000);
}

#[test]
fn responder_that_never_answers_costs_no_more_than_the_phase() {
    let setting = Setting::of(vec![
        responder(&[]),
        Client::sends(&[Frame::Call, Frame::Call]),
    ]);
    check("no answer", setting, 2_400);
}

#[test]
fn responder_that_reads_nothing_costs_no_more_than_the_phase() {
    let setting = Setting {
        waiting: 4,
        early_timeouts: 1,
        ..Setting::of(vec![responder(&[]).stalls(), caller()])
    };
    check("stalled responder", setting, 35_000);
}

#[test]
fn call_of_a_caller_that_leaves_is_cancelled() {
    let setting = Setting::of(vec![
        responder(&[Frame::Answer, Frame::Answer]),
        Client::sends(&[Frame::Call, Frame::Call]).may_break(),
    ]);
    check("caller leaves", setting, 89_000);
}

#[test]
fn caller_that_closes_its_side_gets_its_answers() {
    let setting = Setting::of(vec![
        responder(&[Frame::Answer]),
        Client::sends(&[Frame::Call]).may_hang_up(),
    ]);
    check("caller hangs up", setting, 7_000);
}

#[test]
#[ignore = "slow without optimization; `just model` runs it"]
fn calls_of_a_responder_that_leaves_go_on_only_if_unsent() {
    let setting = Setting::of(vec![
        responder(&[Frame::Answer]).may_break(),
        responder(&[Frame::Answer]),
        caller(),
    ]);
    check("responder leaves", setting, 220_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn call_beside_a_responder_that_says_fim_is_answered() {
    let setting = Setting::of(vec![
        responder(&[Frame::Fim, Frame::Answer]),
        responder(&[Frame::Answer]),
        caller(),
    ]);
    check("responder restarts", setting, 540_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn calls_of_two_callers_are_answered_to_their_own() {
    let setting = Setting::of(vec![
        responder(&[Frame::Answer, Frame::Fail]),
        caller(),
        caller().may_break(),
    ]);
    check("two callers", setting, 2_100_000);
}

#[test]
#[ignore = "slow without optimization; `just model` runs it"]
fn responder_that_closes_its_side_answers_no_more() {
    let setting = Setting::of(vec![
        responder(&[Frame::Answer]).may_hang_up(),
        Client::sends(&[Frame::Call, Frame::Call]),
    ]);
    check("responder hangs up", setting, 80_000);
}

#[test]
fn panic_of_a_responder_makes_its_call_unavailable() {
    let setting = Setting {
        session_panics: 1,
        ..Setting::of(vec![responder(&[Frame::Request, Frame::Answer]), caller()])
    };
    check("panic of a responder", setting, 44_000);
}

#[test]
fn answer_of_a_foreign_session_is_ignored() {
    let setting = Setting::of(vec![
        responder(&[Frame::Answer]),
        Client::sends(&[Frame::Call, Frame::AnswerTo(1)]),
    ]);
    check("foreign answer", setting, 2_600);
}

#[test]
fn calls_cut_short_by_a_deadline_are_reported() {
    let setting = Setting {
        early_deadlines: 1,
        ..Setting::of(vec![responder(&[Frame::Answer]), caller()])
    };
    check("services and deadlines", setting, 21_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn calls_cut_short_by_signals_are_reported() {
    let setting = Setting {
        signals: 3,
        ..Setting::of(vec![responder(&[Frame::Answer]), caller()])
    };
    check("services and signals", setting, 780_000);
}
