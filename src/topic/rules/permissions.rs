//! The rules that apply to one user.

use std::collections::HashSet;
use std::sync::Arc;

use super::rule_pattern::RulePattern;
use super::rule_set::KindRules;
use super::{Effect, RuleKind, RuleSet};
use crate::topic::{Pattern, Topic};

/// The rules that apply to one user. Users share the rules for all accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions {
    /// The level that replaces `%u`; `None` if the user's name cannot be a level of a pattern.
    user: Option<Arc<str>>,
    /// The rules for all accounts.
    for_all: Arc<RuleSet>,
    /// The rules for the user's account.
    own: Arc<RuleSet>,
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
    /// Creates a user's permissions from the rules for all accounts and those for the user's own.
    ///
    /// A name with `+`, `#` or `/` cannot replace `%u`. An allow rule with `%u` then matches
    /// nothing, and a deny rule with `%u` matches everything. For a session without a user the
    /// caller passes the name `#`.
    pub fn new(user: impl Into<Arc<str>>, for_all: Arc<RuleSet>, own: Arc<RuleSet>) -> Self {
        let user = user.into();
        Permissions {
            user: (!user.contains(['+', '#', '/'])).then_some(user),
            for_all,
            own,
        }
    }

    /// Whether there are rules of a kind. Without rules every verdict is [`Verdict::Unruled`].
    pub fn has_rules(&self, kind: RuleKind) -> bool {
        self.of_kind(kind).iter().any(|rules| !rules.is_empty())
    }

    /// Judges a use of a topic. Only `#` matches a message without a topic. The time is linear in
    /// the number of rules of the kind.
    pub fn judge(&self, kind: RuleKind, topic: Option<&Topic<'_>>) -> Verdict {
        let rules = self.of_kind(kind);
        let user = self.user.as_deref();
        if rules.iter().any(|rules| rules.denies(user, topic)) {
            Verdict::Denied
        } else if !rules.iter().any(|rules| rules.has_allow()) {
            Verdict::Unruled
        } else if rules.iter().any(|rules| rules.allows(user, topic)) {
            Verdict::Allowed
        } else {
            Verdict::Denied
        }
    }

    /// Returns the part of a filter that the rules leave, in the order of the filter and without
    /// repetitions; `None` if it has more than `most` patterns.
    ///
    /// If there are allow rules, each pattern is replaced by its intersections with them. A pattern
    /// that a deny rule covers completely is left out. A pattern that a deny rule covers in part
    /// stays as it is, so the result only informs the client: [`Permissions::judge`] decides about
    /// each message.
    pub fn remaining_filter<'p>(
        &self,
        filter: impl IntoIterator<Item = &'p Pattern<'p>>,
        most: usize,
    ) -> Option<Vec<Pattern<'static>>> {
        let rules = self.of_kind(RuleKind::Subscribe);
        let user = self.user.as_deref();
        let denied = rules.iter().flat_map(|rules| rules.denied());
        let denied: Option<Vec<_>> = denied.map(|rule| rule.for_user(user)).collect();
        let Some(denied) = denied.filter(|_| !rules.iter().any(|rules| rules.denies_all())) else {
            return Some(Vec::new());
        };
        let has_allow = rules.iter().any(|rules| rules.has_allow());
        let allowed = rules.iter().flat_map(|rules| rules.allowed());
        let allowed: Vec<_> = allowed.filter_map(|rule| rule.for_user(user)).collect();
        let (mut left, mut known) = (Vec::new(), HashSet::new());
        for pattern in filter {
            let whole = (!has_allow).then(|| pattern.clone().into_owned());
            let common = has_allow.then_some(&allowed).into_iter().flatten();
            let common = common.filter_map(|allowed| pattern.intersection(allowed));
            for pattern in whole.into_iter().chain(common) {
                let is_denied = denied.iter().any(|denied| denied.covers(&pattern));
                if is_denied || !known.insert(pattern.clone()) {
                    continue;
                }
                if left.len() == most {
                    return None;
                }
                left.push(pattern);
            }
        }
        Some(left)
    }

    /// Returns the rules of a kind with their patterns as they were written: first the deny rules.
    /// Rules that cannot be read are one that denies every topic.
    pub fn rules(&self, kind: RuleKind) -> impl Iterator<Item = (Effect, &str)> {
        let [for_all, own] = self.of_kind(kind);
        let denies_all = for_all.denies_all() || own.denies_all();
        let denied = for_all.denied().iter().chain(own.denied());
        let denied = denied.map(RulePattern::as_str);
        let denied = denies_all.then_some("#").into_iter().chain(denied);
        let allowed = for_all.allowed().iter().chain(own.allowed());
        let allowed = allowed.map(|pattern| (Effect::Allow, pattern.as_str()));
        denied.map(|text| (Effect::Deny, text)).chain(allowed)
    }

    fn of_kind(&self, kind: RuleKind) -> [&KindRules; 2] {
        [self.for_all.of_kind(kind), self.own.of_kind(kind)]
    }
}
