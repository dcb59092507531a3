//! Removes from the missing ranges the broadcasts that were not for their session.
//!
//! A session that did not get to its cut misses only those broadcasts behind the last one sent that
//! were for it. The routes of the newest broadcasts decide which those are. An undecided broadcast
//! counts as missing, and the record says up to where there may be some.

use crate::close::SessionRecord;
use crate::close::routes::{KnownRoute, RecentRoutes};
use crate::close::verdict::{Judge, Verdict};
use crate::wire::Seq;

/// The most comparisons with patterns and rules for all sessions of a report: a fraction of a
/// second. The rest stays undecided.
const COMPARISONS: usize = 1 << 20;

/// The most ranges of what a session misses.
const RANGES: usize = 64;

/// Removes from what each session misses the broadcasts that were not for it.
pub(super) fn judge_missing(records: &mut [SessionRecord], routes: &RecentRoutes) {
    let mut comparisons = COMPARISONS;
    for record in records {
        if record.after.is_some() && record.missing == [(record.sent.next(), record.cut)] {
            judge(record, routes, &mut comparisons);
        }
    }
}

fn judge(record: &mut SessionRecord, routes: &RecentRoutes, comparisons: &mut usize) {
    let (from, to) = (record.sent.next(), record.cut);
    let listed = routes.between(from.max(routes.above.next()), to);
    let judge = Judge::new(record);
    let cost = (listed.len() + 1) * (judge.comparisons() + 1);
    let Some(left) = comparisons.checked_sub(cost) else {
        record.missing_undecided_to = Some(to);
        return;
    };
    *comparisons = left;
    let mut found = Found::new(record);
    let mut next = from;
    if from <= routes.above {
        let last = to.min(routes.above);
        // Of these messages the older ones may be for one user only.
        let direct_to = last.min(routes.direct_to);
        let verdict = |seq| judge.by_route(seq, routes.of(seq));
        found.add(from, direct_to, verdict);
        found.add(from.max(direct_to.next()), last, verdict);
        next = last.next();
    }
    let everybody = |seq| judge.by_route(seq, KnownRoute::Everybody);
    for routed in listed {
        found.add(next, Seq(routed.seq.0 - 1), everybody);
        found.add(routed.seq, routed.seq, |seq| {
            judge.by_route(seq, KnownRoute::Listed(routed))
        });
        next = routed.seq.next();
    }
    found.add(next, to, everybody);
    let Found {
        mut missing,
        mut undecided_to,
        ..
    } = found;
    if let Some(merged) = missing.len().checked_sub(RANGES).filter(|more| *more > 0) {
        let first = missing[0].0;
        missing.drain(..merged);
        missing[0].0 = first;
        undecided_to = undecided_to.max(Some(missing[0].1));
    }
    let kept: u64 = missing.iter().map(|(from, to)| to.0 - from.0 + 1).sum();
    record.not_for_it = to.0 - from.0 + 1 - kept;
    (record.missing, record.missing_undecided_to) = (missing, undecided_to);
}

/// The broadcasts that a session misses.
struct Found<'r> {
    record: &'r SessionRecord,
    missing: Vec<(Seq, Seq)>,
    undecided_to: Option<Seq>,
}

