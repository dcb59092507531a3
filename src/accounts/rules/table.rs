//! The rules in memory.

use std::collections::HashMap;
use std::sync::Arc;

use super::{RuleRows, RuleScope};
use crate::accounts::UserName;
use crate::topic::{Permissions, RuleKind, RuleSet};

/// The name that sessions without an account are judged as: it cannot replace `%u`.
const NAMELESS: &str = "#";

/// The rules in memory. Permissions share the sets.
#[derive(Debug, Default)]
pub(in crate::accounts) struct RuleTable {
    for_all: Arc<RuleSet>,
    by_account: HashMap<UserName, Arc<RuleSet>>,
}

impl RuleTable {
    /// Creates the table of these rows. Sets that have not changed are those of the table `before`,
    /// so that comparing them with themselves costs nothing.
    pub(in crate::accounts) fn new(rows: &RuleRows, before: &RuleTable) -> RuleTable {
        let mut for_all = RuleSet::default();
        let mut by_account: HashMap<UserName, RuleSet> = HashMap::new();
        let mut set_of = |scope: &RuleScope, change: &dyn Fn(&mut RuleSet)| match scope {
            RuleScope::All => change(&mut for_all),
            RuleScope::Account(user) => change(by_account.entry(user.clone()).or_default()),
        };
        for row in &rows.valid {
            set_of(&row.scope, &|set| set.add(&row.rule));
        }
        for row in &rows.invalid {
            let Some(scope) = &row.scope else { continue };
            let kinds = RuleKind::ALL.into_iter();
            let denied = kinds.filter(|kind| row.kind.is_none_or(|of_row| of_row == *kind));
            denied.for_each(|kind| set_of(scope, &|set| set.deny_all(kind)));
        }
        let by_account = by_account.into_iter().map(|(user, set)| {
            let set = shared(set, before.by_account.get(&user));
            (user, set)
        });
        RuleTable {
            for_all: shared(for_all, Some(&before.for_all)),
            by_account: by_account.collect(),
        }
    }

    /// Returns the permissions of a user; `None` if no rule is about the user's account.
    pub(in crate::accounts) fn of_user(&self, user: &UserName) -> Option<Arc<Permissions>> {
        let own = self.by_account.get(user);
        if own.is_none() && *self.for_all == RuleSet::default() {
            return None;
        }
        let (for_all, own) = (Arc::clone(&self.for_all), own.cloned().unwrap_or_default());
        Some(Arc::new(Permissions::new(user.shared(), for_all, own)))
    }

    /// Returns the permissions of sessions without an account; `None` if there are no rules for
    /// all accounts.
    pub(in crate::accounts) fn of_nameless(&self) -> Option<Arc<Permissions>> {
        let for_all = Arc::clone(&self.for_all);
        let has_rules = *for_all != RuleSet::default();
        has_rules.then(|| Arc::new(Permissions::new(NAMELESS, for_all, Arc::default())))
    }
}

/// Returns the set, or the equal one from before.
fn shared(set: RuleSet, before: Option<&Arc<RuleSet>>) -> Arc<RuleSet> {
    match before {
        Some(before) if **before == set => Arc::clone(before),
        _ => Arc::new(set),
    }
}
