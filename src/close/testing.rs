//! Values for tests of reports.

use super::{
    CloseReason, Evidence, RecentRoutes, Report, RoutedBroadcast, SessionFilter, SessionRecord,
    StopReason, Times,
};
use crate::wire::{Millis, Seq, SessionId};

/// The record of a reader that stalled: it got everything from 11 to 90, except for a gap, and was
/// owed 10 broadcasts more.
pub(in crate::close) fn record() -> SessionRecord {
    SessionRecord {
        session: SessionId(7),
        user: Some("ana".to_owned()),
        endpoint: "unix:/run/a.sock".to_owned(),
        reason: CloseReason::Shutdown.into(),
        accepted: 3,
        answered: 3,
        refused: 1,
        after: Some(Seq(10)),
        cut: Seq(100),
        sent: Seq(90),
        missing: vec![(Seq(91), Seq(100))],
        missing_undecided_to: None,
        calls: None,
        not_for_it: 0,
        filter: None,
        rules: None,
        withheld: Vec::new(),
        withheld_unlisted_to: None,
        gaps: vec![(Seq(20), Seq(29))],
        is_owed_head: true,
        gaps_unlisted_to: Some(Seq(15)),
        acked: Seq(50),
        evidence: Evidence::Written,
        times_us: Times::default(),
    }
}

/// A filter, some of whose patterns are not listed, and which wants no presence changes.
pub(in crate::close) fn filter(patterns: &[&str], unlisted: u64, since: u64) -> SessionFilter {
    let patterns = patterns.iter().map(|text| (*text).to_owned());
    SessionFilter {
        patterns: Some(patterns.collect()),
        unlisted,
        since: Seq(since),
        presence: false,
    }
}

/// Routes behind 52. The message 51 may be for one user. 53 is a/1, 54 for rui, 55 b, 56 for ana with
/// the topic b, 57 a presence change, 58 a/2, 59 and 60 are without a topic.
pub(in crate::close) fn routes() -> RecentRoutes {
    let listed = [
        (53, Some("a/1"), None),
        (54, None, Some("rui")),
        (55, Some("b"), None),
        (56, Some("b"), Some("ana")),
        (57, None, None),
        (58, Some("a/2"), None),
    ];
    let listed = listed.map(|(seq, topic, to)| RoutedBroadcast {
        seq: Seq(seq),
        topic: topic.map(str::to_owned),
        to: to.map(str::to_owned),
        presence: topic.is_none() && to.is_none(),
    });
    RecentRoutes {
        above: Seq(52),
        direct_to: Seq(51),
        listed: listed.into(),
    }
}

/// A report with these routes and without sessions.
pub(in crate::close) fn report(routes: Option<RecentRoutes>) -> Report {
    Report {
        version: 1,
        reason: StopReason::Fim,
        exit: 3,
        began: Millis(0),
        drained: false,
        stream: "s".to_owned(),
        head: Seq(100),
        phases: Vec::new(),
        actors: Vec::new(),
        routes,
        calls: None,
        sessions: Vec::new(),
        trouble: Vec::new(),
    }
}
