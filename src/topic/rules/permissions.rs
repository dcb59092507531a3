//! The rules that apply to one user.

use super::rule_pattern::UserPattern;
use super::{Effect, Rule, RuleKind};
use crate::topic::{Pattern, Topic};

/// The rules that apply to one user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions {
    kinds: [KindRules; RuleKind::ALL.len()],
}

/// The rules of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct KindRules {
    /// Whether a deny rule with `%u` denies everything, because of the user's name.
    denies_all: bool,
    denied: Vec<Pattern<'static>>,
    /// Whether there is an allow rule, even if it matches nothing for this user.
    has_allow: bool,
    allowed: Vec<Pattern<'static>>,
}

/// The decision of the rules about one use of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A deny rule matches, or there are allow rules and none matches.
    Denied,
    /// An allow rule matches.
    Allowed,
    /// No rule decides: the user's role does.
    Unruled,
}

impl Permissions {
    /// Creates a user's permissions from the rules for the user's account and for all accounts.
    ///
    /// A name with `+`, `#` or `/` cannot replace `%u`. An allow rule with `%u` then matches
    /// nothing, and a deny rule with `%u` matches everything. For a session without a user the
    /// caller passes the name `#`.
    pub fn new<'r>(rules: impl IntoIterator<Item = &'r Rule>, user: &str) -> Self {
        let mut permissions = Permissions::default();
        for rule in rules {
            let of_kind = &mut permissions.kinds[rule.kind as usize];
            match (rule.effect, rule.pattern.for_user(user)) {
                (Effect::Deny, UserPattern::Matching(pattern)) => of_kind.denied.push(pattern),
                (Effect::Deny, UserPattern::NameUnusable) => of_kind.denies_all = true,
                (Effect::Allow, pattern) => {
                    of_kind.has_allow = true;
                    if let UserPattern::Matching(pattern) = pattern {
                        of_kind.allowed.push(pattern);
                    }
                }
            }
        }
        permissions
    }

    /// Whether there are rules of a kind. Without rules every verdict is [`Verdict::Unruled`].
    pub fn has_rules(&self, kind: RuleKind) -> bool {
        let rules = &self.kinds[kind as usize];
        rules.denies_all || rules.has_allow || !rules.denied.is_empty()
    }

    /// Judges a use of a topic. Only `#` matches a message without a topic.
    pub fn judge(&self, kind: RuleKind, topic: Option<&Topic<'_>>) -> Verdict {
        let rules = &self.kinds[kind as usize];
        let any = |patterns: &[Pattern<'_>]| {
            let mut patterns = patterns.iter();
            patterns.any(|pattern| pattern.matches_message(topic))
        };
        if rules.denies_all || any(&rules.denied) {
            Verdict::Denied
        } else if !rules.has_allow {
            Verdict::Unruled
        } else if any(&rules.allowed) {
            Verdict::Allowed
        } else {
            Verdict::Denied
        }
    }

    /// Returns the part of a filter that the rules leave, in the order of the filter and without
    /// repetitions.
    ///
    /// If there are allow rules, each pattern is replaced by its intersections with them. A pattern
    /// that a deny rule covers completely is left out. A pattern that a deny rule covers in part
    /// stays as it is, so the result only informs the client: [`Permissions::judge`] decides about
    /// each message.
    pub fn remaining_filter<'p>(
        &self,
        filter: impl IntoIterator<Item = &'p Pattern<'p>>,
    ) -> Vec<Pattern<'static>> {
        let rules = &self.kinds[RuleKind::Subscribe as usize];
        let mut left: Vec<Pattern<'static>> = Vec::new();
        if rules.denies_all {
            return left;
        }
        let mut keep = |pattern: Pattern<'static>| {
            let is_denied = rules.denied.iter().any(|denied| denied.covers(&pattern));
            if !is_denied && !left.contains(&pattern) {
                left.push(pattern);
            }
        };
        for pattern in filter {
            if rules.has_allow {
                let common = rules
                    .allowed
                    .iter()
                    .filter_map(|allowed| pattern.intersection(allowed));
                common.for_each(&mut keep);
            } else {
                keep(pattern.clone().into_owned());
            }
        }
        left
    }
}
