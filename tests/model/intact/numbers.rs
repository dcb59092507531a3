//! Messages with a producer's number that are sent again.

use super::check;
use crate::setting::{Client, Frame, Setting};

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn number_sent_again_after_a_lost_connection_is_published_once() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Numbered(1)]).may_break(),
        Client::sends(&[Frame::Numbered(1)]).shares_user_of(0),
    ]);
    check("number again", setting, 660_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn number_sent_again_over_a_journal_is_answered_once_it_is_on_disk() {
    let frames = [Frame::Numbered(1)];
    let setting = Setting {
        is_journaled: true,
        disk_failures: 1,
        ..Setting::of(vec![
            Client::sends(&frames),
            Client::sends(&frames).shares_user_of(0),
        ])
    };
    check("number again with a journal", setting, 280_000);
}

#[test]
fn number_sent_again_by_its_session_is_published_once() {
    let frames = [
        Frame::Numbered(1),
        Frame::Ping,
        Frame::Numbered(1),
        Frame::Numbered(2),
    ];
    let setting = Setting {
        is_journaled: true,
        disk_failures: 1,
        ..Setting::of(vec![Client::sends(&frames)])
    };
    check("number again in its session", setting, 48_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn number_sent_again_after_a_kill_is_published_once() {
    let setting = Setting {
        is_journaled: true,
        kills: 1,
        ..Setting::of(vec![
            Client::sends(&[Frame::Numbered(1)]),
            Client::sends(&[Frame::Login, Frame::Numbered(1)])
                .comes_late()
                .shares_user_of(0),
        ])
    };
    check("number again after a kill", setting, 2_370_000);
}
