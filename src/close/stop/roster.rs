//! The sessions that a stop deals with, and the record that is believed of each.

use std::collections::{BTreeMap, BTreeSet};

use super::failed_sessions::FailedSessions;
use super::input::ObservedSession;
use crate::close::{CloseReason, Evidence, SessionRecord, Times, Trouble};
use crate::wire::{Seq, SessionId};

/// The live sessions, and the records of those that have told something of themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Roster {
    live: BTreeSet<SessionId>,
    records: BTreeMap<SessionId, SessionRecord>,
    failed: FailedSessions,
}

impl Roster {
    pub(super) fn open(&mut self, session: SessionId) {
        self.live.insert(session);
    }

    /// Removes a session. If it ended in the stop its record is kept; if before the stop, only
    /// when its connection has failed.
    pub(super) fn end(&mut self, record: SessionRecord, has_failed: bool, ended_in_stop: bool) {
        self.live.remove(&record.session);
        if ended_in_stop {
            self.records.insert(record.session, record);
            return;
        }
        self.records.remove(&record.session); // its answer to a stop's order
        if has_failed {
            self.failed.note(record);
        }
    }

    /// Notes the record of a live session; a later record replaces an earlier one. The
    /// session's end may have overtaken this answer, and its last record stands.
    pub(super) fn note(&mut self, record: SessionRecord) {
        if self.live.contains(&record.session) {
            self.records.insert(record.session, record);
        }
    }

    /// Notes the record of a live session of which there is none yet.
    pub(super) fn note_first(&mut self, record: SessionRecord) {
        if self.live.contains(&record.session) {
            self.records.entry(record.session).or_insert(record);
        }
    }

    /// The live sessions, by number.
    pub(super) fn live(&self) -> &BTreeSet<SessionId> {
        &self.live
    }

    /// Takes out every record, by number. A live session without a record is listed by what
    /// was observed, at the lowest level of evidence.
    pub(super) fn take_records(
        &mut self,
        observed: Vec<ObservedSession>,
        head: Seq,
    ) -> Vec<SessionRecord> {
        let mut records = std::mem::take(&mut self.records);
        for seen in observed {
            if !self.live.contains(&seen.session) {
                continue;
            }
            let known = unheard(seen, head);
            let (sent, evidence) = (known.sent, known.evidence);
            let record = records.entry(known.session).or_insert(known);
            if record.sent < sent {
                (record.sent, record.evidence) = (sent, evidence);
            }
        }
        records
            .values_mut()
            .for_each(|record| owe_up_to(record, head));
        let failed = self.failed.take().into_iter();
        records.extend(failed.map(|record| (record.session, record)));
        records.into_values().collect()
    }

    /// Returns the trouble of records that were not kept, if there were any.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.failed.trouble()
    }
}

/// Returns the record of a session of a server that runs: its answer, or what was observed if it has
/// not answered.
pub fn live_record(
    seen: ObservedSession,
    answered: Option<SessionRecord>,
    head: Seq,
) -> SessionRecord {
    let mut record = answered.unwrap_or_else(|| {
        // Nobody knows which of them were in a gap.
        let gaps_unlisted_to = seen.after.map(|_| seen.sent);
        SessionRecord {
            gaps_unlisted_to,
            ..unheard(seen, head)
        }
    });
    owe_up_to(&mut record, head);
    record
}

/// A record from before the log was sealed does not know the final head.
fn owe_up_to(record: &mut SessionRecord, head: Seq) {
    if record.is_owed_head {
        record.cut = head;
        record.missing = missing(record.sent, head);
    }
}

fn missing(sent: Seq, cut: Seq) -> Vec<(Seq, Seq)> {
    let range = (sent < cut).then(|| (sent.next(), cut));
    range.into_iter().collect()
}

