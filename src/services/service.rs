//! One service: the sessions that offer it, and the calls that wait for one of them.
//!
//! Invariants:
//! - the free offers are those that take calls and have fewer in work than their limit;
//! - no call waits while an offer is free.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use smallvec::SmallVec;

use super::call::CallId;
use super::limits::WITHDRAWALS;
use super::statistics::Statistics;
use super::waiting::WaitingCalls;
use crate::wire::SessionId;

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Service {
    offers: BTreeMap<SessionId, Offer>,
    free: BTreeSet<Rank>,
    /// The offers that are not being withdrawn.
    open_offers: usize,
    waiting: WaitingCalls,
    next_turn: u64,
    statistics: Statistics,
}

/// The place of a free offer among those of its service: the least is next.
type Rank = (u32, u64, SessionId);

/// The ids of the frames that withdraw an offer.
pub(super) type Withdrawals = SmallVec<[u64; 1]>;

/// One session's offer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Offer {
    limit: u32,
    in_work: u32,
    /// When it was given a call last, in turns of the service.
    turn: u64,
    /// Whether the session takes what it was given: otherwise it gets no further call.
    keeps_up: bool,
    state: OfferState,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum OfferState {
    Open,
    /// No further call is given; the frames that are answered with the last one.
    Withdrawing(Withdrawals),
}

impl Offer {
    fn rank(&self, session: SessionId) -> Option<Rank> {
        let is_free = self.state == OfferState::Open && self.keeps_up && self.in_work < self.limit;
        is_free.then_some((self.in_work, self.turn, session))
    }
}

/// Why a session may not offer a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferRefusal {
    /// It offers this many, and may offer no more.
    #[error("a session may offer {0} services")]
    TooMany(usize),
    /// The server itself answers the service's requests.
    #[error("the server itself answers this service")]
    OfServer,
}

/// A withdrawal cannot be noted: too many wait for the last call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{WITHDRAWALS} frames that withdraw this service wait for its last call")]
pub struct TooManyWithdrawals;

impl Service {
    /// Adds a session's offer, or changes its limit. Returns the frames that were withdrawing it: it
    /// is open again.
    pub(super) fn offer(&mut self, session: SessionId, limit: u32, keeps_up: bool) -> Withdrawals {
        let turn = self.next_turn;
        let before = self
            .offers
            .get(&session)
            .and_then(|offer| offer.rank(session));
        let offer = self.offers.entry(session).or_insert_with(|| {
            self.open_offers += 1;
            Offer {
                limit,
                in_work: 0,
                turn,
                keeps_up,
                state: OfferState::Open,
            }
        });
        offer.limit = limit;
        let ended = std::mem::replace(&mut offer.state, OfferState::Open);
        let after = offer.rank(session);
        self.move_rank(before, after);
        match ended {
            OfferState::Open => Withdrawals::new(),
            OfferState::Withdrawing(ids) => {
                self.open_offers += 1;
                ids
            }
        }
    }

    /// Gives the session no further call. Returns whether its offer is over, because none is in work
    /// or there is no offer; otherwise `id` is returned by [`Service::finish`] with the last call.
    ///
    /// # Errors
    /// Too many frames wait already.
    pub(super) fn withdraw(
        &mut self,
        session: SessionId,
        id: Option<u64>,
    ) -> Result<bool, TooManyWithdrawals> {
        let Some(offer) = self.offers.get_mut(&session) else {
            return Ok(true);
        };
        let before = offer.rank(session);
        match &mut offer.state {
            OfferState::Withdrawing(ids) if ids.len() >= WITHDRAWALS => {
                return Err(TooManyWithdrawals);
            }
            OfferState::Withdrawing(ids) => ids.extend(id),
            OfferState::Open => {
                offer.state = OfferState::Withdrawing(id.into_iter().collect());
                self.open_offers -= 1;
            }
        }
        let is_over = offer.in_work == 0;
        self.move_rank(before, None);
        if is_over {
            self.offers.remove(&session);
        }
        Ok(is_over)
    }

    /// Removes a session's offer, with whatever it has in work. Returns the frames that were
    /// withdrawing it.
    pub(super) fn remove(&mut self, session: SessionId) -> Withdrawals {
        let Some(offer) = self.offers.remove(&session) else {
            return Withdrawals::new();
        };
        self.move_rank(offer.rank(session), None);
        match offer.state {
            OfferState::Open => {
                self.open_offers -= 1;
                Withdrawals::new()
            }
            OfferState::Withdrawing(ids) => ids,
        }
    }

    /// Returns the free session with the fewest calls in work, in turn among equals, and counts one
    /// more for it.
    pub(super) fn begin(&mut self) -> Option<SessionId> {
        let (_, _, session) = self.free.pop_first()?;
        let offer = self.offers.get_mut(&session).expect("a free offer is one");
        self.next_turn += 1;
        offer.turn = self.next_turn;
        offer.in_work += 1;
        self.free.extend(offer.rank(session));
        Some(session)
    }

    /// Counts one call less for a session. Returns the frames that withdrew its offer if that was
    /// the last call.
    pub(super) fn finish(&mut self, session: SessionId) -> Option<Withdrawals> {
        let offer = self.offers.get_mut(&session)?;
        let before = offer.rank(session);
        offer.in_work -= 1;
        let after = offer.rank(session);
        let is_last = offer.in_work == 0;
        self.move_rank(before, after);
        let offer = self.offers.get_mut(&session)?;
        match &mut offer.state {
            OfferState::Withdrawing(ids) if is_last => {
                let ids = std::mem::take(ids);
                self.offers.remove(&session);
                Some(ids)
            }
            _ => None,
        }
    }

