use std::collections::BTreeMap;

use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest,
};

use super::*;
use crate::topic::naive::{self, patterns, topics};

fn pattern(text: &str) -> Pattern<'_> {
    Pattern::new(text).expect("the text is a pattern")
}

fn topic(text: &str) -> Topic<'_> {
    Topic::new(text).expect("the text is a topic")
}

fn matched(index: &PatternIndex, text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    index.matches(Some(&topic(text)), |_, subscriber| found.push(subscriber.0));
    found.sort_unstable();
    found
}

fn index_of(patterns: &[String]) -> PatternIndex {
    let mut index = PatternIndex::new();
    for (number, text) in (0..).zip(patterns) {
        index.insert(&pattern(text), SubscriberId(number));
    }
    index
}

#[test]
fn message_without_a_topic_goes_to_the_all_pattern_only() {
    let mut index = PatternIndex::new();
    for (number, text) in (0..).zip(["#", "+/#", "a", "+", "#"]) {
        index.insert(&pattern(text), SubscriberId(number));
    }
    let mut found = Vec::new();
    index.matches(None, |_, subscriber| found.push(subscriber.0));
    found.sort_unstable();
    assert_eq!(found, [0, 4]);
    assert_eq!(matched(&index, "$a"), [] as [u32; 0]);
    assert_eq!(matched(&index, "a"), [0, 1, 2, 3, 4]);
}

#[test]
fn deepest_topic_is_matched_by_the_deepest_patterns() {
    let deepest = "/".repeat(256);
    let plus = format!("{}+", "+/".repeat(127));
    let rest = format!("{}#", "/".repeat(255));
    let index = index_of(&[
        deepest.clone(),
        plus,
        rest,
        "#".to_owned(),
        "+/#".to_owned(),
    ]);
    assert_eq!(matched(&index, &deepest), [0, 2, 3, 4]);
    assert_eq!(
        matched(&index, &format!("{}x", "a/".repeat(127))),
        [1, 3, 4]
    );
}

/// A step of the test: adds or removes a subscription, or matches a topic.
#[derive(Debug, Clone)]
enum Step {
    Insert(String, u32),
    Remove(prop::sample::Index),
    Match(String),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (patterns(), 0..8_u32).prop_map(|(text, subscriber)| Step::Insert(text, subscriber)),
        2 => any::<prop::sample::Index>().prop_map(Step::Remove),
        2 => topics().prop_map(Step::Match),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn index_finds_the_same_as_the_naive_matcher(steps in steps()) {
        let mut index = PatternIndex::new();
        let mut plain: BTreeMap<SubscriptionId, (String, u32)> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Insert(text, subscriber) => {
                    let id = index.insert(&pattern(&text), SubscriberId(subscriber));
                    prop_assert_eq!(plain.insert(id, (text, subscriber)), None);
                }
                Step::Remove(_) if plain.is_empty() => {}
                Step::Remove(at) => {
                    let ids: Vec<SubscriptionId> = plain.keys().copied().collect();
                    let id = *at.get(&ids);
                    index.remove(id);
                    plain.remove(&id);
                }
                Step::Match(text) => {
                    let mut found = BTreeMap::new();
                    index.matches(Some(&topic(&text)), |id, subscriber| {
                        let told = found.insert(id, subscriber.0);
                        assert_eq!(told, None, "{id:?} was visited twice");
                    });
                    let expected: BTreeMap<SubscriptionId, u32> = plain
                        .iter()
                        .filter(|(_, (pattern, _))| naive::matches(pattern, &text))
                        .map(|(id, (_, subscriber))| (*id, *subscriber))
                        .collect();
                    prop_assert_eq!(found, expected, "{}", text);
                }
            }
            prop_assert_eq!(index.len(), plain.len());
        }
        for (id, (text, _)) in &plain {
            prop_assert_eq!(index.pattern(*id), pattern(text));
        }
        for id in plain.into_keys() {
            index.remove(id);
        }
        prop_assert_eq!((index.len(), index.trie.is_empty()), (0, true));
    }
}