/// The record of a session that has told nothing of itself.
fn unheard(seen: ObservedSession, head: Seq) -> SessionRecord {
    let cut = seen.after.map_or(Seq::ZERO, |_| head);
    SessionRecord {
        session: seen.session,
        user: seen.user,
        endpoint: seen.endpoint,
        reason: CloseReason::Shutdown.into(),
        accepted: 0,
        answered: 0,
        refused: 0,
        after: seen.after,
        cut,
        sent: seen.sent,
        missing: missing(seen.sent, cut),
        missing_undecided_to: None,
        calls: None,
        not_for_it: 0,
        // Nobody knows which broadcasts the rules have kept from it.
        withheld: Vec::new(),
        withheld_unlisted_to: seen.rules.as_ref().map(|_| seen.sent),
        filter: seen.filter,
        rules: seen.rules,
        gaps: Vec::new(),
        is_owed_head: seen.after.is_some(),
        gaps_unlisted_to: None,
        acked: Seq::ZERO,
        evidence: Evidence::Queued,
        times_us: Times::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: SessionId = SessionId(7);

    #[test]
    fn live_record_owes_everything_up_to_the_head() {
        let silent = live_record(seen(14), None, Seq(20));
        let answered = SessionRecord {
            acked: Seq(12),
            ..unheard(seen(16), Seq(16))
        };
        let told = live_record(seen(14), Some(answered), Seq(20));
        assert_eq!((silent.sent, told.sent), (Seq(14), Seq(16)));
        assert_eq!(silent.missing, [(Seq(15), Seq(20))]);
        assert_eq!(told.missing, [(Seq(17), Seq(20))]);
        assert_eq!(
            (silent.gaps_unlisted_to, told.gaps_unlisted_to),
            (Some(Seq(14)), None)
        );
        assert_eq!(told.acked, Seq(12));
    }

    /// A session that has got the broadcasts 11 to `sent`.
    fn seen(sent: u64) -> ObservedSession {
        ObservedSession {
            session: SESSION,
            user: None,
            endpoint: "unix:@a".to_owned(),
            after: Some(Seq(10)),
            sent: Seq(sent),
            filter: None,
            rules: None,
        }
    }

    fn roster() -> Roster {
        let mut roster = Roster::default();
        roster.open(SESSION);
        roster
    }

    fn misses(records: &[SessionRecord]) -> Vec<(Seq, Seq)> {
        let [record] = records else {
            panic!("there is one session: {records:?}");
        };
        assert_eq!((record.cut, record.sent), (Seq(20), Seq(15)));
        assert!(!record.is_whole());
        record.missing.clone()
    }

    #[test]
    fn silent_session_misses_what_was_not_sent_since_login() {
        let records = roster().take_records(vec![seen(15)], Seq(20));
        assert_eq!(misses(&records), [(Seq(16), Seq(20))]);
    }

    #[test]
    fn session_active_before_the_seal_is_owed_up_to_the_head() {
        let mut roster = roster();
        let mut early = unheard(seen(15), Seq(15));
        (early.accepted, early.answered) = (3, 3);
        early.evidence = Evidence::Read;
        assert!(early.is_whole(), "so it was then");
        roster.note(early);
        let records = roster.take_records(vec![seen(15)], Seq(20));
        assert_eq!(misses(&records), [(Seq(16), Seq(20))]);
        assert_eq!(records[0].answered, 3, "what it said of its frames stands");
    }

    #[test]
    fn final_record_of_a_session_is_kept_as_it_is() {
        let mut roster = roster();
        let mut last = unheard(seen(20), Seq(20));
        last.evidence = Evidence::Acked;
        roster.note(last.clone());
        assert_eq!(roster.take_records(vec![seen(20)], Seq(20)), [last]);
    }

    #[test]
    fn record_after_the_end_of_its_session_is_ignored() {
        let mut roster = roster();
        let last = unheard(seen(20), Seq(20));
        roster.end(last.clone(), false, true);
        roster.note(unheard(seen(12), Seq(12)));
        roster.note_first(unheard(seen(13), Seq(13)));
        assert_eq!(roster.take_records(Vec::new(), Seq(20)), [last]);
    }

    #[test]
    fn late_announcement_record_replaces_no_other() {
        let mut roster = roster();
        let mut drained = unheard(seen(20), Seq(20));
        drained.evidence = Evidence::Read;
        roster.note(drained.clone());
        roster.note_first(unheard(seen(12), Seq(12)));
        assert_eq!(roster.take_records(vec![seen(20)], Seq(20)), [drained]);
    }

    #[test]
    fn session_that_went_on_after_its_record_is_reported_as_seen() {
        let mut roster = roster();
        let mut early = unheard(seen(15), Seq(15));
        early.evidence = Evidence::Read;
        roster.note(early);
        let records = roster.take_records(vec![seen(20)], Seq(20));
        assert_eq!(
            (records[0].sent, records[0].evidence),
            (Seq(20), Evidence::Queued)
        );
    }
}
