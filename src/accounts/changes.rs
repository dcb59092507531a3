//! The changes of accounts and rules that one reading of the database shows, for the audit log.
//!
//! Their number is bounded: what may matter most is told one by one, and the rest is counted.

use std::collections::BTreeSet;

use super::{AccountRule, RuleScope, UserName};
use crate::audit::{AccountChange, AuditEvent, AuditSink};
use crate::wire::Role;

/// The most changes of one reading that are told one by one.
const MOST: usize = 1000;

/// The changes that one reading has shown.
#[derive(Debug, Default)]
pub(super) struct Changes {
    is_wanted: bool,
    rules: Bounded<RuleChange>,
    accounts: Bounded<(UserName, AccountChange)>,
    /// New accounts without the role admin. There may be many, and they are told last.
    added: Bounded<(UserName, AccountChange)>,
}

#[derive(Debug)]
struct RuleChange {
    rule: AccountRule,
    is_added: bool,
}

/// The first values of a list, and the number of the others.
#[derive(Debug)]
struct Bounded<T> {
    first: Vec<T>,
    others: u64,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Bounded {
            first: Vec::new(),
            others: 0,
        }
    }
}

impl<T> Bounded<T> {
    fn push(&mut self, value: T) {
        match self.first.len() < MOST {
            true => self.first.push(value),
            false => self.others += 1,
        }
    }

    /// Takes as many values as there is room for, and counts the rest.
    fn fit(&mut self, room: &mut usize) {
        let most = self.first.len().min(*room);
        self.others += (self.first.len() - most) as u64;
        self.first.truncate(most);
        *room -= most;
    }
}

impl Changes {
    /// Returns an empty list, which stays empty unless somebody wants the changes.
    pub(super) fn new(is_wanted: bool) -> Changes {
        Changes {
            is_wanted,
            ..Changes::default()
        }
    }

    /// Notes a change of an account.
    pub(super) fn note(&mut self, user: &UserName, change: AccountChange) {
        if !self.is_wanted {
            return;
        }
        let is_plain = matches!(change, AccountChange::Added(role) if role != Role::Admin);
        let list = match is_plain {
            true => &mut self.added,
            false => &mut self.accounts,
        };
        list.push((user.clone(), change));
    }

    /// Notes the rules that were added and removed.
    pub(super) fn note_rules(&mut self, before: &[AccountRule], now: &[AccountRule]) {
        if !self.is_wanted || before == now {
            return;
        }
        let sorted = |rules: &[AccountRule]| rules.iter().cloned().collect::<BTreeSet<_>>();
        let (before, now) = (sorted(before), sorted(now));
        let mut note = |rule: &AccountRule, is_added| {
            let rule = rule.clone();
            self.rules.push(RuleChange { rule, is_added });
        };
        before.difference(&now).for_each(|rule| note(rule, false));
        now.difference(&before).for_each(|rule| note(rule, true));
    }

    /// Tells the changes: of rules, of accounts, and last the new accounts.
    pub(super) fn tell(mut self, audit: &AuditSink) {
        let mut room = MOST;
        self.rules.fit(&mut room);
        self.accounts.fit(&mut room);
        self.added.fit(&mut room);
        for RuleChange { rule, is_added } in &self.rules.first {
            let user = match &rule.scope {
                RuleScope::All => None,
                RuleScope::Account(user) => Some(user.as_str()),
            };
            audit.note(&AuditEvent::RuleChanged {
                user,
                is_added: *is_added,
                kind: rule.rule.kind.as_str(),
                pattern: rule.rule.pattern.as_str(),
                effect: rule.rule.effect.as_str(),
            });
        }
        for (user, change) in self.accounts.first.iter().chain(&self.added.first) {
            let (user, change) = (user.as_str(), *change);
            audit.note(&AuditEvent::AccountChanged { user, change });
        }
        let count = self.rules.others + self.accounts.others + self.added.others;
        if count > 0 {
            audit.note(&AuditEvent::FurtherChanges { count });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;
    use crate::audit::Audit;
    use crate::topic::{Effect, Rule, RuleKind};

    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Audit for Told {
        fn note(&self, event: &AuditEvent<'_>) {
            self.0.lock().push(match event {
                AuditEvent::AccountChanged { user, change } => format!("{user} {change:?}"),
                AuditEvent::RuleChanged {
                    user,
                    is_added,
                    pattern,
                    ..
                } => format!("{user:?} {pattern} {is_added}"),
                other => format!("{other:?}"),
            });
        }
    }

    fn told(changes: Changes) -> Vec<String> {
        let told = Arc::new(Told::default());
        changes.tell(&AuditSink::new(Some(told.clone())));
        let told = told.0.lock();
        told.clone()
    }

    fn user(name: &str) -> UserName {
        UserName::parse(name).expect("it is a name")
    }

    fn rule(scope: RuleScope, pattern: &str) -> AccountRule {
        let rule = Rule {
            kind: RuleKind::Publish,
            pattern: pattern.parse().expect("it is a pattern"),
            effect: Effect::Deny,
        };
        AccountRule { scope, rule }
    }

    #[test]
    fn changes_beyond_the_bound_are_counted_and_admins_named() {
        let mut changes = Changes::new(true);
        for number in 0..MOST + 5 {
            let name = user(&format!("u{number}"));
            changes.note(&name, AccountChange::Added(Role::Leitor));
        }
        changes.note(&user("olga"), AccountChange::Added(Role::Admin));
        changes.note(&user("rui"), AccountChange::Removed);
        let told = told(changes);
        assert_eq!(told.len(), MOST + 1);
        assert_eq!(told[..2], ["olga Added(Admin)", "rui Removed"]);
        assert_eq!(told[MOST], "FurtherChanges { count: 7 }");
    }

    #[test]
    fn only_rules_that_differ_are_told() {
        let ana = || RuleScope::Account(user("ana"));
        let before = [rule(RuleScope::All, "a/#"), rule(ana(), "b")];
        let now = [rule(RuleScope::All, "a/#"), rule(ana(), "c")];
        let mut changes = Changes::new(true);
        changes.note_rules(&before, &now);
        assert_eq!(
            told(changes),
            ["Some(\"ana\") b false", "Some(\"ana\") c true"]
        );
    }

    #[test]
    fn unwanted_changes_are_not_kept() {
        let mut changes = Changes::new(false);
        changes.note(&user("ana"), AccountChange::Removed);
        changes.note_rules(&[], &[rule(RuleScope::All, "a")]);
        assert!(told(changes).is_empty());
    }
}
