//! Retention keeps broadcasts for cursors: up to a bound, and beyond it the client is told.

use arauto::{Config, Retention};
use tempfile::TempDir;

use super::{heard, open};
use crate::support::{Fixture, FrameClient, Served, arauto, finish, watchdog};

const BYTES: u64 = 256 << 10;

fn start(folder: &TempDir, hold: u64) -> Fixture {
    Fixture::with(|config: &mut Config| {
        config.storage.data = Some(folder.path().join("data"));
        config.storage.journal = Some(Retention {
            bytes: BYTES,
            cursor_hold: hold,
            ..Retention::default()
        });
        config.limits.log_bytes = 256 << 10;
        config.backpressure.window = 32 << 10;
    })
}

/// A session that has come back to its cursor, 800 KiB later.
struct Back {
    fixture: Fixture,
    rui: FrameClient,
    /// The cursor, and the last seq.
    begin: u64,
    last: u64,
    _folder: TempDir,
}

fn come_back(hold: u64) -> Back {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fixture = start(&folder, hold);
    let mut ana = fixture.client("ana");
    let mut rui = fixture.unauthenticated();
    open(&mut rui, "rui", "c");
    rui.fim();
    drop(rui);
    let body = "x".repeat(8 << 10);
    let mut last = 0;
    for id in 0..100 {
        ana.publish(id, &body);
        last = ana.skip_to("published").num("seq");
    }
    let mut rui = fixture.unauthenticated();
    let begin = open(&mut rui, "rui", "c").num("seq");
    Back {
        fixture,
        rui,
        begin,
        last,
        _folder: folder,
    }
}

#[test]
fn retention_waits_for_a_cursor_within_cursor_hold() {
    let mut back = come_back(1 << 20);
    let expected: Vec<u64> = (back.begin + 1..=back.last).collect();
    assert_eq!(heard(&mut back.rui, back.last), expected, "nothing is lost");
    drop(back.rui);
    back.fixture.finish();
}

#[test]
fn cursor_beyond_cursor_hold_is_told_its_gap() {
    let mut lost = Vec::new();
    for hold in [0, BYTES] {
        let mut back = come_back(hold);
        let gap = back.rui.expect("gap");
        assert_eq!(gap.num("from"), back.begin + 1);
        let to = gap.num("to");
        let expected: Vec<u64> = (to + 1..=back.last).collect();
        assert_eq!(heard(&mut back.rui, back.last), expected);
        lost.push(to);
        drop(back.rui);
        back.fixture.finish();
    }
    assert!(lost[1] + 20 < lost[0], "more is held: {lost:?}");
}

#[test]
fn cursor_hold_needs_a_journal() {
    let mut serve = arauto(&["serve", "--cursor-hold", "1MiB", "--data", "none"]);
    finish(&mut serve, "").expect_failure(78, &["cursor-hold", "--journal"]);
    let _watchdog = watchdog();
    let served = Served::new(&["--journal", "--no-console", "--cursor-hold", "1MiB"]);
    served.stop();
}
