//! The calls of one service that wait for a free session.
//!
//! The calls of a caller wait in the order in which they were accepted, and the callers take turns. So
//! a caller with many calls delays each call of another one by a single call.

use std::collections::{BTreeMap, BTreeSet};

use super::call::CallId;
use crate::wire::SessionId;

/// The calls that wait.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct WaitingCalls {
    callers: BTreeMap<SessionId, Caller>,
    /// The callers by their turns: the first one is next.
    turns: BTreeSet<(u64, SessionId)>,
    next_turn: u64,
    count: usize,
    bytes: usize,
}

/// The calls of one caller; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Caller {
    calls: BTreeSet<CallId>,
    turn: u64,
}

impl WaitingCalls {
    pub(super) fn add(&mut self, caller: SessionId, call: CallId, bytes: usize) {
        let calls = self.callers.get_mut(&caller);
        let is_new = match calls {
            Some(known) => known.calls.insert(call),
            None => {
                self.take_turn(caller, BTreeSet::from([call]));
                true
            }
        };
        if is_new {
            self.count += 1;
            self.bytes += bytes;
        }
    }

    /// Returns the first call of the caller whose turn it is.
    pub(super) fn next(&self) -> Option<CallId> {
        let (_, caller) = self.turns.first()?;
        self.callers[caller].calls.first().copied()
    }

    /// Removes a call that waits. It was its caller's turn.
    pub(super) fn remove(&mut self, caller: SessionId, call: CallId, bytes: usize) {
        let waits = |known: &Caller| known.calls.contains(&call);
        if !self.callers.get(&caller).is_some_and(waits) {
            return;
        }
        self.count -= 1;
        self.bytes -= bytes;
        if let Some(Caller { mut calls, turn }) = self.callers.remove(&caller) {
            self.turns.remove(&(turn, caller));
            calls.remove(&call);
            if !calls.is_empty() {
                self.take_turn(caller, calls);
            }
        }
    }

    /// Puts a caller behind all others.
    fn take_turn(&mut self, caller: SessionId, calls: BTreeSet<CallId>) {
        let turn = self.next_turn;
        self.next_turn += 1;
        self.turns.insert((turn, caller));
        self.callers.insert(caller, Caller { calls, turn });
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: SessionId = SessionId(1);
    const RUI: SessionId = SessionId(2);

    fn add(waiting: &mut WaitingCalls, caller: SessionId, calls: impl IntoIterator<Item = u64>) {
        for call in calls {
            waiting.add(caller, CallId(call), 10);
        }
    }

    fn take_all(waiting: &mut WaitingCalls, callers: impl Fn(u64) -> SessionId) -> Vec<u64> {
        let taken = std::iter::from_fn(|| {
            let call = waiting.next()?;
            waiting.remove(callers(call.0), call, 10);
            Some(call.0)
        });
        taken.collect()
    }

    #[test]
    fn callers_take_turns_and_each_ones_calls_keep_their_order() {
        let mut waiting = WaitingCalls::default();
        add(&mut waiting, ANA, 1..=4);
        add(&mut waiting, RUI, 5..=6);
        let caller = |call| if call < 5 { ANA } else { RUI };
        assert_eq!((waiting.count(), waiting.bytes()), (6, 60));
        assert_eq!(take_all(&mut waiting, caller), [1, 5, 2, 6, 3, 4]);
        assert_eq!((waiting.count(), waiting.bytes()), (0, 0));
    }

    #[test]
    fn removed_call_is_not_the_next_one() {
        let mut waiting = WaitingCalls::default();
        add(&mut waiting, ANA, 1..=2);
        waiting.remove(ANA, CallId(1), 10);
        waiting.remove(ANA, CallId(1), 10);
        waiting.remove(RUI, CallId(2), 10);
        assert_eq!((waiting.next(), waiting.count()), (Some(CallId(2)), 1));
    }

    #[test]
    fn call_that_waits_again_is_the_first_of_its_caller() {
        let mut waiting = WaitingCalls::default();
        add(&mut waiting, ANA, 2..=3);
        add(&mut waiting, ANA, [1]);
        assert_eq!(take_all(&mut waiting, |_| ANA), [1, 2, 3]);
    }
}
