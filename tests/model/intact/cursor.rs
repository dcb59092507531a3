//! The order of a cursor's commits, the journal's commits, and the stop.

use super::check;
use crate::setting::{Client, Frame, Setting};

#[test]
fn acks_are_stored_when_the_hub_has_stopped() {
    let setting = Setting {
        is_journaled: true,
        disk_failures: 1,
        early_deadlines: 1,
        ..Setting::of(vec![
            Client::sends(&[Frame::Publish, Frame::Ack, Frame::AckAhead]).has_cursor(),
        ])
    };
    check("cursor", setting, 66_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn cursor_taken_over_is_moved_by_its_new_session_only() {
    let setting = Setting {
        waiting: 1,
        is_journaled: true,
        ..Setting::of(vec![
            Client::sends(&[Frame::Ack]).has_cursor(),
            Client::sends(&[Frame::LoginWithCursor]).comes_late(),
        ])
    };
    check("cursor taken over", setting, 650_000);
}

#[test]
#[ignore = "slow without optimization; `just model` runs it"]
fn cursor_is_not_ahead_after_a_kill() {
    let setting = Setting {
        is_journaled: true,
        kills: 1,
        ..Setting::of(vec![
            Client::sends(&[Frame::Publish, Frame::Ack, Frame::Ack]).has_cursor(),
            Client::sends(&[]).comes_late(),
        ])
    };
    check("cursor and kill", setting, 178_000);
}
