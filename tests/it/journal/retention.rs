//! What the journal no longer keeps is named, exactly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arauto::{Config, Millis, Retention};

use super::{Data, heard, on_disk, publish, resume};
use crate::support::{Fixture, wait_until};

fn bounded(data: &Data, bytes: u64, config: &mut Config) {
    data.journal(config);
    config.journal = Some(Retention { bytes, age: None });
    config.log.bytes = 256 << 10;
    config.log.pace.window = 32 << 10;
}

/// Resumes behind 1: the gap's end, of which nothing may be on disk any more.
fn gap_from_2(fixture: &Fixture, stream: &str) -> (crate::support::Raw, u64) {
    let mut client = fixture.visitor();
    resume(&mut client, "ana", stream, 1);
    let gap = client.expect("gap");
    assert_eq!(gap.num("from"), 2);
    (client, gap.num("to"))
}

#[test]
fn the_oldest_go_when_there_are_too_many_bytes() {
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
    assert_eq!(heard(&mut late, last), (to + 1..=last).collect::<Vec<_>>());
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

#[test]
fn the_oldest_go_when_they_are_too_old_and_the_next_seq_stays_right() {
    let data = Data::new();
    let now = Arc::new(AtomicU64::new(1_000_000));
    let start = |now: &Arc<AtomicU64>| {
        let clock = Arc::clone(now);
        Fixture::with(|config| {
            data.journal(config);
            let age = Some(Duration::from_secs(60));
            config.journal = Some(Retention {
                bytes: 1 << 30,
                age,
            });
            config.clock = Arc::new(move || Millis(clock.load(Ordering::Relaxed)));
        })
    };
    let fixture = start(&now);
    let (mut ana, login) = fixture.client_and_login("ana");
    let stream = login.text("stream").to_owned();
    let last = publish(&mut ana, 10, "old");
    now.fetch_add(61_000, Ordering::Relaxed);
    // Nobody publishes: retention works all the same.
    wait_until("all rows are gone", || {
        on_disk(&data.database()).0.is_empty()
    });
    assert_eq!(on_disk(&data.database()).1, last);
    ana.fim(); // its `left` is last + 1
    fixture.finish();

    let fixture = start(&now);
    let mut late = fixture.visitor();
    let login = resume(&mut late, "ana", &stream, 1);
    assert_eq!((login.text("stream"), login.num("seq")), (&*stream, 1));
    let gap = late.expect("gap");
    assert_eq!((gap.num("from"), gap.num("to")), (2, last));
    assert_eq!(late.expect("left").num("seq"), last + 1);
    assert_eq!(late.expect("joined").num("seq"), last + 2, "seqs go on");
    fixture.finish();
}
