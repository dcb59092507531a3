use std::sync::Arc;

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::topic::naive::{self, patterns, topics};
use crate::topic::{Pattern, Topic};

fn rule(text: &str) -> Rule {
    let words: Vec<&str> = text.split(' ').collect();
    Rule {
        effect: words[0].parse().expect("the word is an effect"),
        kind: words[1].parse().expect("the word is a kind"),
        pattern: words[2].parse().expect("the word is a pattern"),
    }
}

fn permissions(rules: &[&str], user: &str) -> Permissions {
    let rules: Vec<Rule> = rules.iter().map(|text| rule(text)).collect();
    of_account(&rules, user)
}

/// The permissions of a user with these rules for the account, and none for all.
fn of_account(rules: &[Rule], user: &str) -> Permissions {
    Permissions::new(user, Arc::default(), Arc::new(RuleSet::new(rules)))
}

fn topic(text: &str) -> Topic<'_> {
    Topic::new(text).expect("the text is a topic")
}

fn left(permissions: &Permissions, filter: &[&str]) -> Vec<String> {
    let filter: Vec<Pattern<'_>> = filter
        .iter()
        .map(|text| Pattern::new(*text).expect("the text is a pattern"))
        .collect();
    let left = permissions
        .remaining_filter(&filter, 100)
        .expect("it is short");
    left.iter().map(Pattern::to_string).collect()
}

#[test]
fn deny_rule_wins_and_allow_rules_exclude_other_topics() {
    let rules = ["allow publish a/#", "deny publish a/b", "allow subscribe x"];
    let permissions = permissions(&rules, "ana");
    let judge = |text: &str| permissions.judge(RuleKind::Publish, Some(&topic(text)));
    assert_eq!(judge("a/c"), Verdict::Allowed);
    assert_eq!(judge("a/b"), Verdict::Denied);
    assert_eq!(judge("b"), Verdict::Denied);
    assert_eq!(permissions.judge(RuleKind::Publish, None), Verdict::Denied);
    assert!(!permissions.has_rules(RuleKind::Call));
    let call = permissions.judge(RuleKind::Call, Some(&topic("b")));
    assert_eq!(call, Verdict::Unruled);
}

#[test]
fn message_without_a_topic_is_judged_by_the_all_pattern_only() {
    let judge = |rules: &[&str]| permissions(rules, "ana").judge(RuleKind::Subscribe, None);
    assert_eq!(judge(&["deny subscribe +/#"]), Verdict::Unruled);
    assert_eq!(judge(&["deny subscribe #"]), Verdict::Denied);
    assert_eq!(judge(&["allow subscribe +/#"]), Verdict::Denied);
    assert_eq!(judge(&["allow subscribe #"]), Verdict::Allowed);
}

#[test]
fn user_placeholder_matches_one_level_with_the_exact_name() {
    let rules = ["allow publish home/%u/#", "deny subscribe %u"];
    let ana = permissions(&rules, "ana");
    let judge = |text: &str| ana.judge(RuleKind::Publish, Some(&topic(text)));
    assert_eq!(judge("home/ana"), Verdict::Allowed);
    assert_eq!(judge("home/ana/x"), Verdict::Allowed);
    assert_eq!(judge("home/rui/x"), Verdict::Denied);
    assert_eq!(judge("home/%u/x"), Verdict::Denied);
    assert_eq!(
        ana.judge(RuleKind::Subscribe, Some(&topic("ana"))),
        Verdict::Denied
    );
    assert_eq!(
        ana.judge(RuleKind::Subscribe, Some(&topic("rui"))),
        Verdict::Unruled
    );
}

#[test]
fn user_name_unusable_in_a_pattern_is_denied_everything() {
    for name in ["#", "+", "a/b", "a#"] {
        let allow = permissions(&["allow publish home/%u"], name);
        for text in ["home/#x", "home/a", "other"] {
            let Ok(topic) = Topic::new(text) else {
                continue;
            };
            assert_eq!(
                allow.judge(RuleKind::Publish, Some(&topic)),
                Verdict::Denied
            );
        }
        let deny = permissions(&["deny subscribe home/%u"], name);
        assert_eq!(deny.judge(RuleKind::Subscribe, None), Verdict::Denied);
        assert_eq!(
            deny.judge(RuleKind::Subscribe, Some(&topic("x"))),
            Verdict::Denied
        );
        assert!(left(&deny, &["x", "#"]).is_empty() && deny.has_rules(RuleKind::Subscribe));
    }
}

#[test]
fn user_placeholder_inside_a_level_is_refused() {
    let error = "a/x%u"
        .parse::<RulePattern>()
        .expect_err("`%u` is not a whole level");
    assert_eq!(error, RuleError::PartOfLevel { level: 2, at: 3 });
    assert!("%u/%u".parse::<RulePattern>().is_ok());
    let error = "a/#/b"
        .parse::<RulePattern>()
        .expect_err("the text is not a pattern");
    assert!(matches!(error, RuleError::Pattern(_)));
}

#[test]
fn user_name_too_long_for_a_topic_matches_nothing() {
    let long = format!("allow publish {}/%u", "x".repeat(250));
    let permissions = permissions(&[&long], &"n".repeat(64));
    let topic = topic("a");
    assert_eq!(
        permissions.judge(RuleKind::Publish, Some(&topic)),
        Verdict::Denied
    );
}

