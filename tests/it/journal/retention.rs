//! Broadcasts that the journal no longer has are named exactly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arauto::{Config, Millis, Retention};

use super::{Data, on_disk, publish, resume, seqs_up_to};
use crate::support::{Fixture, wait_until};

fn bounded(data: &Data, bytes: u64, config: &mut Config) {
    data.journal(config);
    config.storage.journal = Some(Retention {
        bytes,
        ..Retention::default()
    });
    config.limits.log_bytes = 256 << 10;
    config.backpressure.window = 32 << 10;
}

/// Resumes behind 1: the gap's end, of which nothing may be on disk any more.
fn gap_from_2(fixture: &Fixture, stream: &str) -> (crate::support::FrameClient, u64) {
    let mut client = fixture.unauthenticated();
    resume(&mut client, "ana", stream, 1);
    let gap = client.expect("gap");
    assert_eq!(gap.num("from"), 2);
    (client, gap.num("to"))
}

#[test]
fn oldest_rows_are_removed_above_retain_bytes() {
    let data = Data::new();
    let bound = 1 << 20;
    let fixture = Fixture::with(|config| bounded(&data, bound, config));
    let (mut ana, login) = fixture.client_and_login("ana");
    let stream = login.text("stream").to_owned();
    let mut last = 0;
    for _ in 0..400 {
        last = publish(&mut ana, 1, &"x".repeat(8 << 10));
    }
    let (mut late, to) = gap_from_2(&fixture, &stream);
    assert_eq!(
        seqs_up_to(&mut late, last),
        (to + 1..=last).collect::<Vec<_>>()
    );
    let (kept, head) = on_disk(&data.database());
    fixture.finish();
    assert_eq!(head, last);
    let oldest = *kept.keys().next().expect("something is kept");
    assert_eq!(kept.len() as u64, last - oldest + 1, "no hole");
    let bytes: usize = kept.values().map(String::len).sum();
    assert!(bytes as u64 <= bound && bytes as u64 > bound / 2, "{bytes}");
    assert_eq!(oldest, to + 1, "the gap named exactly what was gone");
    let size = std::fs::metadata(data.database()).expect("there").len();
    assert!(size < 2 * bound, "pages are used again: {size}");

    let fixture = Fixture::with(|config| bounded(&data, bound, config));
    let (_late, again) = gap_from_2(&fixture, &stream);
    assert!(again >= to, "and after a restart");
    fixture.finish();
}

/// A server whose system clock says what `now` does.
fn at(data: &Data, now: &Arc<AtomicU64>, age: Duration) -> Fixture {
    let clock = Arc::clone(now);
    Fixture::with(|config| {
        data.journal(config);
        config.storage.journal = Some(Retention {
            bytes: 1 << 30,
            age: Some(age),
            ..Retention::default()
        });
        config.clock = Arc::new(move || Millis(clock.load(Ordering::Relaxed)));
    })
}

const YEAR: u64 = 365 * 24 * 60 * 60 * 1000;

/// The system's clock at the beginning of a test, which may be set.
fn clock() -> Arc<AtomicU64> {
    Arc::new(AtomicU64::new(56 * YEAR))
}

#[test]
fn oldest_rows_are_removed_after_retain_age() {
    let (data, now) = (Data::new(), clock());
    let age = Duration::from_millis(500);
    let fixture = at(&data, &now, age);
    let (mut ana, login) = fixture.client_and_login("ana");
    let stream = login.text("stream").to_owned();
    let last = publish(&mut ana, 10, "old");
    // Nobody publishes: retention works all the same.
    wait_until("all rows are gone", || {
        on_disk(&data.database()).0.is_empty()
    });
    assert_eq!(on_disk(&data.database()).1, last);
    fixture.finish();

    let fixture = at(&data, &now, Duration::from_secs(3600));
    let mut late = fixture.unauthenticated();
    let login = resume(&mut late, "ana", &stream, 1);
    assert_eq!((login.text("stream"), login.num("seq")), (&*stream, 1));
    let gap = late.expect("gap");
    assert_eq!(gap.num("from"), 2);
    assert!(gap.num("to") >= last, "ana's `left` may be too old as well");
    let next = late.skip_to("joined").num("seq");
    assert_eq!(next, last + 2, "seqs go on behind ana's `left`");
    fixture.finish();
}

#[test]
fn clock_set_ahead_removes_no_row_in_the_run_or_after() {
    let (data, now) = (Data::new(), clock());
    let age = Duration::from_secs(30 * 24 * 60 * 60);
    let fixture = at(&data, &now, age);
    let (mut ana, login) = fixture.client_and_login("ana");
    let first = publish(&mut ana, 10, "young");
    now.fetch_add(10 * YEAR, Ordering::Relaxed);
    let last = publish(&mut ana, 10, "ten years later");
    ana.fim();
    fixture.finish();

    let fixture = at(&data, &now, age);
    now.fetch_add(10 * YEAR, Ordering::Relaxed);
    let mut late = fixture.unauthenticated();
    resume(&mut late, "ana", login.text("stream"), 1);
    publish(&mut fixture.client("rui"), 1, "retention has looked at it");
    assert_eq!(seqs_up_to(&mut late, last), (2..=last).collect::<Vec<_>>());
    assert!(first < last);
    fixture.finish();
}

#[test]
fn rows_from_the_future_are_removed_after_their_age() {
    let (data, now) = (Data::new(), clock());
    now.fetch_add(10 * YEAR, Ordering::Relaxed);
    let long = Duration::from_secs(30 * 24 * 60 * 60);
    let fixture = at(&data, &now, long);
    let last = publish(&mut fixture.client("ana"), 10, "from the future");
    fixture.finish();

    now.fetch_sub(10 * YEAR, Ordering::Relaxed);
    let fixture = at(&data, &now, Duration::from_millis(500));
    let mut ana = fixture.client("ana");
    publish(&mut ana, 10, "from now");
    wait_until("all rows are gone", || {
        on_disk(&data.database()).0.is_empty()
    });
    assert!(on_disk(&data.database()).1 > last);
    drop(ana);
    fixture.finish();
}
