//! A session's place among the broadcasts, as in `src/actors/session/outlet/reader`.

use arauto::Pattern;
use arauto::internal::session::hears::Hears;
use smallvec::SmallVec;

use crate::broken::Broken;
use crate::routes::{Route, Topics};
use crate::setting::Setting;
use crate::state::{SlotId, World};

/// A session's cursor in the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reader {
    /// The seq after which the session follows the log.
    pub after: u64,
    /// The last seq that was written, skipped by a gap, or, with a filter, told by `passed`. Without a
    /// filter, it also moves over broadcasts that are not for the session.
    pub reached: u64,
    /// The first and last seqs of the gaps that were written.
    pub gaps: SmallVec<[(u64, u64); 2]>,
    filter: Option<Filter>,
    /// Whether the rules denied something at the login: only a broken reader judges by that.
    was_denied: bool,
}

/// A session's filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Filter {
    topics: Topics,
    /// The filter holds for what is behind this seq.
    after: u64,
    /// Whether the client is to be told how far the stream is, even if nothing was for it.
    is_passed_due: bool,
}

/// The log as one session sees it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub setting: &'a Setting,
    pub world: &'a World,
    pub user: SlotId,
}

/// The next thing at a reader's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upcoming {
    Nothing,
    Broadcast(u64),
    /// Nothing up to this seq is for the client, which is to be told so.
    Passed(u64),
    /// Nothing up to this seq is for the client, which is not told so.
    Skipped(u64),
}

impl View<'_> {
    fn route(&self, seq: u64) -> Route {
        self.world.hub.history.route(seq)
    }
}

impl Reader {
    pub fn new(after: u64, hears: &Hears, view: View<'_>) -> Reader {
        Reader {
            after,
            reached: after,
            gaps: SmallVec::new(),
            filter: topics(hears).map(|topics| Filter {
                topics,
                after,
                is_passed_due: true,
            }),
            was_denied: view.world.rules.deny(Route::Topic(crate::routes::Topic::A)),
        }
    }

    /// Changes the filter. Returns the seq behind which that holds.
    pub fn choose(&mut self, hears: &Hears, view: View<'_>) -> u64 {
        let topics = topics(hears).expect("a client of the model never removes its filter");
        let head = view.world.hub.head;
        let after = match self.filter {
            Some(_) if self.next_wanted(view, head).is_none() => head,
            Some(filter) => self.reached.max(filter.after),
            None => self.reached,
        };
        self.filter = Some(Filter {
            topics,
            after,
            is_passed_due: true,
        });
        match view.setting.is(Broken::SubscribedEarly) {
            true => self.reached.min(after),
            false => after,
        }
    }

    /// Returns what the session wants to hear.
    pub fn hears(&self) -> Hears {
        let Some(filter) = self.filter else {
            return Hears::EVERYTHING;
        };
        Hears {
            filter: Some(
                filter
                    .topics
                    .iter()
                    .map(|topic| Pattern::new(topic.name()).expect("the name is a pattern"))
                    .collect(),
            ),
            presence: false,
            is_told: true,
        }
    }

    /// Has the client told how far the stream is. Returns whether there is something to tell.
    pub fn make_passed_due(&mut self, head: u64) -> bool {
        let is_behind = self.reached < head;
        let filter = self.filter.as_mut().filter(|filter| !filter.is_passed_due);
        filter.filter(|_| is_behind).is_some_and(|filter| {
            filter.is_passed_due = true;
            true
        })
    }

    /// Whether the client could be told how far the stream is.
    pub fn may_be_told(&self, head: u64) -> bool {
        self.clone().make_passed_due(head)
    }

    fn is_wanted(&self, seq: u64, view: View<'_>) -> bool {
        let topics = self.filter.map(|filter| filter.topics);
        let route = view.route(seq);
        let is_public = matches!(route, Route::User(_)) && view.setting.is(Broken::DirectToAll);
        route.is_for(view.user, topics) || (is_public && topics.is_none())
    }

    fn may_hear(&self, seq: u64, view: View<'_>) -> bool {
        let is_denied = match view.setting.is(Broken::RulesOfLogin) {
            true => self.was_denied,
            false => view.world.rules.deny(view.route(seq)),
        };
        !is_denied
    }

    /// Returns the next broadcast for the client up to `last`.
    fn next_wanted(&self, view: View<'_>, last: u64) -> Option<u64> {
        let behind = self
            .filter
            .map_or(0, |filter| filter.after)
            .max(self.reached);
        let mut seqs = behind + 1..=last;
        seqs.find(|seq| self.is_wanted(*seq, view) && self.may_hear(*seq, view))
    }

    /// Returns what comes next, up to `until`. A session with a filter goes through all of the log.
    pub fn upcoming(&self, until: Option<u64>, view: View<'_>) -> Upcoming {
        let head = view.world.hub.head;
        let last = until.unwrap_or(head).min(head);
        if self.reached >= last {
            return Upcoming::Nothing;
        }
        let Some(filter) = &self.filter else {
            let next = self.next_wanted(view, last);
            return next.map_or(Upcoming::Skipped(last), Upcoming::Broadcast);
        };
        let is_last = until.is_some_and(|until| until <= head);
        match self.next_wanted(view, head) {
            Some(seq) => Upcoming::Broadcast(seq),
            None if !(is_last || filter.is_passed_due) => Upcoming::Nothing,
            None if view.setting.is(Broken::PassedUntold) => Upcoming::Skipped(head),
            None if view.setting.is(Broken::PassedUncommitted) => {
                Upcoming::Passed(view.world.hub.assigned)
            }
            None => Upcoming::Passed(head),
        }
    }

    /// Moves to a seq that the client got, or was told of.
    pub fn move_to(&mut self, seq: u64) {
        self.reached = seq;
    }

    /// Notes that there was nothing more: the client knows all that it is to be told.
    pub fn note_nothing(&mut self, head: u64) {
        if let Some(filter) = self.filter.as_mut().filter(|_| self.reached >= head) {
            filter.is_passed_due = false;
        }
    }

    /// Returns the first and the last broadcast that the log has dropped before the session got them.
    pub fn fallen(&self, view: View<'_>) -> Option<(u64, u64)> {
        let tail = view.world.hub.tail;
        let Some(filter) = &self.filter else {
            return (self.reached < tail).then_some((self.reached + 1, tail));
        };
        let behind = self.reached.max(filter.after);
        let mut lost = (behind + 1..=tail).filter(|seq| self.is_wanted(*seq, view));
        let first = lost.next()?;
        Some((first, lost.next_back().unwrap_or(first)))
    }
}

/// Returns the topics of a filter; `None` without one.
pub fn topics(hears: &Hears) -> Option<Topics> {
    let filter = hears.filter.as_ref()?;
    Some(Topics::named(filter.iter().map(|pattern| pattern.as_str())))
}