#[test]
fn rules_for_all_and_for_the_account_count_together() {
    let rules = |texts: &[&str]| {
        let rules: Vec<Rule> = texts.iter().map(|text| rule(text)).collect();
        Arc::new(RuleSet::new(&rules))
    };
    let for_all = rules(&["deny publish a/secret", "allow publish home/%u"]);
    let own = rules(&["allow publish a/#"]);
    let ana = Permissions::new("ana", Arc::clone(&for_all), own);
    let rui = Permissions::new("rui", for_all, Arc::default());
    let judge = |of: &Permissions, text: &str| of.judge(RuleKind::Publish, Some(&topic(text)));
    assert_eq!(judge(&ana, "a/b"), Verdict::Allowed);
    assert_eq!(judge(&ana, "a/secret"), Verdict::Denied);
    assert_eq!(judge(&ana, "home/ana"), Verdict::Allowed);
    assert_eq!(judge(&rui, "a/b"), Verdict::Denied);
    assert_eq!(judge(&rui, "home/rui"), Verdict::Allowed);
    assert_eq!(judge(&rui, "home/ana"), Verdict::Denied);
}

#[test]
fn kind_that_denies_all_denies_whatever_the_rules_are() {
    let mut own = RuleSet::new(&[rule("allow publish #")]);
    own.deny_all(RuleKind::Publish);
    own.deny_all(RuleKind::Subscribe);
    let ana = Permissions::new("ana", Arc::default(), Arc::new(own));
    for kind in [RuleKind::Publish, RuleKind::Subscribe] {
        assert!(ana.has_rules(kind));
        assert_eq!(ana.judge(kind, None), Verdict::Denied);
        assert_eq!(ana.judge(kind, Some(&topic("a"))), Verdict::Denied);
    }
    assert!(left(&ana, &["#", "a"]).is_empty());
    assert_eq!(ana.judge(RuleKind::Call, None), Verdict::Unruled);
}

#[test]
fn remaining_filter_follows_allow_and_deny_rules() {
    let allowed = permissions(&["allow subscribe a/#", "allow subscribe +/x"], "ana");
    assert_eq!(left(&allowed, &["#"]), ["a/#", "+/x"]);
    assert_eq!(left(&allowed, &["a/+", "b/+", "c"]), ["a/+", "a/x", "b/x"]);
    let denied = permissions(&["deny subscribe a/#", "deny subscribe +/#"], "ana");
    assert_eq!(left(&denied, &["a/b", "#", "$x"]), ["#", "$x"]);
    let both = permissions(&["allow subscribe a/#", "deny subscribe a/b"], "ana");
    assert_eq!(left(&both, &["+/b", "a/c", "a/c", "a/+"]), ["a/c", "a/+"]);
    assert_eq!(left(&permissions(&[], "ana"), &["x", "x"]), ["x"]);
}

fn some_rules() -> impl Strategy<Value = Vec<Rule>> {
    let rule = (any::<bool>(), patterns()).prop_map(|(allows, pattern)| Rule {
        kind: RuleKind::Subscribe,
        pattern: pattern.parse().expect("the text is a pattern"),
        effect: if allows { Effect::Allow } else { Effect::Deny },
    });
    prop::collection::vec(rule, 0..5)
}

proptest! {
    #[test]
    fn permissions_judge_like_the_naive_matcher(rules in some_rules(), topic in topics()) {
        let permissions = of_account(&rules, "ana");
        let matching = |effect: Effect| {
            rules.iter().any(|rule| {
                rule.effect == effect && naive::matches(rule.pattern.as_str(), &topic)
            })
        };
        let expected = if matching(Effect::Deny) {
            Verdict::Denied
        } else if rules.iter().all(|rule| rule.effect == Effect::Deny) {
            Verdict::Unruled
        } else if matching(Effect::Allow) {
            Verdict::Allowed
        } else {
            Verdict::Denied
        };
        let topic = Topic::new(topic).expect("the text is a topic");
        prop_assert_eq!(permissions.judge(RuleKind::Subscribe, Some(&topic)), expected);
    }

    /// The remaining filter matches each message that the filter matches and the rules do not deny.
    /// It matches no message that the filter does not match.
    #[test]
    fn remaining_filter_has_every_topic_that_passes(
        rules in some_rules(),
        filter in prop::collection::vec(patterns(), 0..4),
        topic in topics(),
    ) {
        let permissions = of_account(&rules, "ana");
        let asked = filter.iter().any(|pattern| naive::matches(pattern, &topic));
        let filter: Vec<&str> = filter.iter().map(String::as_str).collect();
        let remaining = left(&permissions, &filter);
        let is_remaining = remaining.iter().any(|pattern| naive::matches(pattern, &topic));
        let topic = Topic::new(topic).expect("the text is a topic");
        let verdict = permissions.judge(RuleKind::Subscribe, Some(&topic));
        if asked && verdict != Verdict::Denied {
            prop_assert!(is_remaining, "{:?} {:?}", remaining, topic);
        }
        prop_assert!(asked || !is_remaining, "{:?} {:?}", remaining, topic);
    }
}