#[test]
fn patterns_that_do_not_match_add_no_visited_nodes() {
    let walked = |others: usize| {
        let own = ["a/+/c".to_owned(), "a/b/#".to_owned(), "#".to_owned()];
        let others = (0..others).map(|n| format!("x{n}/+/y"));
        let own_level = (0..1000).map(|n| format!("a/{n}/+"));
        let index = index_of(
            &own.into_iter()
                .chain(others)
                .chain(own_level)
                .collect::<Vec<_>>(),
        );
        let mut found = 0;
        let walked = index.walk(Some(&topic("a/b/c")), |_, _| found += 1);
        assert_eq!(found, 3);
        walked
    };
    assert_eq!(walked(0), walked(20_000));
    assert!(walked(0) <= 5);
}

#[test]
fn walk_is_bounded_by_the_levels_of_the_stored_patterns() {
    // Every combination of `a` and `+` in twelve levels, then `x`. No pattern matches.
    let hostile: Vec<String> = (0..1 << 12)
        .map(|choice| {
            let level = |at| if choice >> at & 1 == 0 { "a/" } else { "+/" };
            let start: String = (0..12).map(level).collect();
            format!("{start}x")
        })
        .collect();
    let index = index_of(&hostile);
    let nodes = (1 << 13) - 1; // all nodes of the trie without the last level
    for levels in [13, 40] {
        let text = vec!["a"; levels].join("/");
        let mut found = 0;
        let walked = index.walk(Some(&topic(&text)), |_, _| found += 1);
        assert!(found == 0 && walked <= nodes, "{walked} of {nodes}");
    }
    // With one pattern of 128 wildcards, a match visits its levels and the root.
    let index = index_of(&[vec!["+"; 128].join("/")]);
    let walked = index.walk(Some(&topic(&vec!["a"; 128].join("/"))), |_, _| {});
    assert_eq!(walked, 129);
}

#[test]
fn removed_subscriptions_leave_no_memory_behind() {
    let mut index = PatternIndex::new();
    let subscribe = |index: &mut PatternIndex, round: usize| {
        let ids: Vec<SubscriptionId> = (0..1000)
            .map(|n| {
                let text = format!("round-{round}/{n}/{}", if n % 2 == 0 { "+" } else { "b" });
                index.insert(&pattern(&text), SubscriberId(n))
            })
            .collect();
        ids
    };
    let anchor = index.insert(&pattern("stays/+"), SubscriberId(0));
    let mut sizes = Vec::new();
    for round in 0..50 {
        let ids = subscribe(&mut index, round);
        sizes.push(index.capacity_in_bytes());
        ids.into_iter().for_each(|id| index.remove(id));
    }
    let most = sizes.iter().skip(2).max().copied().unwrap_or_default();
    assert!(most <= 2 * sizes[0], "{sizes:?}");
    index.remove(anchor);
    assert_eq!(index.len(), 0);
}

#[test]
fn subscription_takes_at_most_150_bytes() {
    type Name = fn(u32) -> String;
    let cases: [(&str, Name, usize); 5] = [
        ("a topic of its own", |n| format!("user/{n}/inbox"), 80),
        (
            "a wildcard below a level of its own",
            |n| format!("user/{n}/#"),
            110,
        ),
        (
            "a wildcard between two levels",
            |n| format!("device/{n}/+/state"),
            150,
        ),
        ("the same pattern", |_| "a/+/c".to_owned(), 25),
        ("the same topic", |_| "a/b/c".to_owned(), 25),
    ];
    for (what, name, bound) in cases {
        for count in [10_000, 16_384, 30_001] {
            let mut index = PatternIndex::new();
            for n in 0..count {
                index.insert(&pattern(&name(n)), SubscriberId(n));
            }
            let each = index.capacity_in_bytes() / count as usize;
            assert!(
                each <= bound,
                "{what}, {count} subscriptions: {each} bytes each"
            );
        }
    }
}
