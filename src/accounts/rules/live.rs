//! The permissions of one account at this moment.

use std::sync::Arc;

use crate::sync::{AtomicU8, Ordering, RwLock};
use crate::topic::{Permissions, RuleKind};

/// The permissions of one account, or of the sessions without one. They are replaced when the
/// operator changes a rule.
///
/// Asking about a kind that no rule is about costs one atomic load.
#[derive(Debug, Default)]
pub struct LivePermissions {
    /// A bit for each kind that rules are about.
    ruled: AtomicU8,
    /// `None` if there are no rules.
    current: RwLock<Option<Arc<Permissions>>>,
}

impl LivePermissions {
    /// Creates the permissions that an account begins with; `None` if no rule is about it.
    pub(crate) fn new(permissions: Option<Arc<Permissions>>) -> LivePermissions {
        LivePermissions {
            ruled: AtomicU8::new(ruled(permissions.as_deref())),
            current: RwLock::new(permissions),
        }
    }

    /// Replaces the permissions. Equal permissions stay, so that holders of the old ones can see
    /// that nothing has changed. Returns whether the rules about offers may be others now.
    pub(crate) fn replace(&self, permissions: Option<Arc<Permissions>>) -> bool {
        let mut current = self.current.write();
        if *current == permissions {
            return false;
        }
        let rules_offers = |permissions: &Option<Arc<Permissions>>| {
            ruled(permissions.as_deref()) & bit(RuleKind::Offer) != 0
        };
        let is_about_offers = rules_offers(&current) || rules_offers(&permissions);
        // A reader that still sees the old bits judges by the new permissions or by none of before:
        // each is what held just before or what holds now.
        let ruled = ruled(permissions.as_deref());
        *current = permissions;
        self.ruled.store(ruled, Ordering::Release);
        is_about_offers
    }

    /// Returns the permissions of this moment if a rule is about this kind.
    pub fn of_kind(&self, kind: RuleKind) -> Option<Arc<Permissions>> {
        if self.ruled.load(Ordering::Acquire) & bit(kind) == 0 {
            return None;
        }
        self.current()
    }

    /// Returns the permissions of this moment; `None` if there are no rules.
    pub fn current(&self) -> Option<Arc<Permissions>> {
        self.current.read().clone()
    }
}

fn ruled(permissions: Option<&Permissions>) -> u8 {
    let Some(permissions) = permissions else {
        return 0;
    };
    let kinds = RuleKind::ALL.into_iter();
    let kinds = kinds.filter(|kind| permissions.has_rules(*kind));
    kinds.fold(0, |bits, kind| bits | bit(kind))
}

fn bit(kind: RuleKind) -> u8 {
    1 << kind as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::{Rule, RuleSet};

    fn denying(kind: RuleKind) -> Arc<Permissions> {
        let rule = Rule {
            kind,
            pattern: "a/#".parse().expect("the text is a pattern"),
            effect: crate::topic::Effect::Deny,
        };
        let own = Arc::new(RuleSet::new(&[rule]));
        Arc::new(Permissions::new("ana", Arc::default(), own))
    }

    #[test]
    fn permissions_are_returned_for_the_kinds_with_rules_only() {
        let live = LivePermissions::new(None);
        assert!(
            RuleKind::ALL
                .iter()
                .all(|kind| live.of_kind(*kind).is_none())
        );
        for kind in RuleKind::ALL {
            live.replace(Some(denying(kind)));
            for other in RuleKind::ALL {
                assert_eq!(live.of_kind(other).is_some(), other == kind);
            }
        }
        live.replace(None);
        assert!(live.current().is_none() && live.of_kind(RuleKind::Offer).is_none());
    }

    #[test]
    fn change_of_rules_about_offers_is_told() {
        let live = LivePermissions::new(None);
        assert!(!live.replace(Some(denying(RuleKind::Call))));
        assert!(live.replace(Some(denying(RuleKind::Offer))));
        assert!(
            !live.replace(Some(denying(RuleKind::Offer))),
            "it is the same"
        );
        assert!(live.replace(None));
    }

    #[test]
    fn equal_permissions_are_not_replaced() {
        let first = denying(RuleKind::Publish);
        let live = LivePermissions::new(Some(Arc::clone(&first)));
        live.replace(Some(denying(RuleKind::Publish)));
        let current = live.current().expect("there are rules");
        assert!(Arc::ptr_eq(&first, &current));
        assert!(!live.replace(Some(denying(RuleKind::Subscribe))));
        let current = live.current().expect("there are rules");
        assert!(!Arc::ptr_eq(&first, &current));
    }
}
