//! The fate of one broadcast at one session.

use super::observation::Observation;
use super::record::SessionRecord;
use super::report::Report;
use super::routes::RecentRoutes;
use super::verdict::{Judge, NotForIt, Undecided, Verdict};
use crate::link::Evidence;
use crate::wire::Seq;

/// The fate of one broadcast at one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// The client said that it has read it.
    Acked,
    /// It was written whole, and is known to have got so far.
    Sent(Evidence),
    /// It was not for the session.
    NotForIt(NotForIt),
    /// It had to be written, and was not.
    Missing,
    /// It is not written yet: the server runs.
    Waiting,
    /// It had fallen off the log before the session read it; the client was told so by
    /// `gap`, where its dialect has that.
    Gap,
    /// The report cannot tell whether it was for the session.
    Undecided(Undecided),
    /// It was written, or is in a gap that the report no longer lists.
    Unlisted,
    /// The report does not say where the session's broadcasts began: an older one.
    Unplaced,
    /// It was made before the session logged in, or resumed behind it.
    Before,
    /// The session had ended by itself before it was made.
    Behind,
    /// The session gets no broadcasts: it has not logged in, or its listener has none.
    NoReader,
}

impl Report {
    /// Returns the fate of the broadcast `seq` at one of the report's sessions.
    ///
    /// A broadcast that was not for the session is never called missing, and one that the report
    /// cannot judge is called neither.
    pub fn fate(&self, record: &SessionRecord, seq: Seq) -> Fate {
        // Reports of older versions have no routes, and their servers had no filters.
        fate(self.routes.as_ref(), record, seq)
    }
}

impl Observation {
    /// Returns the fate of the broadcast `seq` at one of the sessions, as [`Report::fate`] does.
    pub fn fate(&self, record: &SessionRecord, seq: Seq) -> Fate {
        match fate(Some(&self.routes), record, seq) {
            Fate::Missing => Fate::Waiting,
            fate => fate,
        }
    }
}