impl<'r> Found<'r> {
    fn new(record: &'r SessionRecord) -> Found<'r> {
        Found {
            record,
            missing: Vec::new(),
            undecided_to: None,
        }
    }

    /// Adds the broadcasts from one seq to another, if there are any. All have one route.
    fn add(&mut self, from: Seq, to: Seq, verdict: impl Fn(Seq) -> Verdict) {
        let since = self.record.filter.as_ref().map(|filter| filter.since);
        let since = since.filter(|since| (from..to).contains(since));
        let Some(since) = since else {
            return self.add_judged(from, to, verdict(from));
        };
        self.add_judged(from, since, verdict(from));
        self.add_judged(since.next(), to, verdict(since.next()));
    }

    fn add_judged(&mut self, from: Seq, to: Seq, verdict: Verdict) {
        if from > to || matches!(verdict, Verdict::NotForIt(_)) {
            return;
        }
        if matches!(verdict, Verdict::Undecided(_)) {
            self.undecided_to = Some(to);
        }
        let record = self.record;
        let withheld = record.withheld.iter();
        let mut next = from;
        for seq in withheld.filter(|seq| (from..=to).contains(*seq)) {
            self.push(next, Seq(seq.0 - 1));
            next = seq.next();
        }
        self.push(next, to);
    }

    fn push(&mut self, from: Seq, to: Seq) {
        match self.missing.last_mut() {
            _ if from > to => {}
            Some((_, last)) if last.next() == from => *last = to,
            _ => self.missing.push((from, to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::close::RoutedBroadcast;
    use crate::close::testing::{filter, record, routes};

    /// The record of a session that was sent everything up to `sent`, and is owed up to 60.
    fn stalled(sent: u64, patterns: Option<&[&str]>) -> SessionRecord {
        let mut record = record();
        (record.sent, record.cut) = (Seq(sent), Seq(60));
        record.missing = vec![(record.sent.next(), record.cut)];
        record.filter = patterns.map(|patterns| filter(patterns, 0, 10));
        record
    }

    /// Returns the ranges that a record misses, up to where these are undecided, and how many
    /// broadcasts were not for the session.
    fn judged(mut record: SessionRecord) -> (Vec<(u64, u64)>, Option<u64>, u64) {
        judge_missing(std::slice::from_mut(&mut record), &routes());
        let missing = record.missing.iter().map(|(from, to)| (from.0, to.0));
        let undecided_to = record.missing_undecided_to.map(|seq| seq.0);
        (missing.collect(), undecided_to, record.not_for_it)
    }

    #[test]
    fn session_misses_only_what_was_for_it() {
        assert_eq!(
            judged(stalled(52, None)),
            (vec![(53, 53), (55, 60)], None, 1)
        );
        assert_eq!(
            judged(stalled(52, Some(&["a/+"]))),
            (vec![(53, 53), (56, 56), (58, 58)], None, 5)
        );
        assert_eq!(
            judged(stalled(52, Some(&["#"]))),
            (vec![(53, 53), (55, 56), (58, 60)], None, 2)
        );
        assert_eq!(judged(stalled(56, Some(&["c"]))), (vec![], None, 4));
    }

    #[test]
    fn broadcasts_without_a_known_route_may_be_missing() {
        let filtered = judged(stalled(40, Some(&["a/2"])));
        assert_eq!(filtered, (vec![(41, 52), (56, 56), (58, 58)], Some(52), 6));
        let unfiltered = judged(stalled(40, None));
        assert_eq!(unfiltered, (vec![(41, 53), (55, 60)], Some(51), 1));
        let mut long = stalled(52, None);
        long.filter = Some(filter(&["a/1"], 3, 10));
        assert_eq!(judged(long).1, Some(60));
        let mut changed = stalled(56, None);
        changed.filter = Some(filter(&["a/2"], 0, 58));
        assert_eq!(judged(changed), (vec![(58, 58)], Some(58), 3));
    }

    #[test]
    fn withheld_broadcasts_that_were_not_told_yet_are_not_missing() {
        let mut record = stalled(52, None);
        record.withheld = vec![Seq(53), Seq(59)];
        assert_eq!(judged(record), (vec![(55, 58), (60, 60)], None, 3));
    }

    #[test]
    fn sessions_without_broadcasts_to_others_miss_one_range() {
        let routes = RecentRoutes {
            direct_to: Seq(9),
            listed: Vec::new(),
            ..routes()
        };
        let mut record = stalled(40, None);
        let expected = record.clone();
        judge_missing(std::slice::from_mut(&mut record), &routes);
        assert_eq!(record, expected);
    }

    #[test]
    fn many_ranges_become_one_that_is_undecided() {
        let listed = (1..=150).map(|n| RoutedBroadcast {
            seq: Seq(n * 2),
            topic: Some("b".to_owned()),
            to: None,
            presence: false,
        });
        let routes = RecentRoutes {
            listed: listed.collect(),
            ..RecentRoutes::default()
        };
        let mut record = stalled(100, Some(&["#", "x"]));
        (record.cut, record.missing) = (Seq(300), vec![(Seq(101), Seq(300))]);
        record.filter = Some(filter(&["c"], 0, 10));
        let mut other = record.clone();
        judge_missing(std::slice::from_mut(&mut record), &routes);
        assert_eq!((record.missing.len(), record.not_for_it), (0, 200));
        // Every second one is for the user of the session.
        let listed = (1..=300).map(|n| RoutedBroadcast {
            seq: Seq(n),
            topic: None,
            to: Some(if n % 2 == 0 { "ana" } else { "rui" }.to_owned()),
            presence: false,
        });
        let routes = RecentRoutes {
            listed: listed.collect(),
            ..RecentRoutes::default()
        };
        judge_missing(std::slice::from_mut(&mut other), &routes);
        assert_eq!(other.missing.len(), RANGES);
        assert_eq!(other.missing[0], (Seq(102), Seq(174)));
        assert_eq!(other.missing_undecided_to, Some(Seq(174)));
        assert_eq!(other.missing[1], (Seq(176), Seq(176)));
        assert_eq!(other.not_for_it + other.missed(), 200);
    }

    #[test]
    fn work_for_all_sessions_together_is_bounded() {
        let many = stalled(52, Some(&["a/+"]));
        let mut records = vec![many; COMPARISONS / 14 + 1];
        judge_missing(&mut records, &routes());
        assert_eq!(records[0].missing_undecided_to, None);
        let last = records.last().expect("there are many");
        assert_eq!(last.missing, [(Seq(53), Seq(60))]);
        assert_eq!(last.missing_undecided_to, Some(Seq(60)));
    }
}
