//! Topics, patterns, rules, and an index of patterns.
//!
//! The first line is a topic and the second a user's name; the others are patterns. Those that
//! begin with `-` are deny rules too, and those with `=` allow rules.
//!
//! - A text is a topic or a pattern exactly where MQTT 5 (section 4.7) and the contract say so.
//! - A pattern matches as a plain matcher does, alone and in the index, also after some patterns
//!   were removed.
//! - What is said of two patterns, that one covers the other and what they have in common, holds
//!   for the topic.
//! - The rules judge the topic as plain rules do.

#![no_main]

use std::collections::BTreeSet;
use std::sync::Arc;

use arauto::internal::topic::{
    Effect, PatternIndex, Permissions, Rule, RuleKind, RulePattern, RuleSet, SubscriberId,
    SubscriptionId, Verdict,
};
use arauto::{Pattern, Topic};
use arauto_fuzz::memory::in_proportion;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let topic = lines.next().unwrap_or_default();
    let user = lines.next().unwrap_or_default();
    let (mut patterns, mut rules) = (Vec::new(), Vec::new());
    for line in lines {
        let (line, effect) = match line.as_bytes().first() {
            Some(b'-') => (&line[1..], Some(Effect::Deny)),
            Some(b'=') => (&line[1..], Some(Effect::Allow)),
            _ => (line, None),
        };
        let pattern = Pattern::new(line);
        assert_eq!(pattern.is_ok(), is_pattern(line), "{line:?}");
        match pattern {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        if let (Some(effect), Ok(pattern)) = (effect, line.parse::<RulePattern>()) {
            rules.push(Rule {
                kind: RuleKind::Subscribe,
                pattern,
                effect,
            });
        }
    }
    let is_topic = is_pattern(topic) && !topic.contains(['+', '#']);
    let Ok(topic) = Topic::new(topic) else {
        assert!(!is_topic, "{topic:?}");
        return;
    };
    assert!(is_topic, "{topic:?}");
    assert_eq!(
        Topic::of_client(topic.as_str()).is_ok(),
        !topic.is_reserved()
    );
    for pattern in &patterns {
        let expected = plain_matches(pattern.as_str(), topic.as_str());
        assert_eq!(pattern.matches(&topic), expected, "{pattern} {topic}");
    }
    if let [one, other, ..] = &patterns[..] {
        pair(one, other, &topic);
    }
    in_proportion(16 * text.len(), || index(&patterns, &topic));
    judge(&rules, user, &patterns, &topic);
});

fn is_pattern(text: &str) -> bool {
    let levels: Vec<&str> = text.split('/').collect();
    let rest = levels.iter().position(|level| *level == "#");
    (1..=256).contains(&text.len())
        && !text.contains(char::is_control)
        && levels
            .iter()
            .all(|level| level.len() == 1 || !level.contains(['+', '#']))
        && rest.is_none_or(|at| at + 1 == levels.len())
}

fn plain_matches(pattern: &str, topic: &str) -> bool {
    if pattern.starts_with(['+', '#']) && topic.starts_with('$') {
        return false;
    }
    let pattern: Vec<&str> = pattern.split('/').collect();
    let topic: Vec<&str> = topic.split('/').collect();
    let (wanted, has_rest) = match pattern.split_last() {
        Some((&"#", wanted)) => (wanted, true),
        _ => (&pattern[..], false),
    };
    let fits = if has_rest {
        topic.len() >= wanted.len()
    } else {
        topic.len() == wanted.len()
    };
    let mut pairs = wanted.iter().zip(&topic);
    fits && pairs.all(|(wanted, level)| *wanted == "+" || wanted == level)
}

fn pair(one: &Pattern<'_>, other: &Pattern<'_>, topic: &Topic<'_>) {
    let (own, their) = (one.matches(topic), other.matches(topic));
    assert!(!one.covers(other) || own || !their, "{one} covers {other}");
    assert!(one.covers(one));
    let common = one.intersection(other);
    let both = common.as_ref().is_some_and(|common| common.matches(topic));
    assert_eq!(both, own && their, "{one} and {other}: {common:?}");
    assert_eq!(common, other.intersection(one));
    if let Some(common) = common {
        assert!(one.covers(&common) && other.covers(&common), "{common}");
    }
}

fn index(patterns: &[Pattern<'_>], topic: &Topic<'_>) {
    let mut index = PatternIndex::new();
    let mut subscribed: Vec<(SubscriptionId, &Pattern<'_>)> = Vec::new();
    for (number, pattern) in (0..).zip(patterns) {
        subscribed.push((index.insert(pattern, SubscriberId(number)), pattern));
    }
    while !subscribed.is_empty() {
        let mut found = BTreeSet::new();
        index.matches(Some(topic), |id, _| {
            assert!(found.insert(id), "{id:?} was found twice");
        });
        let matching = subscribed
            .iter()
            .filter(|(_, pattern)| pattern.matches(topic));
        let expected: BTreeSet<_> = matching.map(|(id, _)| *id).collect();
        assert_eq!(found, expected, "{topic}");
        for (id, pattern) in &subscribed {
            assert_eq!(index.pattern(*id).as_str(), pattern.as_str());
        }
        // Every other one goes.
        let mut stays = false;
        subscribed.retain(|(id, _)| {
            stays = !stays;
            if stays {
                index.remove(*id);
            }
            !stays
        });
        assert_eq!(index.len(), subscribed.len());
    }
}

fn judge(rules: &[Rule], user: &str, filter: &[Pattern<'_>], topic: &Topic<'_>) {
    let own = Arc::new(RuleSet::new(rules));
    let permissions = Permissions::new(user, Arc::default(), own);
    let is_usable = !user.contains(['+', '#', '/']);
    let matches = |rule: &Rule| {
        let levels = rule.pattern.as_str().split('/');
        let has_user = levels.clone().any(|level| level == "%u");
        if has_user && !is_usable {
            return rule.effect == Effect::Deny;
        }
        let levels: Vec<&str> = levels
            .map(|level| if level == "%u" { user } else { level })
            .collect();
        plain_matches(&levels.join("/"), topic.as_str())
    };
    let any = |effect| {
        rules
            .iter()
            .any(|rule| rule.effect == effect && matches(rule))
    };
    let has_allow = rules.iter().any(|rule| rule.effect == Effect::Allow);
    let expected = match (any(Effect::Deny), has_allow, any(Effect::Allow)) {
        (true, _, _) | (false, true, false) => Verdict::Denied,
        (false, false, _) => Verdict::Unruled,
        (false, true, true) => Verdict::Allowed,
    };
    let verdict = permissions.judge(RuleKind::Subscribe, Some(topic));
    assert_eq!(verdict, expected, "{rules:?} {user:?} {topic}");

    let told = permissions.remaining_filter(filter, usize::MAX);
    let told = told.expect("there is no limit");
    let exactly = permissions.remaining_filter(filter, told.len());
    assert_eq!(exactly.as_ref(), Some(&told));
    if let Some(fewer) = told.len().checked_sub(1) {
        assert_eq!(permissions.remaining_filter(filter, fewer), None);
    }
    let is_told = told.iter().any(|pattern| pattern.matches(topic));
    let is_asked = filter.iter().any(|pattern| pattern.matches(topic));
    assert!(is_asked || !is_told);
    assert!(is_told || !is_asked || verdict == Verdict::Denied);
}
