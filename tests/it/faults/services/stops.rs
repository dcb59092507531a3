//! The server is stopped at random instants under calls.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arauto::Report;

use super::sessions::{Caller, Manner, Responder, answer_calls, log_in, make_calls, offer};
use super::{Counts, record_of};
use crate::faults::random::Random;
use crate::faults::{alone, runs, stop};
use crate::support::{Served, wait_until, watchdog_for};

const CALLERS: usize = 16;

const MANNERS: [Manner; 8] = [
    Manner::AtOnce,
    Manner::AtOnce,
    Manner::OneBehind,
    Manner::Twice,
    Manner::Failing,
    Manner::Silent,
    Manner::Leaving,
    Manner::Breaking,
];

/// The stops without `ARAUTO_FAULT_RUNS`.
const USUAL_STOPS: usize = 6;

/// The most calls that end before the stop begins.
const LATEST: u64 = 2000;

/// The sums of one run, or of all.
#[derive(Debug, Default)]
struct Sums {
    accepted: u64,
    replied: u64,
    refused: u64,
    unread: u64,
    failed: BTreeMap<String, u64>,
}

fn run(random: &mut Random, sums: &mut Sums) {
    let mut served = Served::new(&["--console", "--data", "none"]);
    let responders: Vec<_> = (0..MANNERS.len())
        .map(|number| {
            let (mut client, session) = log_in(served.endpoint(), number);
            offer(&mut client);
            (client, session)
        })
        .collect();
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| log_in(served.endpoint(), number))
        .collect();
    let ended = AtomicU64::new(0);
    let (callers, responders) = std::thread::scope(|scope| {
        let ended = &ended;
        let responders = responders.into_iter().zip(MANNERS).enumerate();
        let responders: Vec<_> = responders
            .map(|(number, ((client, session), manner))| {
                scope.spawn(move || answer_calls(client, session, number, manner))
            })
            .collect();
        let callers = callers.into_iter().enumerate();
        let callers: Vec<_> = callers
            .map(|(number, (client, session))| {
                scope.spawn(move || make_calls(client, session, number, ended))
            })
            .collect();
        let enough = random.below(LATEST);
        wait_until("there are calls", || {
            ended.load(Ordering::Relaxed) >= enough
        });
        stop(&mut served, random);
        let callers = callers.into_iter().map(|caller| caller.join());
        let callers: Vec<Caller> = callers
            .map(|caller| caller.expect("its checks passed"))
            .collect();
        let responders = responders.into_iter().map(|responder| responder.join());
        let responders: Vec<Responder> = responders
            .map(|responder| responder.expect("its checks passed"))
            .collect();
        (callers, responders)
    });
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let report = served.report();
    assert_eq!((report.exit, &report.trouble[..]), (0, &[][..]));
    assert_eq!(report.sessions.len(), CALLERS + MANNERS.len());
    check_each_call(&callers, &responders);
    for caller in &callers {
        check_caller(caller, &report);
        sums.add(caller);
    }
    for responder in &responders {
        check_responder(responder, &callers, &report);
    }
}

/// Asserts that no call was given to two responders, and that each reply is of the one that got it.
fn check_each_call(callers: &[Caller], responders: &[Responder]) {
    let mut given: HashMap<&String, usize> = HashMap::new();
    for responder in responders {
        for call in &responder.calls {
            let other = given.insert(call, responder.number);
            assert_eq!(other, None, "{call} was given to two responders");
        }
    }
    let mut replied = callers.iter().flat_map(|caller| &caller.replied);
    assert!(replied.all(|(call, responder)| given.get(call) == Some(responder)));
}

/// Asserts that each call that was accepted has an end, which the report counts too.
fn check_caller(caller: &Caller, report: &Report) {
    let replied = caller.replied.len() as u64;
    let failed = caller.failed.len() as u64;
    let accepted = replied + failed;
    assert_eq!(caller.closing, (accepted, caller.refused));
    let record = record_of(report, caller.session);
    assert_eq!(record.reason.as_str(), "shutdown");
    assert_eq!(
        (record.accepted, record.answered, record.refused),
        (accepted, accepted, caller.refused)
    );
    let expected = Counts {
        made: accepted,
        replied,
        failed,
        ..Counts::default()
    };
    assert_eq!(Counts::of(record), expected);
}

/// Asserts that the report counts the calls that the responder got, and the answers that callers got.
/// Only the calls of a responder that breaks its connection are unavailable.
fn check_responder(responder: &Responder, callers: &[Caller], report: &Report) {
    let record = record_of(report, responder.session);
    assert_eq!(record.accepted, record.answered, "{record:?}");
    let answered = match responder.manner {
        Manner::Failing => failed_with(callers, "failed"),
        _ => replies_of(callers, responder.number),
    };
    let counts = Counts::of(record);
    assert_eq!(counts.answered, answered, "{record:?}");
    let got = responder.calls.len() as u64;
    if responder.manner == Manner::Breaking {
        // The last calls may have been on their way when it broke the connection.
        assert!(counts.held >= got, "{record:?}, and it got {got}");
        let unavailable = failed_with(callers, "unavailable");
        assert!(unavailable <= counts.held - counts.answered, "{record:?}");
    } else {
        assert_eq!(counts.held, got, "{record:?}");
        // Where the last call ends by its time, `closing` may overtake its `cancelled`.
        let untold = got.checked_sub(counts.answered + responder.cancelled);
        let timeouts = failed_with(callers, "timeout");
        assert!(
            untold.is_some_and(|untold| untold <= timeouts),
            "{record:?}"
        );
    }
    assert_eq!((counts.made, counts.replied, counts.failed), (0, 0, 0));
}

/// Returns how many calls had an error with this code.
fn failed_with(callers: &[Caller], code: &str) -> u64 {
    let failed = callers.iter().flat_map(|caller| caller.failed.values());
    failed.filter(|failed| *failed == code).count() as u64
}

/// Returns how many calls this responder replied to.
fn replies_of(callers: &[Caller], responder: usize) -> u64 {
    let replied = callers.iter().flat_map(|caller| caller.replied.values());
    replied.filter(|number| **number == responder).count() as u64
}

impl Sums {
    fn add(&mut self, caller: &Caller) {
        self.accepted += caller.closing.0;
        self.replied += caller.replied.len() as u64;
        self.refused += caller.refused;
        self.unread += caller.unread as u64;
        for code in caller.failed.values() {
            *self.failed.entry(code.clone()).or_default() += 1;
        }
    }
}

#[test]
fn stops_under_calls_of_8_responders_lose_no_accepted_call() {
    let runs = runs(USUAL_STOPS);
    let _alone = alone();
    let _watchdog = watchdog_for(Duration::from_secs(60 + 15 * runs as u64));
    let began = Instant::now();
    let mut sums = Sums::default();
    for _ in 0..runs {
        run(&mut Random::new(), &mut sums);
    }
    println!("{runs} stops in {:?}: {sums:?}", began.elapsed());
    assert!(sums.refused > 0, "the stops fell among the calls");
    let codes: Vec<&str> = sums.failed.keys().map(String::as_str).collect();
    let known = ["failed", "timeout", "unavailable"];
    assert!(codes.iter().all(|code| known.contains(code)), "{codes:?}");
}
