//! Sessions with a filter, messages to one user, and rules that change.

use super::check;
use crate::routes::Topic;
use crate::setting::{Client, Frame, Setting};

#[test]
#[ignore = "slow without optimization; `just model` runs it"]
fn filtered_session_gets_its_own_and_is_told_the_rest() {
    let setting = Setting {
        passes: 1,
        ..Setting::of(vec![
            Client::sends(&[Frame::Post(Topic::A), Frame::Post(Topic::B)]),
            Client::sends(&[]).filters(&[Topic::A]),
        ])
    };
    check("filters", setting, 130_000);
}

#[test]
fn message_to_one_user_reaches_its_sessions_alone() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Tell(1), Frame::Tell(0)]),
        Client::sends(&[]).filters(&[Topic::A]),
    ]);
    check("messages to one user", setting, 54_000);
}

#[test]
#[ignore = "slow without optimization; `just model` runs it"]
fn filter_that_changes_misses_nothing_behind_the_answer() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Post(Topic::A)]),
        Client::sends(&[Frame::Subscribe(Topic::A), Frame::Fim]).filters(&[Topic::B]),
    ]);
    check("subscribe", setting, 320_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn broadcast_denied_by_a_changed_rule_is_passed_over() {
    let setting = Setting {
        rule_changes: 2,
        ..Setting::of(vec![
            Client::sends(&[Frame::Post(Topic::A), Frame::Post(Topic::A)]),
            Client::sends(&[]).filters(&[Topic::A]),
        ])
    };
    check("rules", setting, 760_000);
}

#[test]
#[ignore = "slow without optimization; `just model` runs it"]
fn stalled_filtered_session_has_its_missing_range() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Post(Topic::B), Frame::Post(Topic::A)]),
        Client::sends(&[Frame::Ping, Frame::Ping])
            .stalls()
            .filters(&[Topic::A]),
    ]);
    check("stalled filter", setting, 300_000);
}

#[test]
fn filtered_session_that_falls_off_the_log_is_told_of_its_gaps() {
    let setting = Setting {
        log_holds: Some(1),
        ..Setting::of(vec![
            Client::sends(&[Frame::Post(Topic::A), Frame::Post(Topic::A)]),
            Client::sends(&[]).filters(&[Topic::A]),
        ])
    };
    check("gaps of a filter", setting, 110_000);
}

#[test]
#[ignore = "slow without optimization; `just model` runs it"]
fn passed_names_only_what_the_journal_has() {
    let setting = Setting {
        is_journaled: true,
        disk_failures: 1,
        passes: 1,
        ..Setting::of(vec![
            Client::sends(&[Frame::Post(Topic::B), Frame::Ping, Frame::Post(Topic::A)]),
            Client::sends(&[]).filters(&[Topic::A]),
        ])
    };
    check("filters with a journal", setting, 190_000);
}
