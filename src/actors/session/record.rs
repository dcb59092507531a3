//! What can be said of a session, and how far its bytes are known to have got.

use std::sync::Arc;

use super::Session;
use super::state::{Owed, State};
use crate::actors::link::Link;
use crate::close::{CloseReason, Evidence, Micros, SessionRecord, Times};
use crate::wire::Seq;

impl<L: Link + 'static> Session<L> {
    /// Whether all that is written has got as far as can ever be known.
    pub(super) fn is_read(&self) -> bool {
        let link = self.outlet.link_ref();
        link.evidence() >= link.best_evidence()
    }

    /// Whether all that was promised is known to be read: by what the link tells, or by the
    /// client's own word.
    ///
    /// A link that cannot close one side tells nothing of a client that has closed: it may
    /// have read `closing` or not. What was promised stands before that, and an ack proves it.
    pub(super) fn is_settled(&self) -> bool {
        if self.is_read() {
            return true;
        }
        let link = self.outlet.link_ref();
        let is_silent = self.inbox.is_over && !link.half_closes() && link.is_hung_up();
        is_silent && self.has_acked_broadcasts() && self.outlet.has_no_answer_behind(self.acked)
    }

    /// The reason of the end, as the report tells it.
    ///
    /// On a link that cannot close one side, a client that has ended by itself and closed may
    /// have left with unread bytes: nothing tells. Either it has read everything, or it has
    /// broken the connection; the report claims no more than the second.
    fn reported_reason(&self, reason: CloseReason, evidence: Evidence) -> CloseReason {
        let link = self.outlet.link_ref();
        let has_closed = self.inbox.is_over && !link.half_closes();
        let is_own = matches!(reason, CloseReason::Fim | CloseReason::Disconnected);
        if is_own && has_closed && evidence < link.best_evidence() {
            CloseReason::Lost
        } else {
            reason
        }
    }

    /// Whether the client has acknowledged the last broadcast that it was sent.
    fn has_acked_broadcasts(&self) -> bool {
        self.acked >= self.outlet.reached() && self.acked > Seq::ZERO
    }

    pub(super) fn evidence_now(&self) -> Evidence {
        let link = self.outlet.link_ref();
        if self.outlet.is_broken() || !self.outlet.is_clear() {
            Evidence::Queued
        } else if self.has_acked_broadcasts() && self.is_settled() {
            Evidence::Acked // its word is for broadcasts: replies may be unread all the same
        } else {
            link.evidence()
        }
    }

    /// From now on it gets what follows `after`.
    pub(super) fn follow(&mut self, after: Seq, user: Arc<str>) {
        self.outlet.follow(after, user);
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
        if let Some(now) = self.listener.stopwatch.now() {
            *of(self.times.get_or_insert_default()) = Some(now);
        }
    }

    /// What can be said of this session now.
    pub(super) fn record(&self) -> SessionRecord {
        let (reason, owed) = match &self.state {
            State::Closed { reason, owed, .. } => (*reason, *owed),
            State::Ending(ending) => (ending.reason, ending.owed()),
            _ => (CloseReason::Shutdown, Owed::UpToHead),
        };
        let evidence = self.evidence.unwrap_or_else(|| self.evidence_now());
        let reason = self.reported_reason(reason, evidence);
        let user = self.info.user();
        let sent = self.outlet.sent();
        let owed = if self.outlet.follows() {
            owed
        } else {
            Owed::Nothing
        };
        let cut = match owed {
            Owed::Nothing => sent,
            Owed::UpTo(cut) => cut,
            Owed::UpToHead => self.listener.log.head(),
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
            is_owed_head: owed == Owed::UpToHead,
            gaps_unlisted_to: self.outlet.gaps_unlisted_to(),
            acked: self.acked,
            evidence,
            times_us: self.times.as_deref().copied().unwrap_or_default(),
        }
    }
}
