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
    denies_all: bool,
    denied: Vec<Pattern<'static>>,
    /// Whether there is an allow rule, be it one that matches nothing for this user.
    has_allow: bool,
    allowed: Vec<Pattern<'static>>,
}

/// What the rules say about one use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A deny rule matches, or there are allow rules and none matches.
    Denied,
    /// An allow rule matches.
    Allowed,
    /// No rule applies: the user's role decides.
    Unruled,
}

impl Permissions {
    /// Takes the rules of a user's account and those for all accounts.
    ///
    /// In a rule with `%u`, a name that has `+`, `#` or `/` makes an allow rule match nothing and
    /// a deny rule everything. A session without a user is judged as one of the name `#`.
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

    /// Whether there are rules of a kind. Without them every verdict is [`Verdict::Unruled`].
    pub fn has_rules(&self, kind: RuleKind) -> bool {
        let rules = &self.kinds[kind as usize];
        rules.denies_all || rules.has_allow || !rules.denied.is_empty()
    }

    /// Judges a use of a topic. A message without a topic is matched by `#` only.
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

    /// Returns what the rules leave of a filter: each pattern's common part with each allow rule,
    /// where there are any, without what a deny rule covers whole. Each once, in the order of the
    /// filter.
    ///
    /// The answer is for the client: deny rules that cover a part of a pattern are not in it.
    /// [`Permissions::judge`] decides about each message.
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
