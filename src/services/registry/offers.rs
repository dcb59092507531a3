//! Offers, and the calls of sessions that answer no more.

use std::sync::Arc;

use super::Registry;
use crate::services::limits::MOST_IN_WORK;
use crate::services::participants::Wakes;
use crate::services::service::{OfferRefusal, TooManyWithdrawals};
use crate::wire::SessionId;

impl Registry {
    /// Adds a session's offer, or changes its limit.
    ///
    /// # Errors
    /// The session offers as many services as it may, or the server itself answers this one.
    pub fn offer(
        &mut self,
        session: SessionId,
        service: &str,
        limit: u64,
        wakes: &mut Wakes,
    ) -> Result<(), OfferRefusal> {
        if self.is_own(service) {
            return Err(OfferRefusal::OfServer);
        }
        let participant = self.participants.get(session);
        let is_new = !participant.offers().contains(service);
        if is_new && participant.offers().len() >= self.limits.offers {
            return Err(OfferRefusal::TooMany(self.limits.offers));
        }
        let name = self.services.shared_name(service);
        let limit = u32::try_from(limit)
            .unwrap_or(u32::MAX)
            .clamp(1, MOST_IN_WORK);
        let participant = self.participants.get(session);
        participant.add_offer(Arc::clone(&name));
        let keeps_up = participant.keeps_up();
        let offered = self.services.get_or_add(&name);
        for id in offered.offer(session, limit, keeps_up) {
            self.participants
                .tell_withdrawn(session, &name, Some(id), wakes);
        }
        self.give_waiting(&name, wakes);
        Ok(())
    }

    /// Takes an offer back: the session gets no further call of the service. It is told once its last
    /// call has ended. It is also told where it does not offer the service.
    ///
    /// # Errors
    /// Too many such frames wait for the last call.
    pub fn withdraw(
        &mut self,
        session: SessionId,
        service: &str,
        id: u64,
        wakes: &mut Wakes,
    ) -> Result<(), TooManyWithdrawals> {
        let is_over = match self.services.get(service) {
            Some(offered) => offered.withdraw(session, Some(id))?,
            None => true,
        };
        if is_over {
            self.end_offer(session, service);
            self.participants
                .tell_withdrawn(session, &Arc::from(service), Some(id), wakes);
        }
        self.settle(service, wakes);
        Ok(())
    }

    /// Takes an offer back, as [`Registry::withdraw`], without telling the session.
    fn retire(&mut self, session: SessionId, service: &str, wakes: &mut Wakes) {
        let offered = self.services.get(service);
        // Without an id there is nothing to bound.
        let is_over = offered.is_none_or(|offered| offered.withdraw(session, None) == Ok(true));
        if is_over {
            self.end_offer(session, service);
        }
        self.settle(service, wakes);
    }

    /// Takes back all offers of a session, without telling it.
    pub fn retire_all(&mut self, session: SessionId, wakes: &mut Wakes) {
        for service in self.participants.offers(session) {
            self.retire(session, &service, wakes);
        }
    }

    /// Takes back an offer that rules no longer allow, and tells the session at once.
    pub fn revoke(&mut self, session: SessionId, service: &str, wakes: &mut Wakes) {
        self.retire(session, service, wakes);
        self.participants
            .tell_withdrawn(session, &Arc::from(service), None, wakes);
    }

    /// Ends the offers of a session: the calls that it has taken get no answer, and the others are
    /// given to other sessions.
    pub fn stop_answering(&mut self, session: SessionId, wakes: &mut Wakes) {
        let offers = self.participants.offers(session);
        // First, so that the session is given no further call.
        for service in &offers {
            for id in self.services.remove_offer(service, session) {
                self.participants
                    .tell_withdrawn(session, service, Some(id), wakes);
            }
        }
        for call in self.participants.get(session).take_held() {
            self.lose(call, wakes);
        }
        for service in &offers {
            self.end_offer(session, service);
            self.settle(service, wakes);
        }
    }

    pub(super) fn end_offer(&mut self, session: SessionId, service: &str) {
        self.participants.get(session).remove_offer(service);
    }
}
