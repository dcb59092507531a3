//! A simple matcher that tests compare with, and generators of topics and patterns.

use proptest::prelude::{Strategy, prop};

/// Whether a pattern matches a topic by the rules of MQTT 5 (section 4.7). Splits both into levels.
pub(crate) fn matches(pattern: &str, topic: &str) -> bool {
    if pattern.starts_with(['+', '#']) && topic.starts_with('$') {
        return false;
    }
    let pattern: Vec<&str> = pattern.split('/').collect();
    let topic: Vec<&str> = topic.split('/').collect();
    levels_match(&pattern, &topic)
}

fn levels_match(pattern: &[&str], topic: &[&str]) -> bool {
    match (pattern, topic) {
        ([], []) | (["#"], _) => true,
        (["+", pattern @ ..], [_, topic @ ..]) => levels_match(pattern, topic),
        ([level, pattern @ ..], [first, topic @ ..]) => {
            level == first && levels_match(pattern, topic)
        }
        _ => false,
    }
}

/// Generates topics of a few short levels, so that patterns often match.
pub(crate) fn topics() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["", "a", "b", "$x", "é"]);
    prop::collection::vec(level, 1..6)
        .prop_map(|levels| levels.join("/"))
        .prop_filter("the empty text is not a topic", |topic| !topic.is_empty())
}

/// Generates patterns of a few short levels.
pub(crate) fn patterns() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["", "a", "b", "$x", "é", "+", "+", "+"]);
    (prop::collection::vec(level, 0..5), prop::bool::ANY)
        .prop_map(|(mut levels, has_rest)| {
            if has_rest {
                levels.push("#");
            }
            levels.join("/")
        })
        .prop_filter("the empty text is not a pattern", |text| !text.is_empty())
}

/// Returns every topic of one to four levels. A level is `a`, `b`, `$x` or empty.
pub(crate) fn every_topic() -> Vec<String> {
    let mut topics = Vec::new();
    let mut longest = vec![String::new()];
    for depth in 0..4 {
        let mut longer = Vec::new();
        for start in &longest {
            for level in ["", "a", "b", "$x"] {
                let separator = if depth == 0 { "" } else { "/" };
                longer.push(format!("{start}{separator}{level}"));
            }
        }
        topics.extend(longer.iter().filter(|topic| !topic.is_empty()).cloned());
        longest = longer;
    }
    topics
}
