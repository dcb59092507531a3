//! Which frames a reader takes: those that it chose and that the operator's rules leave.

use std::sync::Arc;

use super::Reader;
use super::recipient::may_hear;
use super::scan::is_for;
use crate::wire::Seq;

impl Reader {
    /// Whether a frame that comes next in the log is for the reader. Notes what rules keep from it.
    pub(in super::super) fn takes(&mut self, seq: Seq, frame: &[u8]) -> bool {
        let is_judged = self.past.is_some() || self.scan.is_some();
        (!is_judged || is_for(frame, &self.recipient.name, self.scan.as_deref()))
            && self.takes_selected(seq, frame)
    }

    /// Whether a frame that the reader chose is for it. Notes what rules keep from it.
    pub(in super::super) fn takes_selected(&mut self, seq: Seq, frame: &[u8]) -> bool {
        let may_hear = self.may_hear(frame);
        if !may_hear {
            self.withheld.note(seq);
        }
        may_hear
    }

    /// Takes the operator's rules of this moment.
    pub(in super::super) fn update_rules(&mut self) {
        let rules = self.recipient.rules();
        // Equal rules stay the same.
        if rules.as_ref().map(Arc::as_ptr) != self.rules.as_ref().map(Arc::as_ptr) {
            self.rules = rules;
            self.rules_after = self.done_until().max(self.withheld.last());
        }
    }

    /// Whether there are rules about what the client hears.
    pub(in super::super) fn has_rules(&self) -> bool {
        self.rules.is_some()
    }

    /// Whether the operator's rules let the client have a frame.
    pub(in super::super) fn may_hear(&self, frame: &[u8]) -> bool {
        self.rules
            .as_deref()
            .is_none_or(|rules| may_hear(rules, frame))
    }
}
