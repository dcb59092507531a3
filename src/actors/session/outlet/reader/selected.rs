//! A reader's place where a filter selects what it gets.
//!
//! Such a reader has no cursor in the log: the log tells it which broadcasts are for it. What the log
//! no longer holds it searches for in the journal. Its place is the last seq that its client was told
//! of: by a broadcast, a gap, or `passed`.

use std::sync::Arc;
use std::task::{Context as TaskContext, Waker};
use std::time::{Duration, Instant};

use super::upcoming::{BATCH, Upcoming};
use crate::actors::session::core::hears::Hears;
use crate::actors::session::outlet::search::{Search, Searched};
use crate::log::{Log, Selected, Selection, Subscription};
use crate::topic::{Choice, Pattern};
use crate::wire::{Gap, Seq};

/// How often a client is told how far a search is that finds nothing for it.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// The place of a reader with a filter.
#[derive(Debug)]
pub(super) struct SelectedPlace {
    log: Arc<Log>,
    shard: usize,
    user: Arc<str>,
    wants_presence: bool,
    source: Source,
    /// The last seq that the client was told of.
    told: Seq,
    /// The filter holds for what is behind this seq.
    after: Seq,
    /// Whether the reader has not met the log's head yet.
    is_catching_up: bool,
}

/// Where the reader finds what is for it.
#[derive(Debug)]
enum Source {
    Log(Subscription),
    Journal(Box<JournalSource>),
}

#[derive(Debug)]
struct JournalSource {
    search: Search,
    filter: Vec<Pattern<'static>>,
    /// When the client was last told something.
    told_at: Instant,
}

