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
    Read(usize),
    SetFilter(usize, Vec<Pattern<'static>>),
}

fn sent() -> impl Strategy<Value = Sent> {
    prop_oneof![
        1 => Just(Sent::Plain),
        1 => Just(Sent::Presence),
        4 => "[ab](/[ab])?".prop_map(Sent::Topic),
        1 => "[uv]".prop_map(Sent::User),
    ]
}

fn pattern(text: &str) -> Pattern<'static> {
    Pattern::new(text.to_owned()).expect("it is a pattern")
}

/// One of two filters, so that subscribers share it, or another one.
fn filter() -> impl Strategy<Value = Vec<Pattern<'static>>> {
    let other = vec("[ab+](/[ab+#])?".prop_map(|text| pattern(&text)), 0..4);
    prop_oneof![
        Just(vec![pattern("a/+"), pattern("a/#")]),
        Just(vec![pattern("b")]),
        other,
    ]
}

/// The count of subscribers.
const MEMBERS: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => vec(sent(), 1..40).prop_map(Step::Append),
        3 => Just(Step::Dispatch),
        6 => (0..MEMBERS).prop_map(Step::Read),
        1 => (0..MEMBERS, filter()).prop_map(|(member, filter)| Step::SetFilter(member, filter)),
    ]
}

/// A subscriber, and what it must have found by now.
struct Member {
    id: MemberId,
    user: &'static str,
    presence: bool,
    /// Each filter, and the seq behind which it holds.
    filters: Vec<(Seq, Vec<Pattern<'static>>)>,
    /// The seqs that were found, in order.
    found: Vec<Seq>,
    /// The seqs that were lost.
    lost: Vec<Gap>,
    searched: Seq,
}

/// Subscribers, and all broadcasts.
struct Tried {
    subscribers: Subscribers,
    parts: Parts,
    all: Vec<Sent>,
    members: Vec<Member>,
}

impl Tried {
    fn new(limit: usize) -> Tried {
        Tried {
            subscribers: Subscribers::default(),
            parts: Parts::new(limit, Seq(1)),
            all: Vec::new(),
            members: Vec::new(),
        }
    }

    fn add(&mut self, user: &'static str, presence: bool, filter: Vec<Pattern<'static>>) {
        let id = self.subscribe((user, presence, &filter), Seq::ZERO);
        self.members.push(Member {
            id,
            user,
            presence,
            filters: vec![(Seq::ZERO, filter)],
            found: Vec::new(),
            lost: Vec::new(),
            searched: Seq::ZERO,
        });
    }

