//! The changes of the outside that tests make.

use std::sync::Arc;

use super::outside::Outside;
use crate::topic::{self, Permissions, RuleKind, RuleSet};

impl Outside {
    /// The client takes all that is queued, and all broadcasts up to the head where it follows.
    pub fn write_all(&mut self) {
        self.output.is_clear = true;
        if self.output.follows {
            self.output.reached = self.head;
            self.output.sent = self.head;
        }
    }

    /// Replaces the rules by one that matches everything, or by none.
    pub fn set_rule(&mut self, kind: RuleKind, effect: Option<topic::Effect>) {
        self.permissions = effect.map(|effect| {
            let mut own = RuleSet::default();
            own.add(&topic::Rule {
                kind,
                pattern: "#".parse().expect("it is a pattern"),
                effect,
            });
            Arc::new(Permissions::new("ana", Arc::default(), Arc::new(own)))
        });
    }

    /// The connection breaks.
    pub fn break_output(&mut self, is_own_failure: bool) {
        self.output.is_broken = true;
        self.output.has_failed |= is_own_failure;
        self.output.is_clear = true;
    }
}
