//! Broken rules about services.

use super::assert_found;
use crate::broken::Broken;
use crate::properties::services::{
    AWAITED, CAUSE, DRAINED, ENDED_ONCE, HELD_TO_END, IN_TIME, OWN_ANSWER, RECORDED, RELEASED,
    SENT_ONCE,
};
use crate::properties::{NOTHING_LOST, WORK_AWAITED};
use crate::setting::{Client, Frame, Setting};

/// Returns a setting of a session that answers one call, and its caller.
fn one_call() -> Setting {
    Setting::of(vec![
        Client::sends(&[Frame::Answer]).offers(1),
        Client::sends(&[Frame::Call]),
    ])
}

/// Returns the same, where the session that has the call may break its connection.
fn one_call_may_be_lost() -> Setting {
    let mut setting = one_call();
    setting.clients[0].may_break = true;
    setting
}

/// Returns the same, where another session offers the service later.
fn one_call_of_two_sessions() -> Setting {
    Setting::of(vec![
        Client::sends(&[]).offers(1).may_break(),
        Client::sends(&[Frame::Answer]).offers(1),
        Client::sends(&[Frame::Call]),
    ])
}

#[test]
fn call_in_work_keeps_the_requests_phase_open() {
    assert_found(Broken::CallsUncounted, WORK_AWAITED, one_call());
}

#[test]
fn answer_behind_the_cut_ends_the_requests_phase() {
    assert_found(Broken::AnswersBehindTheCutDropped, AWAITED, one_call());
}

#[test]
fn responders_that_end_before_their_callers_lose_calls() {
    assert_found(Broken::RespondersEndFirst, HELD_TO_END, one_call());
}

#[test]
fn call_that_waits_for_a_place_needs_the_offer_in_the_stop() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Answer, Frame::Answer]).offers(1),
        Client::sends(&[Frame::Call, Frame::Call]),
    ]);
    assert_found(Broken::RespondersEndFirst, CAUSE, setting);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn caller_is_told_that_the_session_with_its_call_has_ended() {
    assert_found(Broken::HeldCallForgotten, AWAITED, one_call_may_be_lost());
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn held_call_is_sent_to_no_second_session() {
    let setting = one_call_of_two_sessions();
    assert_found(Broken::HeldCallMadeAgain, SENT_ONCE, setting);
}

#[test]
fn held_call_that_is_made_again_ends_twice() {
    let setting = one_call_may_be_lost();
    assert_found(Broken::HeldCallMadeAgain, ENDED_ONCE, setting);
}

#[test]
fn answer_of_another_session_is_not_taken() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Answer]).offers(1),
        Client::sends(&[Frame::Call, Frame::AnswerTo(1)]),
    ]);
    assert_found(Broken::ForeignAnswerTaken, OWN_ANSWER, setting);
}

#[test]
fn call_without_an_answer_ends_at_its_deadline() {
    let setting = Setting {
        early_timeouts: 1,
        ..Setting::of(vec![
            Client::sends(&[]).offers(1),
            Client::sends(&[Frame::Call]),
        ])
    };
    assert_found(Broken::DeadlinesForgotten, IN_TIME, setting);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn report_tells_a_passed_deadline_from_a_caller_that_left() {
    let setting = Setting {
        early_timeouts: 1,
        ..one_call()
    };
    assert_found(Broken::DeadlinesMisrecorded, RECORDED, setting);
}

#[test]
fn withdrawal_leaves_the_calls_in_work() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Withdraw, Frame::Answer]).offers(1),
        Client::sends(&[Frame::Call]),
    ]);
    assert_found(Broken::WithdrawalDropsCalls, HELD_TO_END, setting);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn closing_behind_fim_waits_for_the_sessions_own_calls() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Answer]).offers(1),
        Client::sends(&[Frame::Call, Frame::Fim]),
    ]);
    assert_found(Broken::ClosingBeforeCalls, NOTHING_LOST, setting);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn closing_behind_fim_waits_for_the_calls_to_answer() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Fim, Frame::Answer]).offers(1),
        Client::sends(&[Frame::Call]),
    ]);
    assert_found(Broken::ClosingBeforeCalls, DRAINED, setting);
}

#[test]
fn call_of_a_caller_that_has_left_is_taken_back() {
    let setting = Setting::of(vec![
        Client::sends(&[]).offers(1),
        Client::sends(&[Frame::Call]).may_break(),
    ]);
    assert_found(Broken::CallsOfLeaverStay, RELEASED, setting);
}
