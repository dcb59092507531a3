//! Changes of a session's filter.

use super::Core;
use super::effects::Effects;
use super::hears::Hears;
use super::publish::refuse;
use crate::topic::Pattern;
use crate::wire::{ErrorCode, ServerFrame, Subscribe, Subscribed};

/// The bytes of an answer with a filter beside the patterns and their heads.
const ANSWER: usize = 512;

impl Core {
    pub(super) fn subscribe<E: Effects>(&mut self, subscribe: &Subscribe<'_>, fx: &mut E) {
        self.count_answered(fx);
        let id = subscribe.id;
        if let Err(error) = subscribe.check() {
            refuse(fx, id, error.code, &error.message);
            return;
        }
        let mut hears = fx.hears();
        hears.change(subscribe);
        if let Some(problem) = self.filter_problem(&hears) {
            refuse(fx, id, ErrorCode::TooMany, &problem);
            return;
        }
        let seq = fx.choose(&hears);
        let filter = hears.filter_texts();
        fx.answer(&ServerFrame::Subscribed(Subscribed { id, seq, filter }));
        if subscribe.kept == Some(true) {
            let added = subscribe.add.iter();
            let added: Vec<Pattern<'_>> = added
                .filter_map(|text| Pattern::new(&**text).ok())
                .collect();
            fx.send_kept(Some(&added), seq);
        }
    }

    /// Returns why a filter is too large.
    pub(super) fn filter_problem(&self, hears: &Hears) -> Option<String> {
        let filter = hears.filter.as_deref().unwrap_or_default();
        let (count, most) = (filter.len(), self.limits.patterns);
        if count > most {
            return Some(format!(
                "the filter would have {count} patterns, and {most} are allowed"
            ));
        }
        let bytes: usize = filter
            .iter()
            .map(|pattern| pattern.as_str().len() + 3)
            .sum();
        let most = self.limits.max_frame.saturating_sub(ANSWER);
        (bytes > most)
            .then(|| format!("the filter would have {bytes} bytes, and {most} fit into a frame"))
    }
}
