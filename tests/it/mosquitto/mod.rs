//! Compares patterns with mosquitto's: they must match the same topics.
//!
//! One connection subscribes to all patterns, each with its own subscription identifier, and then
//! publishes one message to each topic. mosquitto sends the messages back with the identifiers of
//! the matching subscriptions. So the test compares every pattern with every topic.

mod broker;
mod client;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use arauto::internal::topic::{PatternIndex, SubscriberId};
use arauto::{Pattern, Topic};

use self::broker::Broker;
use self::client::MqttClient;
use crate::support::watchdog;

/// The number of patterns. Patterns and topics make more than 10,000 pairs.
const PATTERNS: usize = 160;
/// The number of topics.
const TOPICS: usize = 80;

/// The levels of random topics and patterns, few enough to match often. They exclude `$SYS` and
/// `$share`, because these have a special meaning in mosquitto.
const LEVELS: &[&str] = &["", "", "a", "a", "b", "ab", "é", " ", "$", "$x", "x$", "%u"];

/// A generator of random numbers (splitmix64). A failed test prints its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((value ^ (value >> 31)) % bound as u64).expect("the bound is a usize")
    }

    fn choose(&mut self, levels: &[&'static str]) -> &'static str {
        levels[self.below(levels.len())]
    }

    fn topic(&mut self) -> String {
        let mut levels = vec![self.choose(LEVELS); 1];
        for _ in 0..self.below(5) {
            levels.push(self.choose(LEVELS));
        }
        levels.join("/")
    }

    /// Returns a random topic, or one of `topics`, with wildcards in place of some levels.
    fn pattern(&mut self, topics: &[String]) -> String {
        let like = match self.below(3) {
            0 => self.topic(),
            _ => topics[self.below(topics.len())].clone(),
        };
        let mut levels: Vec<&str> = like.split('/').collect();
        for level in &mut levels {
            if self.below(3) == 0 {
                *level = "+";
            }
        }
        if self.below(3) == 0 {
            levels.truncate(self.below(levels.len() + 1));
            levels.push("#");
        }
        levels.join("/")
    }
}

/// Calls `next` until it has returned `count` distinct texts that are not empty. Returns them.
fn distinct(count: usize, mut next: impl FnMut() -> String) -> Vec<String> {
    let mut found = BTreeSet::new();
    while found.len() < count {
        found.insert(next());
        found.remove("");
    }
    found.into_iter().collect()
}

#[test]
fn random_patterns_match_the_same_topics_as_in_mosquitto() {
    let _watchdog = watchdog();
    let Some(broker) = Broker::start() else {
        return;
    };
    let seed = RandomState::new().hash_one(0);
    let mut random = Random(seed);
    let topics = distinct(TOPICS, || random.topic());
    let patterns = distinct(PATTERNS, || random.pattern(&topics));
    let mut client = MqttClient::connect(&broker);
    let theirs = client.matches(&patterns, &topics);

    let patterns: Vec<Pattern<'_>> = patterns
        .iter()
        .map(|text| Pattern::new(text.as_str()).expect("mosquitto accepts the pattern"))
        .collect();
    let mut index = PatternIndex::new();
    for (number, pattern) in (0..).zip(&patterns) {
        index.insert(pattern, SubscriberId(number));
    }
    let mut matching = 0;
    for (topic, theirs) in topics.iter().zip(&theirs) {
        let topic = Topic::new(topic.as_str()).expect("mosquitto accepts the topic");
        let ours: BTreeSet<usize> = (0..PATTERNS)
            .filter(|number| patterns[*number].matches(&topic))
            .collect();
        let differing: Vec<&str> = ours
            .symmetric_difference(theirs)
            .map(|number| patterns[*number].as_str())
            .collect();
        assert!(
            differing.is_empty(),
            "{topic:?} and {differing:?}, seed {seed}"
        );
        let mut found = BTreeSet::new();
        index.matches(Some(&topic), |_, subscriber| {
            found.insert(subscriber.0 as usize);
        });
        assert_eq!(found, ours, "the index and {topic:?}, seed {seed}");
        matching += ours.len();
    }
    // If nearly all or nearly no pairs matched, the comparison would show little.
    let pairs = PATTERNS * TOPICS;
    assert!(
        (pairs / 50..pairs / 2).contains(&matching),
        "{matching} of {pairs}, seed {seed}"
    );
}

#[test]
fn pattern_is_refused_where_mosquitto_refuses_it() {
    let _watchdog = watchdog();
    let Some(broker) = Broker::start() else {
        return;
    };
    let good = [
        "a", "/", "//", "+", "#", "+/#", "/#", "a/+/b", "$x/#", "a/$b", " ", "é",
    ];
    let bad = [
        "", "a+", "+a", "++", "a#", "#a", "##", "#/", "a/#/b", "+/b+", "a/b#", "a\u{1}",
        "a/\u{7f}", "\u{85}",
    ];
    for (text, is_good) in good
        .iter()
        .map(|text| (text, true))
        .chain(bad.iter().map(|text| (text, false)))
    {
        assert_eq!(Pattern::new(*text).is_ok(), is_good, "{text:?}");
        let accepted = MqttClient::connect(&broker).may_subscribe(text);
        assert_eq!(accepted, is_good, "mosquitto and {text:?}");
    }
}
