//! Broken rules about cursors.

use super::assert_found;
use crate::broken::Broken;
use crate::properties::cursor::{ACKS_STORED, BEHIND_JOURNAL, TOLD_ON_DISK, TRUE};
use crate::setting::{Client, Frame, Setting};

/// Returns a setting of one client, which has the cursor.
fn with_cursor(frames: &[Frame]) -> Setting {
    Setting {
        is_journaled: true,
        ..Setting::of(vec![Client::sends(frames).has_cursor()])
    }
}

#[test]
fn acks_that_the_hub_leaves_at_its_stop_are_lost() {
    let setting = with_cursor(&[Frame::Publish, Frame::Ack]);
    assert_found(Broken::AcksLeftAtStop, ACKS_STORED, setting);
}

#[test]
fn acks_of_a_failed_batch_are_written_again() {
    let setting = Setting {
        disk_failures: 1,
        ..with_cursor(&[Frame::Publish, Frame::Ack])
    };
    assert_found(Broken::FailedAcksForgotten, ACKS_STORED, setting);
}

#[test]
fn login_with_a_cursor_waits_for_the_disk() {
    let setting = Setting {
        is_journaled: true,
        ..Setting::of(vec![Client::sends(&[Frame::LoginWithCursor]).comes_late()])
    };
    assert_found(Broken::CursorUnawaited, TOLD_ON_DISK, setting);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn superseded_session_does_not_move_the_cursor() {
    let first = Client::sends(&[Frame::Ack]).has_cursor();
    let setting = Setting {
        waiting: 1,
        ..Setting::of(vec![
            first,
            Client::sends(&[Frame::LoginWithCursor]).comes_late(),
        ])
    };
    assert_found(Broken::SupersededAcks, TRUE, setting);
}

#[test]
fn ack_ahead_does_not_move_the_cursor_beyond_the_journal() {
    let setting = with_cursor(&[Frame::AckAhead]);
    assert_found(Broken::AckBelieved, BEHIND_JOURNAL, setting);
}
