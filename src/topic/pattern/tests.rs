use std::sync::LazyLock;

use proptest::prelude::{ProptestConfig, any, prop_assert_eq, prop_oneof, proptest};

use super::*;
use crate::topic::LONGEST_TOPIC;
use crate::topic::naive::{self, every_topic, patterns, topics};

fn pattern(text: &str) -> Pattern<'_> {
    Pattern::new(text).expect("the text is a pattern")
}

#[test]
fn pattern_matches_as_in_the_examples_of_mqtt() {
    let cases = [
        ("sport/tennis/player1/#", "sport/tennis/player1", true),
        (
            "sport/tennis/player1/#",
            "sport/tennis/player1/ranking",
            true,
        ),
        (
            "sport/tennis/player1/#",
            "sport/tennis/player1/score/wimbledon",
            true,
        ),
        ("sport/#", "sport", true),
        ("#", "sport", true),
        ("sport/tennis/+", "sport/tennis/player1", true),
        ("sport/tennis/+", "sport/tennis/player1/ranking", false),
        ("sport/+", "sport", false),
        ("sport/+", "sport/", true),
        ("+/+", "/finance", true),
        ("/+", "/finance", true),
        ("+", "/finance", false),
        ("#", "$SYS/a", false),
        ("+/monitor/Clients", "$SYS/monitor/Clients", false),
        ("$SYS/#", "$SYS/a", true),
        ("$SYS/#", "$SYS", true),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
        ("a/$b", "a/$b", true),
        ("a/+", "a/$b", true),
        ("$share/a/b", "b", false),
        ("$share/a/b", "$share/a/b", true),
        ("ACCOUNTS", "Accounts", false),
    ];
    for (filter, topic, expected) in cases {
        let topic = Topic::new(topic).expect("the text is a topic");
        assert_eq!(
            pattern(filter).matches(&topic),
            expected,
            "{filter} {topic}"
        );
    }
}

#[test]
fn message_without_a_topic_matches_the_all_pattern_only() {
    assert!(pattern("#").matches_message(None));
    for text in ["+/#", "+", "a", "/#"] {
        assert!(!pattern(text).matches_message(None), "{text}");
    }
}

#[test]
fn pattern_error_names_the_level_and_the_byte() {
    let message = |text: &str| {
        Pattern::new(text)
            .expect_err("the text is not a pattern")
            .to_string()
    };
    assert_eq!(message(""), "it is empty: a topic has at least one byte");
    let cases = [
        (
            "sport+",
            "level 1 has \"+\" beside other characters (at byte 5): a wildcard is a whole level",
        ),
        (
            "a/+b/c",
            "level 2 has \"+\" beside other characters (at byte 2): a wildcard is a whole level",
        ),
        (
            "a/é#",
            "level 2 has \"#\" beside other characters (at byte 4): a wildcard is a whole level",
        ),
        (
            "a/#/b",
            "level 2 is \"#\", and further levels follow (at byte 2): \"#\" is the last level",
        ),
        (
            "#/",
            "level 1 is \"#\", and further levels follow (at byte 0): \"#\" is the last level",
        ),
        (
            "++",
            "level 1 has \"+\" beside other characters (at byte 0): a wildcard is a whole level",
        ),
        (
            "a/b\u{0}",
            "level 2 has the control character U+0000 (at byte 3)",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(text), expected, "{text:?}");
    }
    for levels in [129, 10_000] {
        let text = vec!["+"; levels].join("/");
        let length = text.len();
        assert_eq!(Pattern::new(text), Err(TopicError::TooLong { length }));
    }
    assert!(Pattern::new("/".repeat(LONGEST_TOPIC)).is_ok());
}

/// Returns for each message in [`MESSAGES`] whether the pattern matches it.
fn matched(pattern: &str) -> Vec<bool> {
    MESSAGES
        .iter()
        .map(|topic| match topic {
            Some(topic) => naive::matches(pattern, topic),
            None => pattern == "#",
        })
        .collect()
}

/// The topics of messages: every short topic, and `None` for a message without a topic.
static MESSAGES: LazyLock<Vec<Option<String>>> =
    LazyLock::new(|| every_topic().into_iter().map(Some).chain([None]).collect());

/// Whether the set `one` contains the set `other`.
fn contains(one: &[bool], other: &[bool]) -> bool {
    one.iter().zip(other).all(|(one, other)| *one || !other)
}

