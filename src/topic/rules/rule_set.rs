//! Rules with one scope, in the form in which they are judged.

use super::rule_pattern::RulePattern;
use super::{Effect, Rule, RuleKind};
use crate::topic::Topic;

/// The rules for one account, or those for all accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleSet {
    kinds: [KindRules; RuleKind::ALL.len()],
}

/// The rules of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct KindRules {
    /// Whether every topic is denied, because a rule of this kind cannot be read.
    denies_all: bool,
    denied: Vec<RulePattern>,
    allowed: Vec<RulePattern>,
}

impl RuleSet {
    /// Creates the set of these rules.
    pub fn new<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Self {
        let mut set = RuleSet::default();
        rules.into_iter().for_each(|rule| set.add(rule));
        set
    }

    /// Adds a rule.
    pub fn add(&mut self, rule: &Rule) {
        let of_kind = &mut self.kinds[rule.kind as usize];
        let patterns = match rule.effect {
            Effect::Allow => &mut of_kind.allowed,
            Effect::Deny => &mut of_kind.denied,
        };
        patterns.push(rule.pattern.clone());
    }

    /// Denies every use of this kind, whatever the other rules are.
    pub fn deny_all(&mut self, kind: RuleKind) {
        self.kinds[kind as usize].denies_all = true;
    }

    pub(super) fn of_kind(&self, kind: RuleKind) -> &KindRules {
        &self.kinds[kind as usize]
    }
}

impl KindRules {
    /// Whether there are no rules.
    pub(super) fn is_empty(&self) -> bool {
        !self.denies_all && self.denied.is_empty() && self.allowed.is_empty()
    }

    /// Whether every topic is denied.
    pub(super) fn denies_all(&self) -> bool {
        self.denies_all
    }

    /// Whether a deny rule matches. `user` replaces `%u`. If it is `None`, a rule with `%u` matches
    /// everything.
    pub(super) fn denies(&self, user: Option<&str>, topic: Option<&Topic<'_>>) -> bool {
        let matches = |rule: &RulePattern| rule.matches(user, topic).unwrap_or(true);
        self.denies_all || self.denied.iter().any(matches)
    }

    /// Whether there is an allow rule, even if it matches nothing for the user.
    pub(super) fn has_allow(&self) -> bool {
        !self.allowed.is_empty()
    }

    /// Whether an allow rule matches. `user` replaces `%u`. If it is `None`, a rule with `%u`
    /// matches nothing.
    pub(super) fn allows(&self, user: Option<&str>, topic: Option<&Topic<'_>>) -> bool {
        let matches = |rule: &RulePattern| rule.matches(user, topic).unwrap_or(false);
        self.allowed.iter().any(matches)
    }

    pub(super) fn denied(&self) -> &[RulePattern] {
        &self.denied
    }

    pub(super) fn allowed(&self) -> &[RulePattern] {
        &self.allowed
    }
}