    fn subscribe(
        &mut self,
        (user, presence, filter): (&str, bool, &[Pattern<'_>]),
        after: Seq,
    ) -> MemberId {
        let wanted = Selection {
            user,
            filter,
            presence,
        };
        self.subscribers.add(wanted, after, &self.parts)
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
        self.subscribers.dispatch(&self.parts);
    }

    /// Takes what is next, once. Returns whether there was something.
    fn read(&mut self, member: usize) -> bool {
        self.dispatch();
        let member = &mut self.members[member];
        match self.subscribers.next(member.id, &self.parts, 5 * PREFIX) {
            Next::Nothing(until) => {
                member.searched = until;
                self.subscribers.register(member.id, Waker::noop());
                return false;
            }
            Next::Searched => {}
            Next::Frames(frames) => member.found.extend(frames.iter().map(|(seq, _)| seq)),
            Next::Gap(gap) => member.lost.push(gap),
        }
        true
    }

    /// Replaces a filter, as a session does: by another subscriber that begins where this one is.
    fn set_filter(&mut self, index: usize, filter: Vec<Pattern<'static>>) {
        self.dispatch();
        let member = &self.members[index];
        let told = [
            member.found.last().copied(),
            member.lost.last().map(|gap| gap.to),
        ];
        let told = told.into_iter().flatten().max().unwrap_or(Seq::ZERO);
        let after = self.subscribers.done_until(member.id).unwrap_or(told);
        let (user, presence) = (member.user, member.presence);
        self.subscribers.remove(member.id);
        let id = self.subscribe((user, presence, &filter), after);
        let member = &mut self.members[index];
        member.id = id;
        member.filters.push((after, filter));
    }

    /// Compares what a member found, at the end, with what the naive log has for it.
    fn check(&self, member: &Member) -> Result<(), TestCaseError> {
        prop_assert_eq!(member.searched, self.parts.head());
        let mut last = Seq::ZERO;
        for seq in &member.found {
            prop_assert!(*seq > last, "{} behind {}", seq, last);
            last = *seq;
        }
        for (seq, broadcast) in (1..).map(Seq).zip(&self.all) {
            let filter = member.filters.iter().rev().find(|(after, _)| *after < seq);
            let (_, filter) = filter.expect("the first holds from the begin");
            let is_wanted = broadcast.is_for(member.user, member.presence, filter);
            let is_found = member.found.binary_search(&seq).is_ok();
            let mut lost = member.lost.iter();
            let is_lost = lost.any(|gap| gap.from <= seq && seq <= gap.to);
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
        filters in [filter(), filter(), filter()],
    ) {
        let mut tried = Tried::new(limit);
        for (user, filter) in std::iter::zip(["u", "v", "u"], filters) {
            tried.add(user, presence, filter);
        }
        for step in steps {
            match step {
                Step::Append(broadcasts) => tried.append(broadcasts),
                Step::Dispatch => tried.dispatch(),
                Step::Read(member) => drop(tried.read(member)),
                Step::SetFilter(member, filter) => tried.set_filter(member, filter),
            }
        }
        for member in 0..MEMBERS {
            while tried.read(member) {}
        }
        for member in &tried.members {
            tried.check(member)?;
            prop_assert!(limit < 1 << 20 || member.lost.is_empty(), "everything is held");
        }
    }
}

#[test]
fn broadcast_wakes_only_the_subscribers_that_it_is_for() {
    let mut tried = Tried::new(1 << 20);
    tried.add("u", false, vec![pattern("a/+")]);
    tried.add("v", false, Vec::new());
    let woken_by = |tried: &mut Tried, broadcast| {
        tried.append(vec![broadcast]);
        tried.subscribers.dispatch(&tried.parts);
        tried.subscribers.take_wakers(2).len()
    };
    while tried.read(0) || tried.read(1) {}
    assert_eq!(woken_by(&mut tried, Sent::Plain), 0);
    assert_eq!(woken_by(&mut tried, Sent::Presence), 0);
    assert_eq!(woken_by(&mut tried, Sent::Topic("b/a".to_owned())), 0);
    assert_eq!(woken_by(&mut tried, Sent::Topic("a/b".to_owned())), 1);
    let again = woken_by(&mut tried, Sent::Topic("a/b".to_owned()));
    assert_eq!(again, 0, "it was woken");
    assert_eq!(woken_by(&mut tried, Sent::User("v".to_owned())), 1);
}

#[test]
fn frames_for_subscribers_with_the_same_filter_are_gathered_once() {
    let mut tried = Tried::new(1 << 20);
    for user in ["u", "v"] {
        tried.add(user, false, vec![pattern("a/+")]);
    }
    while tried.read(0) || tried.read(1) {}
    tried.append(vec![Sent::Topic("a/b".to_owned()); 2]);
    tried.dispatch();
    let mut next = |member: usize| {
        let id = tried.members[member].id;
        match tried.subscribers.next(id, &tried.parts, 5 * PREFIX) {
            Next::Frames(frames) => frames.iter().next().map(|(_, frame)| frame.as_ptr()),
            _ => None,
        }
    };
    let first = next(0);
    assert!(first.is_some());
    assert_eq!(first, next(1));
    for member in [0, 1] {
        tried.read(member);
    }
    assert_eq!(tried.subscribers.shared, None, "nobody wants them any more");
}

#[test]
fn removed_subscriber_leaves_nothing() {
    let mut tried = Tried::new(1 << 20);
    for presence in [true, false, true] {
        tried.add("u", presence, vec![pattern("a/+")]);
    }
    for member in &tried.members {
        tried.subscribers.remove(member.id);
    }
    let Subscribers {
        subscribers,
        groups,
        users,
        ..
    } = tried.subscribers;
    assert!(subscribers.is_empty() && groups.is_empty() && users.is_empty());
}
