//! Changes of a session's filter.

use std::borrow::Cow;

use super::Core;
use super::effects::Effects;
use super::hears::{Hears, texts};
use super::publish::refuse;
use crate::topic::{Pattern, RuleKind};
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
        let filter = self.filter_left(&hears, fx);
        let filter = filter.as_deref().map(texts);
        fx.answer(&ServerFrame::Subscribed(Subscribed { id, seq, filter }));
        if subscribe.kept == Some(true) {
            let added = subscribe.add.iter();
            let added: Vec<Pattern<'_>> = added
                .filter_map(|text| Pattern::new(&**text).ok())
                .collect();
            fx.send_kept(Some(&added), seq);
        }
    }

    /// Returns the filter as the operator's rules leave it, for the client. Where that would be
    /// longer than a filter may be, it is the filter itself.
    pub(super) fn filter_left<'h, E: Effects>(
        &self,
        hears: &'h Hears,
        fx: &E,
    ) -> Option<Cow<'h, [Pattern<'static>]>> {
        let filter = hears.filter.as_deref()?;
        let left = fx.permissions(RuleKind::Subscribe).and_then(|permissions| {
            let left = permissions.remaining_filter(filter, self.limits.patterns)?;
            let fits = filter_bytes(&left) <= self.longest_filter();
            fits.then_some(left)
        });
        Some(left.map_or(Cow::Borrowed(filter), Cow::Owned))
    }

    /// Returns the most bytes of the patterns of a filter that fit into a frame.
    fn longest_filter(&self) -> usize {
        self.limits.max_frame.saturating_sub(ANSWER)
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
        let (bytes, most) = (filter_bytes(filter), self.longest_filter());
        (bytes > most)
            .then(|| format!("the filter would have {bytes} bytes, and {most} fit into a frame"))
    }
}

/// Returns the bytes of patterns in a frame.
fn filter_bytes(filter: &[Pattern<'_>]) -> usize {
    let patterns = filter.iter();
    patterns.map(|pattern| pattern.as_str().len() + 3).sum()
}