/// Returns every pattern of at most three levels, including `#`, from a few level texts.
fn short_patterns() -> Vec<String> {
    let mut starts = vec![String::new()];
    let mut patterns = vec!["#".to_owned()];
    for depth in 0..3 {
        let mut longer = Vec::new();
        for start in &starts {
            for level in ["", "a", "$x", "+"] {
                let separator = if depth == 0 { "" } else { "/" };
                longer.push(format!("{start}{separator}{level}"));
            }
        }
        patterns.extend(longer.iter().filter(|text| !text.is_empty()).cloned());
        if depth < 2 {
            patterns.extend(longer.iter().map(|start| format!("{start}/#")));
        }
        starts = longer;
    }
    patterns
}

#[test]
fn covers_and_intersection_equal_sets_of_short_patterns() {
    let patterns: Vec<(String, Vec<bool>)> = short_patterns()
        .into_iter()
        .map(|text| {
            let set = matched(&text);
            (text, set)
        })
        .collect();
    for (one, own) in &patterns {
        for (other, their) in &patterns {
            let (a, b) = (pattern(one), pattern(other));
            assert_eq!(a.covers(&b), contains(own, their), "{one} covers {other}");
            let both: Vec<bool> = own.iter().zip(their).map(|(a, b)| *a && *b).collect();
            let common = a.intersection(&b);
            let set = common.as_ref().map(|common| matched(common.as_str()));
            let expected = both.contains(&true).then_some(both);
            assert_eq!(set, expected, "{one} and {other}: {common:?}");
        }
    }
}

#[test]
fn intersection_exists_only_if_a_topic_is_short_enough() {
    let level = "x".repeat(200);
    let (one, other) = (format!("{level}/+"), format!("+/{level}"));
    assert_eq!(pattern(&one).intersection(&pattern(&other)), None);
    let (one, other) = (format!("{level}/+/#"), format!("+/{}/#", "y".repeat(55)));
    let common = pattern(&one).intersection(&pattern(&other));
    let common = common.expect("a topic of 256 bytes matches both");
    let topic = Topic::new(format!("{level}/{}", "y".repeat(55))).expect("256 bytes are allowed");
    assert!(common.matches(&topic) && common.as_str().len() == 258);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn pattern_matches_like_the_naive_matcher(text in patterns(), topic in topics()) {
        let matched = pattern(&text).matches(&Topic::new(topic.as_str()).expect("a topic"));
        prop_assert_eq!(matched, naive::matches(&text, &topic), "{} {}", text, topic);
    }

    #[test]
    fn covers_and_intersection_agree_on_any_topic(one in patterns(), other in patterns(), topic in topics()) {
        let (a, b) = (pattern(&one), pattern(&other));
        let (own, their) = (naive::matches(&one, &topic), naive::matches(&other, &topic));
        if a.covers(&b) {
            prop_assert_eq!(own || !their, true, "{} covers {}: {}", one, other, topic);
        }
        let common = a.intersection(&b);
        let both = common.as_ref().is_some_and(|common| naive::matches(common.as_str(), &topic));
        prop_assert_eq!(both, own && their, "{} and {}: {:?}", one, other, common);
        prop_assert_eq!(&common, &b.intersection(&a));
        if let Some(common) = &common {
            let parsed = Pattern::new(common.as_str());
            prop_assert_eq!(parsed.as_ref(), Ok(common));
            prop_assert_eq!(a.covers(common) && b.covers(common), true, "{}", common);
        }
        prop_assert_eq!(a.covers(&a), true);
    }

    #[test]
    fn accepted_text_is_a_pattern_of_mqtt(
        text in prop_oneof![any::<String>(), "[a+#/$\\x00\\x85é]{0,9}"],
    ) {
        let levels: Vec<&str> = text.split('/').collect();
        let is_whole = |level: &&str| level.len() == 1 || !level.contains(['+', '#']);
        let rest = levels.iter().position(|level| *level == "#");
        let is_pattern = (1..=LONGEST_TOPIC).contains(&text.len())
            && levels.iter().all(is_whole)
            && rest.is_none_or(|at| at + 1 == levels.len())
            && !text.contains(char::is_control);
        prop_assert_eq!(Pattern::new(text.as_str()).is_ok(), is_pattern);
        let is_topic = is_pattern && !text.contains(['+', '#']);
        prop_assert_eq!(Topic::new(text.as_str()).is_ok(), is_topic);
    }
}
