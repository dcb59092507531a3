//! Broken rules about the numbers of producers.

use super::{assert_broken_found, assert_found};
use crate::broken::Broken;
use crate::properties::numbers::ONCE;
use crate::properties::{ON_DISK, OWN_SEQ};
use crate::setting::{Client, Frame, Setting};

/// Returns a setting in which two sessions of one user send a number.
fn twice() -> Setting {
    let frames = [Frame::Numbered(1)];
    Setting {
        is_journaled: true,
        ..Setting::of(vec![
            Client::sends(&frames),
            Client::sends(&frames).shares_user_of(0),
        ])
    }
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn numbers_stored_behind_their_messages_are_lost_in_a_kill() {
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
    // With intact rules: intact::numbers::number_sent_again_after_a_kill_is_published_once.
    assert_broken_found(Broken::NumbersStoredLater, ONCE, setting);
}

#[test]
fn numbers_of_a_failed_batch_are_free_again() {
    let frames = [Frame::Numbered(1), Frame::Ping, Frame::Numbered(1)];
    let setting = Setting {
        is_journaled: true,
        disk_failures: 1,
        ..Setting::of(vec![Client::sends(&frames)])
    };
    assert_found(Broken::FailedNumbersTaken, OWN_SEQ, setting);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn repeat_is_answered_behind_the_commit_of_its_message() {
    assert_found(Broken::RepeatUnawaited, ON_DISK, twice());
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn numbers_of_a_session_are_published_twice() {
    assert_found(Broken::NumbersOfSession, ONCE, twice());
}
