//! The record of a session, and the evidence of how far its bytes got.

use super::Core;
use super::effects::{Effects, Output};
use super::rules::SessionRules;
use super::state::Owed;
use crate::close::{CloseReason, Evidence, SessionRecord};
use crate::wire::Seq;

impl Core {
    /// Returns what can be said of the session now.
    pub fn record<E: Effects>(&self, fx: &E) -> SessionRecord {
        let output = fx.output();
        let (reason, owed) = self.state.outcome();
        let evidence = self.evidence.unwrap_or_else(|| self.evidence_now(fx));
        let owed = match output.follows {
            true => owed,
            false => Owed::Nothing,
        };
        let cut = match owed {
            Owed::Nothing => output.sent,
            Owed::UpTo(_) if !fx.rules().owes_up_to_cut() => output.sent,
            Owed::UpTo(cut) => cut,
            Owed::UpToHead => fx.head(),
        };
        let missing = (output.sent < cut).then(|| (output.sent.next(), cut));
        let identity = fx.identity();
        SessionRecord {
            session: identity.session,
            user: identity.user,
            endpoint: identity.endpoint,
            reason: self.reported_reason(reason, evidence, fx).into(),
            accepted: self.tally.accepted(),
            answered: self.tally.answered(),
            refused: self.tally.refused(),
            calls: identity.calls,
            after: identity.after,
            cut,
            sent: output.sent,
            missing: missing.into_iter().collect(),
            missing_undecided_to: None,
            not_for_it: 0,
            filter: identity.reception.filter,
            rules: identity.reception.rules,
            withheld: identity.reception.withheld,
            withheld_unlisted_to: identity.reception.withheld_unlisted_to,
            gaps: identity.gaps,
            is_owed_head: owed == Owed::UpToHead,
            gaps_unlisted_to: identity.gaps_unlisted_to,
            acked: self.acked,
            evidence,
            times_us: self.tally.times(),
        }
    }

    /// Returns the reason of the end, as the report tells it.
    ///
    /// On a connection that cannot close one side, a client that has ended by itself and closed
    /// may have left with unread bytes: nothing tells. Either it has read everything, or it has
    /// broken the connection; the report claims no more than the second.
    fn reported_reason<E: Effects>(
        &self,
        reason: CloseReason,
        evidence: Evidence,
        fx: &E,
    ) -> CloseReason {
        let has_closed = self.input.is_over && !fx.half_closes();
        let is_own = matches!(reason, CloseReason::Fim | CloseReason::Disconnected);
        if is_own && has_closed && evidence < fx.best_evidence() {
            CloseReason::Lost
        } else {
            reason
        }
    }

    /// Whether all that was promised is known to be read: by what the connection tells, or by
    /// the client's own word.
    ///
    /// A connection that cannot close one side tells nothing of a client that has closed: it
    /// may have read `closing` or not. An ack of the last broadcast proves that the client has
    /// read everything that it was owed.
    pub(super) fn is_settled<E: Effects>(&self, fx: &E) -> bool {
        if fx.evidence() >= fx.best_evidence() {
            return true;
        }
        let is_silent = self.input.is_over && !fx.half_closes() && fx.is_hung_up();
        let output = fx.output();
        // A client that has read the broadcast has read the answers before it.
        let has_answer_behind = output
            .last_answer
            .is_some_and(|behind| behind >= self.acked);
        is_silent && self.has_acked(output) && !has_answer_behind
    }

    /// Whether the client has acknowledged the last broadcast that it was sent.
    fn has_acked(&self, output: Output) -> bool {
        self.acked >= output.reached && self.acked > Seq::ZERO
    }

    pub(super) fn evidence_now<E: Effects>(&self, fx: &E) -> Evidence {
        let output = fx.output();
        if output.is_broken || !output.is_clear {
            Evidence::Queued
        } else if self.has_acked(output) && self.is_settled(fx) {
            Evidence::Acked // it covers broadcasts only: replies may be unread
        } else {
            fx.evidence()
        }
    }
}
