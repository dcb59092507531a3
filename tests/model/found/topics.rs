//! Broken rules about filters, rules and messages to one user.

use super::assert_found;
use crate::broken::Broken;
use crate::properties::{EXACT, NOTHING_LOST, ONLY_OWN, RULES_KEPT};
use crate::routes::Topic;
use crate::setting::{Client, Frame, Setting};

#[test]
fn filtered_session_at_the_cut_is_told_by_passed() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Post(Topic::B)]),
        Client::sends(&[]).filters(&[Topic::A]),
    ]);
    assert_found(Broken::PassedUntold, NOTHING_LOST, setting);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn passed_ahead_of_the_journal_hides_a_broadcast() {
    let setting = Setting {
        is_journaled: true,
        disk_failures: 1,
        passes: 1,
        ..Setting::of(vec![
            Client::sends(&[Frame::Publish, Frame::Ping, Frame::Publish]),
            Client::sends(&[]).filters(&[Topic::A]),
        ])
    };
    assert_found(Broken::PassedUncommitted, EXACT, setting);
}

#[test]
fn rules_of_the_login_let_a_denied_broadcast_through() {
    let setting = Setting {
        rule_changes: 1,
        ..Setting::of(vec![
            Client::sends(&[Frame::Post(Topic::A)]),
            Client::sends(&[]),
        ])
    };
    assert_found(Broken::RulesOfLogin, RULES_KEPT, setting);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn subscribed_below_the_filters_begin_hides_a_broadcast() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Post(Topic::A)]),
        Client::sends(&[Frame::Subscribe(Topic::A)]).filters(&[Topic::B]),
    ]);
    assert_found(Broken::SubscribedEarly, EXACT, setting);
}

#[test]
fn message_to_one_user_is_not_sent_to_others() {
    let setting = Setting::of(vec![Client::sends(&[Frame::Tell(0)]), Client::sends(&[])]);
    assert_found(Broken::DirectToAll, ONLY_OWN, setting);
}
