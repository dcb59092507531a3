//! Responders are restarted one after the other under calls: in order, and by SIGKILL.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use arauto::ErrorCode;
use tempfile::TempDir;

use super::callers::{Caller, Callers};
use super::responder::{LIMIT, ResponderProcess};
use super::{Counts, SERVICE, record_of};
use crate::faults::random::Random;
use crate::faults::{alone, runs};
use crate::support::{Served, Stop, finish, wait_until, watchdog_for};

const CALLERS: usize = 64;
const RESPONDERS: usize = 3;

/// The restarts without `ARAUTO_FAULT_RUNS`.
const USUAL_RESTARTS: usize = 6;

/// The most calls between two restarts.
const LATEST: u64 = 400;

/// How a responder ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// By SIGTERM, in order.
    InOrder,
    /// By SIGKILL at any instant.
    Killed,
    /// By SIGKILL once it has as many calls in work as it may, and has written all of them to its log.
    KilledFull,
}

/// A server, its callers, and the responders that run.
struct Target {
    served: Served,
    folder: TempDir,
    callers: Callers,
    running: Vec<ResponderProcess>,
    ended: Vec<ResponderProcess>,
    /// The calls that have failed.
    failed: BTreeSet<String>,
    /// Of these, those that were on their way to a killed responder: it had not read them.
    unread: usize,
    random: Random,
}

impl Target {
    fn new() -> Target {
        let served = Served::new(&["--no-console", "--data", "none"]);
        let folder = tempfile::tempdir().expect("a folder can be made");
        let start = |number| ResponderProcess::start(served.endpoint(), folder.path(), number);
        let running = (0..RESPONDERS).map(start).collect();
        let callers = Callers::start(served.endpoint(), CALLERS);
        Target {
            served,
            folder,
            callers,
            running,
            ended: Vec::new(),
            failed: BTreeSet::new(),
            unread: 0,
            random: Random::new(),
        }
    }

    /// Ends one responder, and starts another.
    fn restart(&mut self, ending: Ending) {
        self.callers.wait_for(self.random.below(LATEST));
        let place = self.random.below(RESPONDERS as u64);
        let place = usize::try_from(place).expect("it is small");
        let mut responder = self.running.remove(place);
        match ending {
            Ending::InOrder => {
                responder.send_stop();
                let status = responder.wait();
                assert!(status.success(), "{status}");
            }
            Ending::Killed => responder.kill(),
            Ending::KilledFull => {
                responder.hold();
                responder.kill();
            }
        }
        wait_until("the server knows of the end", || {
            !self.is_offered_by(responder.session)
        });
        // Then each caller has been told of the calls that the responder held.
        self.callers.wait_for_each();
        self.check_failed(&responder, ending);
        self.ended.push(responder);
        let number = self.running.len() + self.ended.len();
        let endpoint = self.served.endpoint();
        let next = ResponderProcess::start(endpoint, self.folder.path(), number);
        self.running.push(next);
    }

    fn is_offered_by(&self, session: u64) -> bool {
        let offers = service(&self.served)["offers"].clone();
        let offers = offers.as_array().expect("it is a list").clone();
        offers.iter().any(|offer| offer["session"] == session)
    }

    /// Asserts that the calls that have failed are those that the responder held.
    fn check_failed(&mut self, responder: &ResponderProcess, ending: Ending) {
        let failed = self.callers.take_failed();
        for (call, code) in &failed {
            assert_eq!(*code, ErrorCode::Unavailable, "{call}");
        }
        let failed: BTreeSet<String> = failed.into_keys().collect();
        let got = responder.calls();
        let unread = failed.difference(&got).count();
        match ending {
            Ending::InOrder => assert!(failed.is_empty(), "{failed:?}"),
            // It had no more calls than its limit, and those that it had not read were among them.
            Ending::Killed => assert!(failed.len() <= LIMIT as usize, "{failed:?}"),
            Ending::KilledFull => {
                assert_eq!(failed.len(), LIMIT as usize, "{failed:?}");
                assert_eq!(unread, 0, "{failed:?}");
            }
        }
        self.unread += unread;
        self.failed.extend(failed);
    }

