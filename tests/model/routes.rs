//! The routes of broadcasts, and the rules about them.

use smallvec::SmallVec;

use crate::state::SlotId;

/// A topic of the model's messages. Its name is also the only pattern that matches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    A,
    B,
}

/// A set of topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Topics(u8);

/// The route of a broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// A message without a topic.
    Everyone,
    Presence,
    Topic(Topic),
    /// A message to the user of this slot.
    User(SlotId),
}

/// A broadcast that the hub has given a seq.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    pub route: Route,
    /// The user and the number of a message with a producer's number.
    pub number: Option<(SlotId, u64)>,
}

/// The broadcasts of the log, from the first one on. It stays empty in settings in which each
/// broadcast is for everyone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct History(SmallVec<[Entry; 2]>);

/// The operator's rules, which deny the topic `A` to everyone or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Rules {
    /// The log's head at each change. The first change denies, the second one allows.
    changes: SmallVec<[u64; 2]>,
}

impl Topic {
    pub fn name(self) -> &'static str {
        match self {
            Topic::A => "a",
            Topic::B => "b",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Topics {
    pub fn of(topics: &[Topic]) -> Topics {
        Topics(topics.iter().fold(0, |bits, topic| bits | topic.bit()))
    }

    /// Returns the topics with these names.
    pub fn named<'a>(names: impl Iterator<Item = &'a str>) -> Topics {
        let mut topics = Topics::default();
        for name in names {
            let mut all = [Topic::A, Topic::B].into_iter();
            let topic = all.find(|topic| topic.name() == name);
            topics.0 |= topic.expect("a pattern of the model").bit();
        }
        topics
    }

    pub fn iter(self) -> impl Iterator<Item = Topic> {
        let all = [Topic::A, Topic::B].into_iter();
        all.filter(move |topic| self.contains(*topic))
    }

    fn contains(self, topic: Topic) -> bool {
        self.0 & topic.bit() != 0
    }
}

impl Route {
    /// Whether the route leads to a session of a user that has these topics as its filter, or
    /// `None`.
    pub fn is_for(self, user: SlotId, filter: Option<Topics>) -> bool {
        match self {
            Route::Everyone | Route::Presence => filter.is_none(),
            Route::Topic(topic) => filter.is_none_or(|filter| filter.contains(topic)),
            Route::User(to) => to == user,
        }
    }
}

impl History {
    pub fn push(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    /// Returns the route of a broadcast.
    pub fn route(&self, seq: u64) -> Route {
        self.get(seq).map_or(Route::Everyone, |entry| entry.route)
    }

    /// Returns a broadcast; `None` if it is not known.
    fn get(&self, seq: u64) -> Option<&Entry> {
        let index = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.0.get(index)
    }

    /// Whether the broadcast with this seq is the message with this number.
    pub fn has_number(&self, seq: u64, number: (SlotId, u64)) -> bool {
        let entry = self.get(seq);
        entry.is_some_and(|entry| entry.number == Some(number))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    /// Forgets the broadcasts above a head.
    pub fn truncate(&mut self, head: u64) {
        self.0
            .truncate(usize::try_from(head).expect("the log is short"));
    }
}

impl Rules {
    /// Changes the rules while the log has this head.
    pub fn change(&mut self, head: u64) {
        self.changes.push(head);
    }

    fn is_denied(&self) -> bool {
        self.changes.len() % 2 == 1
    }

    /// Whether the rules of this moment deny a route.
    pub fn deny(&self, route: Route) -> bool {
        self.is_denied() && route == Route::Topic(Topic::A)
    }

    /// Whether no session may get this broadcast any more, because it is above the head at which the
    /// rules began to deny its route.
    pub fn forbid(&self, route: Route, seq: u64) -> bool {
        self.deny(route) && self.changes.last().is_some_and(|head| seq > *head)
    }

    /// Whether a session may have gone without this broadcast, because the rules deny its route or
    /// denied it when the broadcast was in the log.
    pub fn may_hide(&self, route: Route, seq: u64) -> bool {
        let was_denied = self.changes.get(1).is_some_and(|head| seq <= *head);
        self.deny(route) || (was_denied && route == Route::Topic(Topic::A))
    }
}