    /// Notes the end of a call, which was made at `made_at` and had a reply at `replied_at`, or ended in
    /// another way.
    pub(super) fn note_end(&mut self, made_at: Instant, replied_at: Option<Instant>) {
        match replied_at {
            Some(at) => self
                .statistics
                .note_reply(at.saturating_duration_since(made_at)),
            None => self.statistics.note_failure(),
        }
    }

    /// Notes whether a session takes what it was given.
    pub(super) fn note_pace(&mut self, session: SessionId, keeps_up: bool) {
        if let Some(offer) = self.offers.get_mut(&session) {
            let before = offer.rank(session);
            offer.keeps_up = keeps_up;
            let after = offer.rank(session);
            self.move_rank(before, after);
        }
    }

    fn move_rank(&mut self, before: Option<Rank>, after: Option<Rank>) {
        if before != after {
            before.map(|rank| self.free.remove(&rank));
            self.free.extend(after);
        }
    }

    /// Adds a call that waits for a free session.
    pub(super) fn wait(&mut self, caller: SessionId, call: CallId, bytes: usize) {
        self.waiting.add(caller, call, bytes);
    }

    /// Removes a call that waits.
    pub(super) fn stop_waiting(&mut self, caller: SessionId, call: CallId, bytes: usize) {
        self.waiting.remove(caller, call, bytes);
    }

    /// Returns the call that is given to a session next.
    pub(super) fn next_waiting(&self) -> Option<CallId> {
        self.waiting.next()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.count()
    }

    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting.bytes()
    }

    /// Whether a call is given to a session at once.
    pub(super) fn has_free(&self) -> bool {
        !self.free.is_empty()
    }

    /// Whether a session offers it that takes further calls.
    pub(super) fn is_offered(&self) -> bool {
        self.open_offers > 0
    }

    /// Whether nothing of it is left.
    pub(super) fn is_over(&self) -> bool {
        self.offers.is_empty() && self.waiting() == 0
    }

    /// Returns the sessions that offer it, each with its limit and its calls in work.
    pub(super) fn offers(&self) -> impl Iterator<Item = (SessionId, u32, u32)> + '_ {
        let offers = self.offers.iter();
        offers.map(|(session, offer)| (*session, offer.limit, offer.in_work))
    }

    pub(super) fn statistics(&self) -> &Statistics {
        &self.statistics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: SessionId = SessionId(1);
    const RUI: SessionId = SessionId(2);

    #[test]
    fn calls_go_to_the_fewest_in_work_and_in_turn_among_equals() {
        let mut service = Service::default();
        service.offer(ANA, 2, true);
        service.offer(RUI, 3, true);
        let given: Vec<_> = std::iter::from_fn(|| service.begin()).collect();
        assert_eq!(given, [ANA, RUI, ANA, RUI, RUI]);
        assert_eq!(service.finish(RUI), None);
        assert_eq!(service.finish(ANA), None);
        assert_eq!(service.begin(), Some(ANA), "it has fewer");
        assert_eq!(service.begin(), Some(RUI));
        assert_eq!(service.begin(), None);
    }

    #[test]
    fn session_that_does_not_keep_up_gets_no_call() {
        let mut service = Service::default();
        service.offer(ANA, 2, true);
        service.note_pace(ANA, false);
        assert_eq!(service.begin(), None);
        assert!(service.is_offered());
        service.note_pace(ANA, true);
        assert_eq!(service.begin(), Some(ANA));
    }

    #[test]
    fn withdrawal_ends_with_the_last_call() {
        let mut service = Service::default();
        service.offer(ANA, 5, true);
        assert_eq!((service.begin(), service.begin()), (Some(ANA), Some(ANA)));
        assert_eq!(service.withdraw(ANA, Some(7)), Ok(false));
        assert_eq!(service.withdraw(ANA, Some(8)), Ok(false));
        assert!(!service.is_offered());
        assert_eq!(service.begin(), None);
        assert_eq!(service.finish(ANA), None);
        let ids = service.finish(ANA).expect("it was the last call");
        assert_eq!(ids.as_slice(), [7, 8]);
        assert!(service.is_over());
        assert_eq!(service.withdraw(ANA, Some(9)), Ok(true));
    }

    #[test]
    fn offer_during_a_withdrawal_opens_it_again() {
        let mut service = Service::default();
        service.offer(ANA, 1, true);
        assert_eq!(service.begin(), Some(ANA));
        assert_eq!(service.withdraw(ANA, Some(7)), Ok(false));
        assert_eq!(service.offer(ANA, 2, true).as_slice(), [7]);
        assert_eq!(service.begin(), Some(ANA));
        assert_eq!(service.finish(ANA), None);
        assert!(service.remove(ANA).is_empty());
        assert!(service.is_over() && !service.is_offered() && !service.has_free());
    }

    #[test]
    fn withdrawals_that_wait_are_bounded() {
        let mut service = Service::default();
        service.offer(ANA, 1, true);
        service.begin();
        for id in 0..WITHDRAWALS as u64 {
            assert_eq!(service.withdraw(ANA, Some(id)), Ok(false));
        }
        assert_eq!(service.withdraw(ANA, Some(99)), Err(TooManyWithdrawals));
    }
}
