use proptest::prelude::*;

use super::*;

const HOUR: u64 = 60 * 60 * 1000;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;
/// The time that a correct wall clock shows when the run begins.
const START: u64 = 56 * YEAR;

fn reading(wall: u64, run: u64) -> ClockReading {
    ClockReading {
        wall: Millis(wall),
        monotonic: Duration::from_millis(run),
    }
}

fn days(count: u64) -> Option<Duration> {
    Some(Duration::from_millis(count * DAY))
}

/// Returns the ages of a journal that is created in this run.
fn fresh(limit: Option<Duration>) -> Ages {
    let mut ages = Ages::new(limit, Seq::ZERO);
    ages.begin_run(None, reading(START, 0));
    ages
}

/// Returns the ages of a journal from an earlier run: one row for each stamp, the newest
/// broadcast at `at` by the wall clock, and `start` the wall clock's time at this run's start.
fn reopened(limit: Option<Duration>, stamps: &[u64], at: u64, start: u64) -> Ages {
    let newest = stamps.last().map(|stamp| NewestTime {
        stamp: Millis(*stamp),
        at: Millis(at),
    });
    let mut ages = Ages::new(limit, Seq(stamps.len() as u64));
    for (seq, stamp) in (1..).zip(stamps) {
        ages.note(Seq(seq), Millis(*stamp));
    }
    ages.begin_run(newest, reading(start, 0));
    ages
}

fn last_expired(ages: &Ages, run: u64) -> u64 {
    ages.last_expired(Duration::from_millis(run)).0
}

fn write(ages: &mut Ages, seq: u64, run: u64) {
    let stamp = ages.stamp(Duration::from_millis(run));
    ages.note(Seq(seq), stamp);
}

#[test]
fn row_is_too_old_once_the_age_has_passed() {
    let mut ages = fresh(days(30));
    write(&mut ages, 1, 0);
    write(&mut ages, 2, 10 * DAY);
    assert_eq!(last_expired(&ages, 30 * DAY), 0);
    assert_eq!(last_expired(&ages, 30 * DAY + 1), 1);
    assert_eq!(last_expired(&ages, 41 * DAY), 2);
    ages.forget(Seq(1));
    assert!(!ages.has_expired(Seq(1), Duration::from_millis(39 * DAY)));
}

#[test]
fn clock_set_ahead_in_the_run_removes_no_row() {
    let mut ages = fresh(days(30));
    write(&mut ages, 1, 0);
    let jump = ages.observe(reading(START + 10 * YEAR, HOUR));
    assert!(jump.is_some_and(|jump| jump.millis > 0));
    assert_eq!(
        ages.observe(reading(START + 10 * YEAR + HOUR, 2 * HOUR)),
        None
    );
    assert_eq!(last_expired(&ages, 29 * DAY), 0);
    assert_eq!(last_expired(&ages, 31 * DAY), 1);
}

#[test]
fn clock_set_back_in_the_run_keeps_no_row_longer() {
    let mut ages = fresh(days(30));
    write(&mut ages, 1, 0);
    let jump = ages.observe(reading(START - 10 * YEAR, HOUR));
    assert!(jump.is_some_and(|jump| jump.millis < 0));
    write(&mut ages, 2, 2 * HOUR);
    assert_eq!(last_expired(&ages, 31 * DAY), 2);
}

#[test]
fn time_without_a_server_counts_once_the_clock_is_steady() {
    let mut ages = reopened(
        days(30),
        &[START, START + 20 * DAY],
        START + 20 * DAY,
        START + 40 * DAY,
    );
    assert_eq!(
        last_expired(&ages, 1),
        0,
        "the clock is not yet known to be right"
    );
    for minute in 0..60 {
        let run = minute * 60_000;
        assert_eq!(ages.observe(reading(START + 40 * DAY + run, run)), None);
    }
    assert_eq!(last_expired(&ages, HOUR), 1);
    assert_eq!(last_expired(&ages, 11 * DAY), 2);
}

#[test]
fn clock_ahead_at_start_then_corrected_removes_no_row() {
    let stamps = [START, START + DAY];
    let mut ages = reopened(days(30), &stamps, START + DAY, START + DAY + 10 * YEAR);
    write(&mut ages, 3, 1000);
    let right = START + DAY + 2000;
    assert!(ages.observe(reading(right, 2000)).is_some());
    assert_eq!(ages.stamp(Duration::from_millis(2000)), Millis(right));
    assert_eq!(last_expired(&ages, 2 * HOUR), 0);
    assert_eq!(last_expired(&ages, 29 * DAY), 0);
    assert_eq!(last_expired(&ages, 31 * DAY), 3);
}

#[test]
fn row_from_the_future_is_as_old_as_the_row_behind_it() {
    let stamps = [START, START + 10 * YEAR, START + DAY];
    let ages = reopened(days(30), &stamps, START + DAY, START + DAY);
    assert_eq!(last_expired(&ages, 29 * DAY + HOUR), 1);
    assert_eq!(last_expired(&ages, 31 * DAY), 3);
}

#[test]
fn newest_row_from_the_future_ages_with_the_run() {
    let stamps = [START, START + 10 * YEAR];
    let mut ages = reopened(days(30), &stamps, START + 10 * YEAR, START + DAY);
    write(&mut ages, 3, 1000);
    assert_eq!(last_expired(&ages, 28 * DAY), 0);
    assert_eq!(last_expired(&ages, 31 * DAY), 3);
}

#[test]
fn clock_that_was_wrong_in_a_former_run_makes_no_row_old() {
    // The clock stood at 1970 at the start and was corrected during the run, so the stamps
    // continue from 1970.
    let stamps = [1000, 2000];
    let ages = reopened(days(30), &stamps, START + 3000, START + DAY);
    assert_eq!(last_expired(&ages, 2 * HOUR), 0);
    assert_eq!(last_expired(&ages, 31 * DAY), 2);
}

#[test]
fn many_rows_have_few_marks_and_none_expires_early() {
    let mut ages = fresh(days(30));
    for seq in 1..=100_000 {
        write(&mut ages, seq, seq * 60_000);
        assert!(ages.marks.len() <= MAX_MARKS);
    }
    let now = 100_000 * 60_000;
    let old = last_expired(&ages, now);
    let exact = (now - 30 * DAY) / 60_000;
    assert!(
        old <= exact && old * 60_000 + DAY / 4 > now - 30 * DAY,
        "{old} of {exact}"
    );
}

#[test]
fn row_without_an_age_limit_never_expires() {
    let mut ages = fresh(None);
    write(&mut ages, 1, 0);
    assert_eq!(last_expired(&ages, u64::MAX), 0);
}

proptest! {
    /// However the wall clock jumps, a row of this run expires after the age limit and at most
    /// one step later.
    #[test]
    fn row_age_is_exact_whatever_the_clock_says(
        jumps in prop::collection::vec((1_u64..3_600_000, 0_u64..4 * START), 1..60),
    ) {
        let limit = HOUR;
        let mut ages = fresh(Some(Duration::from_millis(limit)));
        let (mut run, mut written) = (0, Vec::new());
        for (seq, (pause, wall)) in (1..).zip(jumps) {
            run += pause;
            ages.observe(reading(wall, run));
            write(&mut ages, seq, run);
            written.push(run);
            let old = usize::try_from(last_expired(&ages, run)).expect("there are few");
            prop_assert!(written[..old].iter().all(|at| run - at > limit));
            prop_assert!(written[old..].iter().all(|at| run - at <= limit + limit / 256 + 1));
        }
    }
}
