//! What can be said of a session, and how far its bytes are known to have got.

use super::Session;
use super::state::State;
use crate::actors::link::Link;
use crate::close::{CloseReason, Evidence, Micros, SessionRecord, Times};
use crate::wire::Seq;

impl<L: Link + 'static> Session<L> {
    /// Whether all that is written has got as far as can ever be known.
    pub(super) fn is_read(&self) -> bool {
        let link = self.outlet.link_ref();
        link.evidence() >= link.best_evidence()
    }

    pub(super) fn evidence_now(&self) -> Evidence {
        let link = self.outlet.link_ref();
        if self.outlet.is_broken() || !self.outlet.is_clear() {
            Evidence::Queued
        } else if self.acked >= self.outlet.reached() && self.acked > Seq::ZERO {
            Evidence::Acked
        } else {
            link.evidence()
        }
    }

    /// From now on it gets what follows `after`.
    pub(super) fn follow(&mut self, after: Seq) {
        self.outlet.follow(after);
        self.info.follow(after);
    }

    pub(super) fn note_answered(&mut self, frames: u64) {
        self.tally.answered += frames;
        if frames > 0 {
            self.note_time(|times| &mut times.last_reply);
        }
    }

    /// Once the server stops, the time of what has just happened is kept.
    pub(super) fn note_time(&mut self, of: impl FnOnce(&mut Times) -> &mut Option<Micros>) {
        if let Some(now) = self.desk.stopwatch.now() {
            *of(self.times.get_or_insert_default()) = Some(now);
        }
    }

    /// What can be said of this session now.
    pub(super) fn record(&self) -> SessionRecord {
        let (reason, cut) = match &self.state {
            State::Closed { reason, cut, .. } => (*reason, *cut),
            State::Ending(ending) => (ending.reason, ending.cut()),
            _ => (CloseReason::Shutdown, None),
        };
        let user = self.info.user();
        let sent = self.outlet.sent();
        let cut = match (cut, reason) {
            _ if !self.outlet.follows() => Seq::ZERO,
            (Some(cut), _) => cut,
            (None, CloseReason::Shutdown) => self.desk.log.head(),
            (None, _) => sent,
        };
        let missing = (sent < cut).then(|| (sent.next(), cut));
        SessionRecord {
            session: self.info.id,
            user: user.map(|user| user.to_string()),
            endpoint: self.info.endpoint.to_string(),
            reason: reason.to_string(),
            accepted: self.tally.accepted,
            answered: self.tally.answered,
            refused: self.tally.refused,
            after: self.info.after(),
            cut,
            sent,
            missing: missing.into_iter().collect(),
            gaps: self.outlet.gaps().to_vec(),
            gaps_unlisted_to: self.outlet.gaps_unlisted_to(),
            acked: self.acked,
            evidence: self.evidence.unwrap_or_else(|| self.evidence_now()),
            times_us: self.times.as_deref().copied().unwrap_or_default(),
        }
    }
}
