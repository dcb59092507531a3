//! Any sequence of what sessions do: each call ends once, and is given to one session at a time.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{LIMITS, Tested};
use crate::services::call::{CallId, ServiceEvent};

const SESSIONS: u64 = 4;
const SERVICES: [&str; 2] = ["up", "down"];

#[derive(Debug, Clone)]
enum Step {
    Offer(u64, usize, u64),
    Withdraw(u64, usize),
    Revoke(u64, usize),
    Retire(u64),
    StopAnswering(u64),
    Call(u64, usize),
    Reply(u64, usize),
    Cancel(u64, usize),
    Take(u64),
    LeaveAndJoin(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let session = || 1..=SESSIONS;
    let service = || 0..SERVICES.len();
    prop_oneof![
        2 => (session(), service(), 1..4u64).prop_map(|(a, b, c)| Step::Offer(a, b, c)),
        1 => (session(), service()).prop_map(|(a, b)| Step::Withdraw(a, b)),
        1 => (session(), service()).prop_map(|(a, b)| Step::Revoke(a, b)),
        1 => session().prop_map(Step::Retire),
        1 => session().prop_map(Step::StopAnswering),
        6 => (session(), service()).prop_map(|(a, b)| Step::Call(a, b)),
        4 => (session(), 0..4usize).prop_map(|(a, b)| Step::Reply(a, b)),
        1 => (session(), 0..4usize).prop_map(|(a, b)| Step::Cancel(a, b)),
        6 => session().prop_map(Step::Take),
        1 => session().prop_map(Step::LeaveAndJoin),
    ]
}

/// The sessions' own view of the calls.
#[derive(Debug, Default)]
struct Seen {
    /// The calls that have not ended, by number, with their callers.
    open: BTreeMap<CallId, u64>,
    /// The sessions that have taken a call and were not told of its end.
    taken: BTreeMap<CallId, u64>,
    /// The withdrawals that were not answered, by id, with their sessions.
    withdrawals: BTreeMap<u64, u64>,
    /// All calls that were ever taken.
    ever_taken: BTreeSet<CallId>,
}

impl Seen {
    fn note(&mut self, session: u64, event: ServiceEvent) {
        match event {
            ServiceEvent::Call(given) => {
                assert!(
                    self.ever_taken.insert(given.call),
                    "{} was taken twice",
                    given.call
                );
                assert!(
                    self.open.contains_key(&given.call),
                    "{} has ended",
                    given.call
                );
                self.taken.insert(given.call, session);
            }
            ServiceEvent::Cancelled(call) => {
                assert!(self.ever_taken.contains(&call));
                // A session that has stopped answering may still be told.
                let holder = self.taken.remove(&call);
                assert!(holder.is_none_or(|holder| holder == session));
                assert!(!self.open.contains_key(&call));
            }
            ServiceEvent::Outcome(call, _) => {
                assert_eq!(self.open.remove(&call), Some(session), "{call} ended twice");
            }
            ServiceEvent::Withdrawn { id: None, .. } => {}
            ServiceEvent::Withdrawn { id: Some(id), .. } => {
                assert_eq!(self.withdrawals.remove(&id), Some(session), "told twice");
            }
        }
    }

    fn leave(&mut self, session: u64) {
        self.open.retain(|_, caller| *caller != session);
        self.taken.retain(|_, responder| *responder != session);
        self.withdrawals.retain(|_, of| *of != session);
    }

    /// Returns one of a session's calls.
    fn pick(calls: &BTreeMap<CallId, u64>, session: u64, index: usize) -> Option<CallId> {
        let own = calls.iter().filter(|(_, of)| **of == session);
        own.map(|(call, _)| *call).nth(index)
    }
}

fn run(steps: Vec<Step>) {
    let sessions: Vec<u64> = (1..=SESSIONS).collect();
    let mut tested = Tested::with_sessions(LIMITS, &sessions);
    let mut seen = Seen::default();
    for (id, step) in (0..).zip(steps) {
        match step {
            Step::Offer(session, service, limit) => tested.offer(session, SERVICES[service], limit),
            Step::Withdraw(session, service) => {
                tested.withdraw(session, SERVICES[service], id);
                seen.withdrawals.insert(id, session);
            }
            Step::Revoke(session, service) => tested.revoke(session, SERVICES[service]),
            Step::Retire(session) => tested.retire(session),
            Step::StopAnswering(session) => {
                tested.stop_answering(session);
                seen.taken.retain(|_, responder| *responder != session);
            }
            Step::Call(session, service) => {
                if let Ok(call) = tested.call(session, SERVICES[service]) {
                    seen.open.insert(call, session);
                }
            }
            Step::Reply(session, index) => {
                if let Some(call) = Seen::pick(&seen.taken, session, index) {
                    // A cancellation may be on its way to it.
                    if tested.reply(session, call) {
                        assert!(seen.open.contains_key(&call));
                        seen.taken.remove(&call);
                    }
                }
            }
            Step::Cancel(session, index) => {
                if let Some(call) = Seen::pick(&seen.open, session, index)
                    && tested.cancel(session, call)
                {
                    seen.open.remove(&call);
                }
            }
            Step::Take(session) => {
                if let Some(event) = tested.take(session) {
                    seen.note(session, event);
                }
            }
            Step::LeaveAndJoin(session) => {
                tested.leave(session);
                seen.leave(session);
                tested.join(session);
            }
        }
        tested.registry.assert_consistent();
    }
    for session in &sessions {
        tested.stop_answering(*session);
    }
    for session in &sessions {
        for event in tested.take_all(*session) {
            seen.note(*session, event);
        }
    }
    assert!(seen.withdrawals.is_empty(), "{seen:?}");
    for session in sessions {
        tested.leave(session);
    }
    assert!(tested.registry.is_empty());
}

proptest! {
    #[test]
    fn every_call_ends_once_and_is_taken_once(steps in prop::collection::vec(step(), 1..120)) {
        run(steps);
    }
}
