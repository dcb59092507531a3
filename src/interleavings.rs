//! Runs a scenario of several threads under many schedules (shuttle), for the tests
//! modules called `interleavings`.
//!
//! A schedule in which no thread can go on ends the test: a reader that sleeps for ever is a
//! deadlock. A failure prints its schedule for `shuttle::replay`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::panicking;
use std::time::Instant;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};

/// Schedules of each kind, unless `ARAUTO_SCHEDULES` is set.
const SCHEDULES: usize = 100_000;

/// The depths of PCT: one more than the tasks that it delays. A short scenario needs a small
/// depth, a long one a large depth.
const DEPTHS: [usize; 4] = [2, 3, 4, 6];

/// Runs a scenario under schedules that delay a task at a few places, for as long as others can
/// go on (PCT), and under as many random schedules.
pub fn explore(scenario: fn()) {
    search(&Config::new(), scenario);
}

/// Checks that a scenario finds a fault: with the fault built in, the search fails with
/// `symptom`.
pub fn expect_found(symptom: &str, broken: fn()) {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    let found = catch_unwind(AssertUnwindSafe(|| search(&config, broken)));
    let panic = found.expect_err("the fault was not found");
    let message = message(&*panic);
    assert!(message.contains(symptom), "{message}");
}

fn search(config: &Config, scenario: fn()) {
    let schedules = schedules();
    for depth in DEPTHS {
        let pct = PctScheduler::new(depth, schedules / DEPTHS.len());
        run(&format!("pct {depth}"), pct, config, scenario);
    }
    run("random", RandomScheduler::new(schedules), config, scenario);
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    literal.or(formatted).unwrap_or_default()
}

fn schedules() -> usize {
    std::env::var("ARAUTO_SCHEDULES").map_or(SCHEDULES, |text| {
        text.parse().expect("ARAUTO_SCHEDULES is a number")
    })
}

fn run(kind: &str, scheduler: impl Scheduler + 'static, config: &Config, scenario: fn()) {
    let mut config = config.clone();
    config.stack_size = 1 << 17; // frames are decoded in a debug build
    config.silence_warnings = true; // of orders other than SeqCst
    let begun = Begun {
        kind,
        at: Instant::now(),
        count: Arc::default(),
    };
    let count = Arc::clone(&begun.count);
    Runner::new(scheduler, config).run(move || {
        count.fetch_add(1, Ordering::Relaxed);
        scenario();
    });
}

/// Prints the count of schedules that were begun, also if one of them fails.
struct Begun<'a> {
    kind: &'a str,
    at: Instant,
    count: Arc<AtomicUsize>,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let Begun { kind, at, count } = self;
        let (took, count) = (at.elapsed(), count.load(Ordering::Relaxed));
        if panicking() {
            eprintln!("{kind}: schedule {count} fails, after {took:.1?}");
        } else {
            eprintln!("{kind}: {count} schedules in {took:.1?}");
        }
    }
}
