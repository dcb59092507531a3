//! What waits to be written: records, and counts of events that repeat. It is plain state without
//! I/O; the time is handed in.

use std::time::{Instant, SystemTime};

use super::queue::{Batch, Queue};
use super::record::{Fields, line, time};
use super::repeats::{Bounds, Count, Facts, Key, Repeats};

/// Refusals that are written one by one in a minute.
const REFUSALS: Bounds = Bounds {
    of_key: 10,
    of_all: 200,
    keys: 1000,
};

/// Logins that are written one by one in a minute.
const LOGINS: Bounds = Bounds {
    of_key: 1000,
    of_all: 6000,
    keys: 10_000,
};

/// A moment, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) instant: Instant,
    pub(super) clock: SystemTime,
}

/// An event that may repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeating {
    Login,
    Refusal,
}

/// Records that wait, and counts that will become records.
#[derive(Debug)]
pub(super) struct Pending {
    queue: Queue,
    logins: Repeats,
    refusals: Repeats,
    lost: u64,
}

impl Moment {
    pub(super) fn now() -> Moment {
        Moment {
            instant: Instant::now(),
            clock: SystemTime::now(),
        }
    }
}

impl Repeating {
    fn event(self) -> &'static str {
        match self {
            Repeating::Login => "login",
            Repeating::Refusal => "refused",
        }
    }
}

impl Pending {
    pub(super) fn new() -> Pending {
        Pending {
            queue: Queue::default(),
            logins: Repeats::new(LOGINS),
            refusals: Repeats::new(REFUSALS),
            lost: 0,
        }
    }

    /// Adds the record of an event.
    pub(super) fn push(&mut self, event: &'static str, fields: &Fields<'_>, now: Moment) {
        if !self.queue.push(&line(now.clock, event, fields), now.clock) {
            self.lost += 1;
        }
    }

    /// Adds the record of an event that may repeat, or counts it.
    pub(super) fn push_repeating(
        &mut self,
        repeating: Repeating,
        code: &'static str,
        fields: &Fields<'_>,
        now: Moment,
    ) {
        self.end_windows(now);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let key = Key {
            code,
            host: owned(fields.host).unwrap_or_default(),
        };
        let facts = Facts {
            user: owned(fields.user),
            endpoint: owned(fields.endpoint),
            reason: owned(fields.reason),
        };
        let repeats = match repeating {
            Repeating::Login => &mut self.logins,
            Repeating::Refusal => &mut self.refusals,
        };
        if repeats.note(key, facts, now.instant, now.clock) {
            self.push(repeating.event(), fields, now);
        }
    }

    /// Adds the last record of all, behind the counts.
    pub(super) fn push_last(&mut self, event: &'static str, fields: &Fields<'_>, now: Moment) {
        self.push_counts(Repeating::Login, now);
        self.push_counts(Repeating::Refusal, now);
        self.queue
            .push_last(&line(now.clock, event, fields), now.clock);
    }

    /// Makes records of the counts whose time is over.
    pub(super) fn end_windows(&mut self, now: Moment) {
        let is_over =
            |repeats: &Repeats| repeats.window_end().is_some_and(|end| end <= now.instant);
        if is_over(&self.logins) {
            self.push_counts(Repeating::Login, now);
        }
        if is_over(&self.refusals) {
            self.push_counts(Repeating::Refusal, now);
        }
    }

    /// Returns when counts will become records, if there may be some.
    pub(super) fn next_window_end(&self) -> Option<Instant> {
        let ends = [self.logins.window_end(), self.refusals.window_end()];
        ends.into_iter().flatten().min()
    }

    /// Takes the records that wait.
    pub(super) fn take(&mut self, now: Moment) -> Option<Batch> {
        self.queue.take(now.clock)
    }

    /// Returns the number of records that wait or that will be told as lost.
    pub(super) fn unwritten(&self) -> u64 {
        self.queue.unwritten()
    }

    /// Whether records find no room.
    pub(super) fn is_losing(&self) -> bool {
        self.queue.is_losing()
    }

    /// Returns the number of records that had no room.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    fn push_counts(&mut self, repeating: Repeating, now: Moment) {
        let counts = match repeating {
            Repeating::Login => self.logins.end_window(),
            Repeating::Refusal => self.refusals.end_window(),
        };
        for count in counts {
            let Count {
                key,
                facts,
                events,
                since,
            } = count;
            let code = key.as_ref().map(|key| key.code);
            let fields = Fields {
                user: facts.user.as_deref(),
                endpoint: facts.endpoint.as_deref(),
                reason: facts.reason.as_deref(),
                host: key.as_ref().map(|key| key.host.as_str()),
                code: code.filter(|code| !code.is_empty()),
                count: Some(events),
                since: Some(time(since)),
                ..Fields::default()
            };
            self.push(repeating.event(), &fields, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::audit::repeats::WINDOW;

    fn refuse(pending: &mut Pending, now: Moment) {
        let fields = Fields {
            host: Some("uid 1"),
            user: Some("ana"),
            code: Some("bad-credentials"),
            ..Fields::default()
        };
        pending.push_repeating(Repeating::Refusal, "bad-credentials", &fields, now);
    }

    fn taken(pending: &mut Pending, now: Moment) -> Vec<serde_json::Value> {
        let batch = pending.take(now).expect("there is something");
        let text = String::from_utf8(batch.lines).expect("it is utf-8");
        let records = text.lines().map(serde_json::from_str);
        records.map(|record| record.expect("it is json")).collect()
    }

    #[test]
    fn flood_of_refusals_becomes_a_few_records_and_a_count() {
        let (mut pending, now) = (Pending::new(), Moment::now());
        (0..1000).for_each(|_| refuse(&mut pending, now));
        assert_eq!(taken(&mut pending, now).len(), 10);
        assert_eq!(pending.next_window_end(), Some(now.instant + WINDOW));
        pending.end_windows(now);
        assert!(pending.take(now).is_none(), "the window is not over");
        let later = Moment {
            instant: now.instant + WINDOW,
            clock: now.clock + Duration::from_secs(1),
        };
        refuse(&mut pending, later);
        let records = taken(&mut pending, later);
        assert_eq!(records.len(), 2);
        assert_eq!(records[0]["count"], 990);
        assert_eq!(records[0]["since"], time(now.clock));
        assert_eq!(records[0]["time"], time(later.clock));
        assert_eq!(records[0]["code"], "bad-credentials");
        assert_eq!(records[0]["user"], "ana");
        assert!(records[1]["count"].is_null(), "it is one of a new window");
        assert_eq!(pending.lost(), 0);
    }

    #[test]
    fn counts_come_before_the_last_record() {
        let (mut pending, now) = (Pending::new(), Moment::now());
        (0..12).for_each(|_| refuse(&mut pending, now));
        pending.push_last("stop", &Fields::default(), now);
        let records = taken(&mut pending, now);
        assert_eq!(records[10]["count"], 2);
        assert_eq!(records[11]["event"], "stop");
    }
}
