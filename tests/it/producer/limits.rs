//! The limit of producers of an account.

use arauto::{Config, Retention};

use super::{expect_published, expect_refused, expect_repeated};
use crate::support::Fixture;

#[test]
fn producer_unused_for_longest_goes_and_others_stay() {
    let fixture = Fixture::with(|config| config.limits.producers = 3);
    let (mut ana, mut rui) = (fixture.client("ana"), fixture.client("rui"));
    for producer in ["a", "b", "c"] {
        expect_published(&mut ana, producer, 5);
        expect_published(&mut rui, producer, 5);
    }
    expect_repeated(&mut ana, "a", 5); // a use
    expect_published(&mut ana, "d", 1); // in the place of b
    for producer in ["a", "c"] {
        expect_refused(&mut ana, producer, 7, "out-of-order");
    }
    expect_published(&mut ana, "b", 5); // published again: it may begin anywhere
    for producer in ["a", "b", "c"] {
        expect_refused(&mut rui, producer, 7, "out-of-order");
    }
    fixture.finish();
}

#[test]
fn producer_that_went_is_not_on_disk_either() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let start = |producers| {
        Fixture::with(|config: &mut Config| {
            config.storage.data = Some(folder.path().join("data"));
            config.storage.journal = Some(Retention::default());
            config.limits.producers = producers;
        })
    };
    let on_disk = || {
        let db = rusqlite::Connection::open(folder.path().join("data/arauto.db")).expect("a db");
        let mut query = db
            .prepare("SELECT name FROM producer ORDER BY name")
            .expect("its table");
        let rows = query
            .query_map([], |row| row.get::<_, String>(0))
            .expect("readable");
        rows.collect::<Result<Vec<_>, _>>().expect("readable")
    };
    let fixture = start(3);
    let mut ana = fixture.client("ana");
    for producer in ["a", "b", "c", "d"] {
        expect_published(&mut ana, producer, 5);
    }
    fixture.finish();
    assert_eq!(on_disk(), ["b", "c", "d"]);

    // With a lower limit the surplus goes when the account publishes next.
    let fixture = start(1);
    let mut ana = fixture.client("ana");
    expect_refused(&mut ana, "b", 7, "out-of-order");
    expect_published(&mut ana, "e", 1);
    for producer in ["b", "c", "d"] {
        expect_published(&mut ana, producer, 5);
    }
    fixture.finish();
    assert_eq!(on_disk(), ["d"]);
}

#[test]
fn more_producers_than_the_limit_in_one_batch_leave_the_last_ones() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fixture = Fixture::with(|config| {
        config.storage.data = Some(folder.path().join("data"));
        config.storage.journal = Some(Retention::default());
        config.limits.producers = 2;
    });
    let mut ana = fixture.client("ana");
    for number in 0..50 {
        ana.send(&super::numbered(&format!("p{number}"), 1, "a"));
    }
    for _ in 0..50 {
        assert!(super::answer(&mut ana).is("published"));
    }
    for producer in ["p48", "p49"] {
        expect_repeated(&mut ana, producer, 1);
    }
    expect_published(&mut ana, "p47", 1);
    fixture.finish();
}
