use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::topic::{Routes, Topic};
use crate::wire::cbor::PREFIX;

/// A broadcast of the naive log.
#[derive(Debug, Clone, PartialEq)]
enum Sent {
    Plain,
    Presence,
    Topic(String),
    User(String),
}

impl Sent {
    fn route(&self) -> Option<Route<'_>> {
        match self {
            Sent::Plain => None,
            Sent::Presence => Some(Route::Presence),
            Sent::Topic(topic) => Some(Route::Topic(topic)),
            Sent::User(user) => Some(Route::User(user)),
        }
    }

    fn is_for(&self, user: &str, presence: bool, filter: &[Pattern<'_>]) -> bool {
        match self {
            Sent::Plain => false,
            Sent::Presence => presence,
            Sent::User(to) => to == user,
            Sent::Topic(topic) => {
                let topic = Topic::new(topic.as_str()).expect("it is a topic");
                filter.iter().any(|pattern| pattern.matches(&topic))
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Sent>),
    Dispatch,
    Read,
    SetFilter(Vec<Pattern<'static>>),
}

fn sent() -> impl Strategy<Value = Sent> {
    prop_oneof![
        1 => Just(Sent::Plain),
        1 => Just(Sent::Presence),
        4 => "[ab](/[ab])?".prop_map(Sent::Topic),
        1 => "[uv]".prop_map(Sent::User),
    ]
}

fn filter() -> impl Strategy<Value = Vec<Pattern<'static>>> {
    let pattern = "[ab+](/[ab+#])?";
    vec(
        pattern.prop_map(|text| Pattern::new(text).expect("it is a pattern")),
        0..4,
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => vec(sent(), 1..40).prop_map(Step::Append),
        3 => Just(Step::Dispatch),
        3 => Just(Step::Read),
        1 => filter().prop_map(Step::SetFilter),
    ]
}

/// A subscriber, and what it must have found by now.
struct Tried {
    subscribers: Subscribers,
    id: SubscriberId,
    parts: Parts,
    all: Vec<Sent>,
    presence: bool,
    /// Each filter, and the seq behind which it holds.
    filters: Vec<(Seq, Vec<Pattern<'static>>)>,
    /// The seqs that were found, in order.
    found: Vec<Seq>,
    /// The seqs that were lost.
    lost: Vec<Gap>,
    searched: Seq,
}

impl Tried {
    fn new(limit: usize, presence: bool, filter: Vec<Pattern<'static>>) -> Tried {
        let mut subscribers = Subscribers::default();
        let parts = Parts::new(limit, Seq(1));
        let wanted = Selection {
            user: "u",
            filter: &filter,
            presence,
        };
        let id = subscribers.add(wanted, Seq::ZERO, &parts);
        Tried {
            subscribers,
            id,
            parts,
            all: Vec::new(),
            presence,
            filters: vec![(Seq::ZERO, filter)],
            found: Vec::new(),
            lost: Vec::new(),
            searched: Seq::ZERO,
        }
    }

    /// Appends broadcasts as one part of empty frames.
    fn append(&mut self, broadcasts: Vec<Sent>) {
        let mut routes = Routes::default();
        for (index, broadcast) in (0..).zip(&broadcasts) {
            let offset = PREFIX * usize::try_from(index).expect("they are few");
            if let Some(route) = broadcast.route() {
                routes.push(index, offset, route, false);
            }
        }
        let bytes = Bytes::from(vec![0; PREFIX * broadcasts.len()]);
        self.parts
            .push(bytes, broadcasts.len() as u64, None, &routes);
        self.all.extend(broadcasts);
    }

    fn dispatch(&mut self) {
        self.subscribers.dispatch(&self.parts, &mut Vec::new());
    }

    /// Takes what is next, once. Returns whether there was something.
    fn read(&mut self) -> bool {
        self.dispatch();
        match self.subscribers.next(self.id, &self.parts, 5 * PREFIX) {
            Next::Nothing(until) => {
                self.searched = until;
                return false;
            }
            Next::Frames(frames) => self.found.extend(frames.iter().map(|(seq, _)| *seq)),
            Next::Gap(gap) => self.lost.push(gap),
        }
        true
    }

    /// Replaces the filter, as a session does: by another subscriber that begins where this one is.
    fn set_filter(&mut self, filter: Vec<Pattern<'static>>) {
        self.dispatch();
        let told = [
            self.found.last().copied(),
            self.lost.last().map(|gap| gap.to),
        ];
        let told = told.into_iter().flatten().max().unwrap_or(Seq::ZERO);
        let after = self.subscribers.done_until(self.id).unwrap_or(told);
        self.subscribers.remove(self.id);
        let wanted = Selection {
            user: "u",
            filter: &filter,
            presence: self.presence,
        };
        self.id = self.subscribers.add(wanted, after, &self.parts);
        self.filters.push((after, filter));
    }

    /// Compares what was found, at the end, with what the naive log has for the subscriber.
    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.searched, self.parts.head());
        let mut last = Seq::ZERO;
        for seq in &self.found {
            prop_assert!(*seq > last, "{} behind {}", seq, last);
            last = *seq;
        }
        for (seq, broadcast) in (1..).map(Seq).zip(&self.all) {
            let filter = self.filters.iter().rev().find(|(after, _)| *after < seq);
            let (_, filter) = filter.expect("the first holds from the begin");
            let is_wanted = broadcast.is_for("u", self.presence, filter);
            let is_found = self.found.binary_search(&seq).is_ok();
            let is_lost = self.lost.iter().any(|gap| gap.from <= seq && seq <= gap.to);
            prop_assert!(!is_found || is_wanted, "{} is not for it", seq);
            prop_assert!(is_found || is_lost || !is_wanted, "{} is missing", seq);
            prop_assert!(!(is_found && is_lost), "{} is found and lost", seq);
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn subscriber_finds_or_loses_what_is_for_it_and_nothing_else(
        steps in vec(step(), 1..40),
        limit in prop_oneof![Just(1 << 20), 500..20_000_usize],
        presence in any::<bool>(),
        filter in filter(),
    ) {
        let mut tried = Tried::new(limit, presence, filter);
        for step in steps {
            match step {
                Step::Append(broadcasts) => tried.append(broadcasts),
                Step::Dispatch => tried.dispatch(),
                Step::Read => drop(tried.read()),
                Step::SetFilter(filter) => tried.set_filter(filter),
            }
        }
        while tried.read() {}
        tried.check()?;
        if limit == 1 << 20 {
            prop_assert!(tried.lost.is_empty(), "everything is held");
        }
    }
}

#[test]
fn broadcast_wakes_only_the_subscribers_that_it_is_for() {
    let mut tried = Tried::new(
        1 << 20,
        false,
        vec![Pattern::new("a/+").expect("a pattern")],
    );
    let wanted = Selection {
        user: "v",
        filter: &[],
        presence: false,
    };
    let other = tried.subscribers.add(wanted, Seq::ZERO, &tried.parts);
    while tried.read() {}
    let mut wakers = Vec::new();
    tried.subscribers.register(tried.id, Waker::noop());
    tried.subscribers.register(other, Waker::noop());
    let mut woken_by = |tried: &mut Tried, broadcast| {
        tried.append(vec![broadcast]);
        tried.subscribers.dispatch(&tried.parts, &mut wakers);
        std::mem::take(&mut wakers).len()
    };
    assert_eq!(woken_by(&mut tried, Sent::Plain), 0);
    assert_eq!(woken_by(&mut tried, Sent::Presence), 0);
    assert_eq!(woken_by(&mut tried, Sent::Topic("b/a".to_owned())), 0);
    assert_eq!(woken_by(&mut tried, Sent::Topic("a/b".to_owned())), 1);
    assert_eq!(
        woken_by(&mut tried, Sent::Topic("a/b".to_owned())),
        0,
        "it was woken"
    );
    assert_eq!(woken_by(&mut tried, Sent::User("v".to_owned())), 1);
}

#[test]
fn removed_subscriber_leaves_nothing() {
    let mut tried = Tried::new(1 << 20, true, vec![Pattern::new("a/+").expect("a pattern")]);
    tried.subscribers.remove(tried.id);
    let Subscribers {
        subscribers,
        filters,
        users,
        presence,
        ..
    } = tried.subscribers;
    assert!(subscribers.is_empty() && filters.is_empty());
    assert!(users.is_empty() && presence.is_empty());
}
