use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A broadcast of a naive log.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    seq: Seq,
    part: u64,
    offset: u32,
    route: Owned,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owned {
    Presence,
    Topic(String),
    User(String),
}

impl Owned {
    fn borrowed(&self) -> Route<'_> {
        match self {
            Owned::Presence => Route::Presence,
            Owned::Topic(topic) => Route::Topic(topic),
            Owned::User(user) => Route::User(user),
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Appends broadcasts in one part, each some seqs behind the one before.
    Append(Vec<(u64, Owned)>),
    /// Drops this many of the oldest parts.
    Drop(u64),
}

fn route() -> impl Strategy<Value = Owned> {
    prop_oneof![
        Just(Owned::Presence),
        "[ab]{1,2}".prop_map(Owned::Topic),
        "[ab]".prop_map(Owned::User),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => vec((1..4_u64, route()), 0..5).prop_map(Step::Append),
        2 => (0..3_u64).prop_map(Step::Drop),
    ]
}

fn found(table: &RouteTable, entry: Entry) -> Held {
    let route = match table.route(entry.route) {
        Route::Presence => Owned::Presence,
        Route::Topic(topic) => Owned::Topic(topic.to_owned()),
        Route::User(user) => Owned::User(user.to_owned()),
    };
    Held {
        seq: entry.seq,
        part: entry.part,
        offset: entry.offset,
        route,
    }
}

proptest! {
    #[test]
    fn table_finds_what_a_plain_list_finds(steps in vec(step(), 1..40), after in 0..60_u64) {
        let (mut table, mut all) = (RouteTable::default(), Vec::new());
        let mut published = Vec::new();
        let (mut seq, mut part, mut oldest) = (Seq::ZERO, 1, 1);
        for step in steps {
            match step {
                Step::Append(broadcasts) => {
                    for (offset, (skipped, route)) in (0..).zip(broadcasts) {
                        seq = Seq(seq.0 + skipped);
                        table.push(seq, part, offset, route.borrowed());
                        let held = Held { seq, part, offset, route };
                        published.push(held.clone());
                        all.push(held);
                    }
                    part += 1;
                }
                Step::Drop(count) => {
                    oldest = (oldest + count).min(part);
                    table.drop_through(oldest - 1);
                    all.retain(|held| held.part >= oldest);
                }
            }
        }
        let after = Seq(after);
        let left: Vec<Held> = all.iter().filter(|held| held.seq > after).cloned().collect();
        let entries: Vec<Held> = table.after(after).map(|entry| found(&table, entry)).collect();
        prop_assert_eq!(&entries, &left);
        prop_assert_eq!(table.count_after(after), left.len());
        for user in [None, Some("a")] {
            let is_hidden = |held: &&Held| match &held.route {
                Owned::User(to) => Some(&**to) != user,
                _ => false,
            };
            let first = table.first_hidden(after, user).map(|entry| found(&table, entry));
            prop_assert_eq!(first.as_ref(), left.iter().find(is_hidden));
        }
        let mut by_route: HashMap<Owned, Vec<Held>> = HashMap::new();
        for held in &all {
            by_route.entry(held.route.clone()).or_default().push(held.clone());
        }
        for (route, mut held) in by_route {
            let id = table.find(route.borrowed()).expect("one of its broadcasts is held");
            held.retain(|held| held.seq > after);
            let entries = table.of_route(id, after).map(|entry| found(&table, entry));
            prop_assert_eq!(entries.collect::<Vec<_>>(), held);
        }
        prop_assert_eq!(table.find(Route::Topic("never published")), None);
        let dropped: Vec<&Held> = published.iter().filter(|held| held.part < oldest).collect();
        let newest = |list: &[&Held]| list.last().map_or(Seq::ZERO, |held| held.seq);
        for most in [0, 3, all.len()] {
            let (behind, entries) = table.newest(most);
            let first = all.len().saturating_sub(most);
            let entries: Vec<Held> = entries.map(|entry| found(&table, entry)).collect();
            prop_assert_eq!(&entries[..], &all[first..]);
            let before: Vec<&Held> = dropped.iter().copied().chain(&all[..first]).collect();
            prop_assert_eq!(behind, newest(&before));
        }
        let is_direct = |held: &&Held| matches!(held.route, Owned::User(_));
        let direct = published.iter().filter(is_direct);
        let direct: Vec<&Held> = direct
            .filter(|held| held.part < oldest || held.seq <= after)
            .collect();
        prop_assert_eq!(table.newest_direct(after), newest(&direct));
        table.drop_through(part);
        prop_assert_eq!(table.cost(), 0);
    }
}

#[test]
fn topic_with_one_broadcast_takes_at_most_250_bytes() {
    const TOPICS: u32 = 10_000;
    let mut table = RouteTable::default();
    for number in 0..TOPICS {
        let topic = format!("sensors/{number:05}/temperature");
        table.push(Seq(u64::from(number)), 1, number, Route::Topic(&topic));
    }
    let each = table.cost() / TOPICS as usize;
    assert!(each <= 250, "{each} bytes");
}