impl SelectedPlace {
    /// Creates the place of a client that was `told` of what is up to one seq, and wants this of what
    /// is behind `after`. Nothing between the two is for it.
    pub(super) fn new(
        log: &Arc<Log>,
        shard: usize,
        (told, after): (Seq, Seq),
        user: Arc<str>,
        (filter, presence): (&[Pattern<'_>], bool),
    ) -> SelectedPlace {
        let wanted = Selection {
            user: &user,
            filter,
            presence,
        };
        SelectedPlace {
            source: Source::Log(Subscription::new(log, shard, after, wanted)),
            log: Arc::clone(log),
            shard,
            user,
            wants_presence: presence,
            told,
            after,
            is_catching_up: true,
        }
    }

    /// The last seq that the client was told of.
    pub(super) fn seq(&self) -> Seq {
        self.told
    }

    /// Notes a seq that the client is told of.
    pub(super) fn tell(&mut self, seq: Seq) {
        self.told = seq;
        if let Source::Journal(source) = &mut self.source {
            source.told_at = Instant::now();
        }
    }

    /// Whether the reader searches the journal.
    pub(super) fn is_in_journal(&self) -> bool {
        matches!(self.source, Source::Journal(_))
    }

    /// Returns what comes next; `waker` is woken for new broadcasts. The client is told where the
    /// stream is once the reader has everything up to `until`.
    pub(super) fn next(
        &mut self,
        until: Option<Seq>,
        waker: &Waker,
        cx: &mut TaskContext<'_>,
    ) -> Upcoming {
        match &mut self.source {
            Source::Journal(source) => {
                let upcoming = source.next(&self.log, self.told, until, cx);
                upcoming.unwrap_or_else(|| self.go_on_in_log())
            }
            Source::Log(subscription)
                if until.is_none() && !self.is_catching_up && subscription.has_nothing_new() =>
            {
                Upcoming::Nothing
            }
            Source::Log(subscription) => match subscription.read(BATCH, waker) {
                Selected::Searched => Upcoming::Searched,
                Selected::Frames(frames) => Upcoming::Selected(frames),
                Selected::Gap(gap) if self.log.journal().is_some() => {
                    // All before the gap was searched, and the reader has taken its own of it.
                    self.go_on_in_journal(Seq(gap.from.0 - 1));
                    Upcoming::Moved
                }
                Selected::Gap(gap) => Upcoming::Gap(gap),
                Selected::Nothing {
                    until: searched,
                    is_passed_due,
                } => {
                    let is_last = until.is_some_and(|until| until <= searched);
                    let has_caught_up = std::mem::take(&mut self.is_catching_up);
                    if searched > self.told && (is_passed_due || is_last || has_caught_up) {
                        return Upcoming::Passed(searched);
                    }
                    Upcoming::Nothing
                }
            },
        }
    }

    fn go_on_in_journal(&mut self, after: Seq) {
        let filter = self.filter();
        let (user, presence) = (Arc::clone(&self.user), self.wants_presence);
        let choice = Choice::new(user, Some(&filter), presence);
        self.source = Source::Journal(Box::new(JournalSource {
            search: Search::behind(after, choice),
            filter,
            told_at: Instant::now(),
        }));
    }

    fn go_on_in_log(&mut self) -> Upcoming {
        if let Source::Journal(source) = &self.source {
            let wanted = Selection {
                user: &self.user,
                filter: &source.filter,
                presence: self.wants_presence,
            };
            let after = source.search.seq();
            let subscription = Subscription::new(&self.log, self.shard, after, wanted);
            self.source = Source::Log(subscription);
            self.is_catching_up = true;
        }
        Upcoming::Moved
    }

    /// Goes on behind a gap that the client is told; the log's subscription does so by itself.
    pub(super) fn skip(&mut self, gap: Gap) {
        if let Source::Journal(source) = &mut self.source {
            source.search.skip(gap);
        }
    }

    /// Returns what the session wants to hear.
    pub(super) fn hears(&self) -> Hears {
        Hears {
            filter: Some(self.filter()),
            presence: self.wants_presence,
            is_told: true,
        }
    }

    /// Returns the count of the filter's patterns, and the first ones, at most this many.
    pub(super) fn first_patterns(&self, most: usize) -> (usize, Vec<Pattern<'static>>) {
        match &self.source {
            Source::Log(subscription) => subscription.first_patterns(most),
            Source::Journal(source) => {
                let first = source.filter.iter().take(most);
                (source.filter.len(), first.cloned().collect())
            }
        }
    }

    pub(super) fn wants_presence(&self) -> bool {
        self.wants_presence
    }

    fn filter(&self) -> Vec<Pattern<'static>> {
        match &self.source {
            Source::Log(subscription) => subscription.filter(),
            Source::Journal(source) => source.filter.clone(),
        }
    }

    /// Returns the count of the stream's bytes before the first pending broadcast; `None` if the
    /// reader searches the journal.
    pub(super) fn position(&self) -> Option<u64> {
        match &self.source {
            Source::Log(subscription) => Some(subscription.position()),
            Source::Journal(_) => None,
        }
    }

    /// Returns a seq up to which the reader has everything, as far as that is known.
    pub(super) fn done_until(&self) -> Seq {
        let told = self.told.max(self.after);
        self.read_until().map_or(told, |seq| seq.max(told))
    }

    /// Returns the seq up to which the reader has everything; `None` if that is not known.
    pub(super) fn read_until(&self) -> Option<Seq> {
        match &self.source {
            Source::Log(subscription) => subscription.read_until(),
            Source::Journal(source) => Some(source.search.seq()),
        }
    }
}

impl JournalSource {
    /// Returns what comes next for a client that was told of what is up to `told`; `None` once the
    /// log holds it.
    fn next(
        &mut self,
        log: &Log,
        told: Seq,
        until: Option<Seq>,
        cx: &mut TaskContext<'_>,
    ) -> Option<Upcoming> {
        loop {
            let searched = self.search.seq();
            let is_last = until.is_some_and(|until| until <= searched);
            if searched > told && (is_last || self.told_at.elapsed() >= TOLD_EVERY) {
                return Some(Upcoming::Passed(searched));
            }
            return Some(match self.search.next(log, cx) {
                Searched::Nothing => continue,
                Searched::Waiting => Upcoming::Nothing,
                Searched::Frames(frames) => Upcoming::Selected(frames),
                Searched::Gap(gap) => Upcoming::Gap(gap),
                Searched::Failed => Upcoming::Unreadable,
                Searched::Met => return None,
            });
        }
    }
}