/// Returns the fate of a broadcast at a session, by its record and by what is known of routes.
fn fate(routes: Option<&RecentRoutes>, record: &SessionRecord, seq: Seq) -> Fate {
    let is_in = |ranges: &[(Seq, Seq)]| ranges.iter().any(|(a, b)| (*a..=*b).contains(&seq));
    let is_missing = is_in(&record.missing);
    match record.after {
        Some(after) if seq <= after => return Fate::Before,
        None if is_in(&record.gaps) => return Fate::Gap,
        None if is_missing => return Fate::Missing,
        None if record.user.is_some() || record.sent > Seq::ZERO => return Fate::Unplaced,
        None => return Fate::NoReader,
        Some(_) if seq > record.sent.max(record.cut) && !is_missing => return Fate::Behind,
        Some(_) => {}
    }
    let verdict = routes.map_or(Verdict::ForIt, |routes| {
        Judge::new(record).verdict(seq, routes.of(seq))
    });
    match verdict {
        Verdict::NotForIt(why) => Fate::NotForIt(why),
        _ if is_in(&record.gaps) => Fate::Gap,
        Verdict::Undecided(why) => Fate::Undecided(why),
        Verdict::ForIt if is_missing || seq > record.sent => Fate::Missing,
        Verdict::ForIt if record.gaps_unlisted_to.is_some_and(|to| seq <= to) => Fate::Unlisted,
        Verdict::ForIt if seq <= record.acked => Fate::Acked,
        // Acked is said of the last one only; of the others it is the ack that tells.
        Verdict::ForIt => Fate::Sent(record.evidence.clamp(Evidence::Written, Evidence::Read)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::close::testing::{filter, record, report, routes};
    use crate::close::{SubscribeRules, selection::SessionFilter};

    #[test]
    fn broadcast_fate_is_what_the_record_proves() {
        let mut record = record();
        let report = report(None);
        let fates = [10, 11, 16, 20, 29, 30, 50, 51, 90, 91, 100];
        let fates = fates.map(|seq| report.fate(&record, Seq(seq)));
        let written = Fate::Sent(Evidence::Written);
        let expected = [
            Fate::Before,
            Fate::Unlisted,
            Fate::Acked,
            Fate::Gap,
            Fate::Gap,
            Fate::Acked,
            Fate::Acked,
            written,
            written,
            Fate::Missing,
            Fate::Missing,
        ];
        assert_eq!(fates, expected);

        record.evidence = Evidence::Queued;
        assert_eq!(
            report.fate(&record, Seq(60)),
            written,
            "it was written whole"
        );
        (record.cut, record.missing) = (Seq(90), Vec::new());
        assert_eq!(report.fate(&record, Seq(95)), Fate::Behind);
        record.after = None;
        assert_eq!(
            report.fate(&record, Seq(60)),
            Fate::Unplaced,
            "an older report's"
        );
        (record.user, record.sent) = (None, Seq::ZERO);
        assert_eq!(report.fate(&record, Seq(60)), Fate::NoReader);
    }

    /// The fates of the broadcasts 51 to 59 at a session that has been sent everything up to 55.
    fn fates(change: impl FnOnce(&mut SessionRecord)) -> [Fate; 9] {
        let mut record = record();
        (record.sent, record.cut, record.acked) = (Seq(55), Seq(60), Seq::ZERO);
        (record.gaps, record.missing) = (Vec::new(), vec![(Seq(56), Seq(60))]);
        record.gaps_unlisted_to = None;
        change(&mut record);
        let report = report(Some(routes()));
        [51, 52, 53, 54, 55, 56, 57, 58, 59].map(|seq| report.fate(&record, Seq(seq)))
    }

    const WRITTEN: Fate = Fate::Sent(Evidence::Written);
    const FILTER: Fate = Fate::NotForIt(NotForIt::Filter);
    const RULES: Fate = Fate::NotForIt(NotForIt::Rules);
    const OTHER: Fate = Fate::NotForIt(NotForIt::AnotherUser);
    const UNLISTED: Fate = Fate::Undecided(Undecided::RouteUnlisted);
    const OLD_FILTER: Fate = Fate::Undecided(Undecided::FilterChanged);

    // 51 and 52 are older than the listed routes, and 51 may be for one user. 53 is a/1, 54 for
    // rui, 55 b, 56 for ana with the topic b, 57 a presence change, 58 a/2, 59 without a topic.

    #[test]
    fn unfiltered_session_gets_everything_but_messages_to_others() {
        let expected = [
            UNLISTED,
            WRITTEN,
            WRITTEN,
            OTHER,
            WRITTEN,
            Fate::Missing,
            Fate::Missing,
            Fate::Missing,
            Fate::Missing,
        ];
        assert_eq!(fates(|_| {}), expected);
    }

    #[test]
    fn filtered_session_gets_its_topics_and_messages_to_its_user() {
        let expected = [
            UNLISTED,
            UNLISTED,
            WRITTEN,
            OTHER,
            FILTER,
            Fate::Missing,
            Fate::NotForIt(NotForIt::Presence),
            Fate::Missing,
            FILTER,
        ];
        let chosen = fates(|record| record.filter = Some(filter(&["a/+"], 0, 10)));
        assert_eq!(chosen, expected);
        let all = fates(|record| record.filter = Some(filter(&["#"], 0, 10)));
        assert_eq!(
            all[8],
            Fate::Missing,
            "`#` matches a message without a topic"
        );
    }

    #[test]
    fn changed_or_long_filter_decides_only_what_is_known_of_it() {
        let changed = fates(|record| record.filter = Some(filter(&["a/+"], 0, 55)));
        assert_eq!(
            changed[..6],
            [
                UNLISTED,
                UNLISTED,
                OLD_FILTER,
                OTHER,
                OLD_FILTER,
                Fate::Missing
            ]
        );
        let long = fates(|record| record.filter = Some(filter(&["a/+"], 1, 10)));
        let unlisted = Fate::Undecided(Undecided::PatternsUnlisted);
        assert_eq!(long[2..5], [WRITTEN, OTHER, unlisted]);
        assert_eq!(long[7..], [Fate::Missing, unlisted]);
    }

    #[test]
    fn session_without_presence_is_told_of_nobody() {
        let fates = fates(|record| {
            record.filter = Some(SessionFilter {
                patterns: None,
                ..filter(&[], 0, 10)
            });
        });
        assert_eq!(fates[6], Fate::NotForIt(NotForIt::Presence));
        assert_eq!(fates[1], UNLISTED, "it may be a presence change");
        assert_eq!((fates[2], fates[8]), (WRITTEN, Fate::Missing));
    }

    #[test]
    fn rules_are_judged_at_delivery_and_then_at_the_stop() {
        let rules = |deny: &[&str], allow: &[&str], unlisted| {
            let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            Some(SubscribeRules {
                deny: texts(deny),
                allow: texts(allow),
                unlisted,
                since: Seq(10),
            })
        };
        let denied = fates(|record| {
            record.rules = rules(&["b", "#/x", "a/%u"], &[], 0);
            record.withheld = vec![Seq(53)];
        });
        // 55 has the topic b too, but it was sent before there was the rule.
        assert_eq!(denied[..5], [UNLISTED, WRITTEN, RULES, OTHER, WRITTEN]);
        assert_eq!(
            denied[5..],
            [RULES, Fate::Missing, Fate::Missing, Fate::Missing]
        );
        let allowed = fates(|record| record.rules = rules(&[], &["a/#"], 0));
        assert_eq!(allowed[5..], [RULES, Fate::Missing, Fate::Missing, RULES]);
        let unlisted = Fate::Undecided(Undecided::RulesUnlisted);
        let in_part = fates(|record| {
            record.rules = rules(&["b"], &["a/#"], 1);
            record.withheld_unlisted_to = Some(Seq(54));
        });
        assert_eq!(in_part[..5], [UNLISTED, UNLISTED, unlisted, OTHER, WRITTEN]);
        assert_eq!(in_part[5..], [RULES, Fate::Missing, unlisted, unlisted]);
    }

    #[test]
    fn rules_judge_what_was_read_since_they_last_changed() {
        let fates = |since| {
            fates(|record| {
                record.withheld_unlisted_to = Some(Seq(55));
                record.rules = Some(SubscribeRules {
                    deny: vec!["b".to_owned()],
                    allow: Vec::new(),
                    unlisted: 0,
                    since: Seq(since),
                });
            })
        };
        let unchanged = fates(10);
        assert_eq!(unchanged[..5], [UNLISTED, UNLISTED, WRITTEN, OTHER, RULES]);
        let withheld = Fate::Undecided(Undecided::WithheldUnlisted);
        assert_eq!(fates(54)[2..5], [withheld, OTHER, RULES]);
        assert_eq!(fates(55)[2..5], [withheld, OTHER, withheld]);
        assert_eq!(fates(55)[5], RULES, "it was not read");
    }

    #[test]
    fn report_without_routes_has_no_filters_either() {
        let mut record = record();
        record.missing = vec![(Seq(91), Seq(100))];
        let report = report(None);
        assert_eq!(report.fate(&record, Seq(95)), Fate::Missing);
    }

    #[test]
    fn broadcast_in_a_gap_may_not_have_been_for_the_session() {
        let fates = fates(|record| {
            record.filter = Some(filter(&["a/+"], 0, 10));
            record.gaps = vec![(Seq(52), Seq(55))];
        });
        assert_eq!(fates[1..5], [Fate::Gap, Fate::Gap, OTHER, FILTER]);
    }

    #[test]
    fn session_that_ended_before_a_broadcast_is_behind_whatever_it_chose() {
        let fates = fates(|record| {
            record.filter = Some(filter(&["b"], 0, 10));
            (record.cut, record.missing) = (record.sent, Vec::new());
        });
        assert_eq!(fates[5..], [Fate::Behind; 4]);
    }
}
