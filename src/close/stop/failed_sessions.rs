//! Sessions whose connections failed before the stop, for a reason on the server's side.
//! The report lists them, because what they miss is not their clients' fault.

use std::collections::VecDeque;

use crate::close::{SessionRecord, Trouble};

/// The most records that are held; the earliest are dropped first.
const LISTED: usize = 64;

/// The records of failed sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct FailedSessions {
    records: VecDeque<SessionRecord>,
    unlisted: u64,
}

impl FailedSessions {
    /// Adds the record of a session whose connection has failed, unless the session got
    /// everything that was promised to it.
    pub(super) fn note(&mut self, record: SessionRecord) {
        if record.is_whole() {
            return;
        }
        if self.records.len() == LISTED {
            self.records.pop_front();
            self.unlisted += 1;
        }
        self.records.push_back(record);
    }

    /// Takes the records out, in the order in which the sessions ended.
    pub(super) fn take(&mut self) -> VecDeque<SessionRecord> {
        std::mem::take(&mut self.records)
    }

    /// Returns the trouble that counts the records that were dropped, if there were any.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let unlisted = self.unlisted;
        (unlisted > 0).then_some(Trouble::FailedSessionsUnlisted(unlisted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::close::{CloseReason, Evidence, Times};
    use crate::wire::{ErrorCode, Seq, SessionId};

    fn record(session: u64, reason: CloseReason) -> SessionRecord {
        SessionRecord {
            session: SessionId(session),
            user: Some("ana".to_owned()),
            endpoint: "unix:@a".to_owned(),
            reason: reason.into(),
            accepted: 1,
            answered: 1,
            refused: 0,
            after: Some(Seq(1)),
            cut: Seq(3),
            sent: Seq(2),
            missing: vec![(Seq(3), Seq(3))],
            missing_undecided_to: None,
            calls: None,
            not_for_it: 0,
            filter: None,
            rules: None,
            withheld: Vec::new(),
            withheld_unlisted_to: None,
            gaps: Vec::new(),
            is_owed_head: false,
            gaps_unlisted_to: None,
            acked: Seq::ZERO,
            evidence: Evidence::Queued,
            times_us: Times::default(),
        }
    }

    #[test]
    fn failed_session_that_got_everything_is_not_recorded() {
        let mut failed = FailedSessions::default();
        failed.note(record(2, CloseReason::Lost));
        let mut whole = record(3, CloseReason::Error(ErrorCode::Internal));
        (whole.missing, whole.evidence) = (Vec::new(), Evidence::Read);
        whole.sent = whole.cut;
        failed.note(whole);
        failed.note(record(4, CloseReason::Error(ErrorCode::Internal)));
        let kept: Vec<_> = failed
            .take()
            .iter()
            .map(|record| record.session.0)
            .collect();
        assert_eq!(kept, [4]);
        assert_eq!(failed.trouble(), None);
    }

    #[test]
    fn failed_sessions_beyond_the_bound_are_counted() {
        let mut failed = FailedSessions::default();
        for session in 0..70 {
            failed.note(record(session, CloseReason::Error(ErrorCode::Internal)));
        }
        assert_eq!(failed.trouble(), Some(Trouble::FailedSessionsUnlisted(6)));
        assert_eq!(
            failed.take().front().map(|record| record.session.0),
            Some(6)
        );
    }
}