    /// Stops everything, and compares all records.
    fn finish(self, began: Instant) {
        let Target {
            mut served,
            callers,
            running,
            ended,
            failed,
            unread,
            ..
        } = self;
        let (callers, runtime) = callers.finish();
        let listed = service(&served);
        served.send_stop(Stop::USUAL);
        runtime.block_on(async {
            for caller in &callers {
                caller.closed().await;
            }
        });
        assert_eq!(served.wait(), Some(0), "{}", served.log());
        let report = served.report();
        let told: u64 = callers.iter().map(|caller| caller.failed).sum();
        assert_eq!(told, failed.len() as u64, "each was told at a restart");
        let calls = check_each_call(&callers, running.iter().chain(&ended), &failed);
        assert_eq!(calls.unread, unread);
        assert_eq!(listed["answered"], calls.replied, "{listed}");
        assert_eq!(listed["failed"], failed.len(), "{listed}");
        assert_eq!(listed["waiting"], 0, "{listed}");
        for caller in &callers {
            let replied = caller.replied.len() as u64;
            let expected = Counts {
                made: replied + caller.failed,
                replied,
                failed: caller.failed,
                ..Counts::default()
            };
            let record = record_of(&report, caller.session);
            assert_eq!(Counts::of(record), expected);
        }
        for responder in &running {
            let held = responder.calls().len() as u64;
            let expected = Counts {
                held,
                answered: held,
                ..Counts::default()
            };
            let record = record_of(&report, responder.session);
            assert_eq!(Counts::of(record), expected);
        }
        println!(
            "{} restarts in {:?}: {} calls replied, {} failed, {unread} of them on their way",
            ended.len(),
            began.elapsed(),
            calls.replied,
            failed.len(),
        );
    }
}

/// The sums of all calls.
struct Sums {
    replied: usize,
    unread: usize,
}

/// Asserts that each call was given to one responder, which answered it, or was killed and held it.
fn check_each_call<'a>(
    callers: &[Caller],
    responders: impl Iterator<Item = &'a ResponderProcess>,
    failed: &BTreeSet<String>,
) -> Sums {
    let replied = callers.iter().flat_map(|caller| &caller.replied);
    let mut replied: BTreeMap<&String, usize> = replied
        .map(|(call, responder)| (call, *responder))
        .collect();
    let mut unread = failed.clone();
    let count = replied.len();
    for responder in responders {
        for call in responder.calls() {
            match replied.remove(&call) {
                Some(from) => assert_eq!(from, responder.number, "{call} was given to one"),
                None => assert!(unread.remove(&call), "{call} has no end, or two responders"),
            }
        }
    }
    assert_eq!(replied, BTreeMap::new(), "each was written to a log before");
    Sums {
        replied: count,
        unread: unread.len(),
    }
}

/// Returns the line that `arauto services --json` prints of the service.
fn service(served: &Served) -> serde_json::Value {
    let printed = finish(&mut served.command(&["services", "--json"]), "").expect_success();
    let mut lines = printed.lines();
    let line = lines.next().expect("the service is offered");
    let line: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
    assert_eq!(line["service"], SERVICE);
    line
}

fn restart_all(endings: &[Ending]) {
    let restarts = runs(USUAL_RESTARTS);
    let _alone = alone();
    let _watchdog = watchdog_for(Duration::from_secs(60 + 5 * restarts as u64));
    let mut target = Target::new();
    let began = Instant::now();
    for ending in endings.iter().cycle().take(restarts) {
        target.restart(*ending);
    }
    target.callers.wait_for_each();
    target.finish(began);
}

#[test]
fn rolling_restarts_under_64_callers_fail_no_call() {
    restart_all(&[Ending::InOrder]);
}

#[test]
fn killed_responders_fail_exactly_the_calls_that_they_held() {
    restart_all(&[Ending::Killed, Ending::KilledFull]);
}
