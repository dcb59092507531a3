//! The messages that a session selects, and changes of that.
//!
//! The client remembers the filter that its session has asked for, because the next session asks
//! for the same. A change counts once the server has answered it, whether somebody waits for the
//! answer or not.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::wire::{ClientFrame, LoginOptions, Seq, Subscribe, Subscribed};

/// The messages that a login asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The patterns of the topics; `None` for every message.
    pub(super) filter: Option<Vec<String>>,
    /// Whether `joined` and `left` come; `None`: where there is no filter.
    pub(super) presence: Option<bool>,
    /// Whether the kept values come first.
    pub(super) kept: bool,
}

impl Wanted {
    /// Whether it is what a login without any of these keys gets.
    pub(super) fn is_default(&self) -> bool {
        *self == Wanted::default()
    }

    /// Returns the keys of a login.
    pub(super) fn login_options(&self) -> Option<Box<LoginOptions<'_>>> {
        if self.is_default() {
            return None;
        }
        Some(Box::new(LoginOptions {
            filter: self.filter.as_deref().map(borrowed),
            presence: self.presence,
            kept: self.kept.then_some(true),
            ..LoginOptions::default()
        }))
    }

    /// Changes the filter as the server does.
    fn apply(&mut self, change: FilterChange) {
        // A later login must get the same presence as this session.
        self.presence.get_or_insert(self.filter.is_none());
        if let Some(filter) = &mut self.filter {
            filter.retain(|pattern| !change.remove.contains(pattern));
        }
        if change.add.is_empty() {
            return;
        }
        let filter = self.filter.get_or_insert_default();
        for pattern in change.add {
            if !filter.contains(&pattern) {
                filter.push(pattern);
            }
        }
    }
}

/// The filter that a session has asked for, and its changes that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct FilterState {
    wanted: Wanted,
    pending: HashMap<u64, FilterChange>,
}

impl FilterState {
    pub(super) fn new(wanted: Wanted) -> FilterState {
        FilterState {
            wanted,
            pending: HashMap::new(),
        }
    }

    /// Notes a change that is sent with this id.
    pub(super) fn begin(&mut self, id: u64, change: FilterChange) {
        self.pending.insert(id, change);
    }

    /// Notes that the server has made the change.
    pub(super) fn confirm(&mut self, id: u64) {
        if let Some(change) = self.pending.remove(&id) {
            self.wanted.apply(change);
        }
    }

    /// Notes that the server has not made the change.
    pub(super) fn refuse(&mut self, id: u64) {
        self.pending.remove(&id);
    }

    /// Returns what the next login is to ask for.
    pub(super) fn wanted(&self) -> Wanted {
        self.wanted.clone()
    }
}

/// A change of the filter, for [`Client::change_filter`](crate::Client::change_filter). Patterns
/// are removed before others are added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "it is made by `Client::change_filter`"]
pub struct FilterChange {
    add: Vec<String>,
    remove: Vec<String>,
    kept: bool,
}

impl FilterChange {
    /// Returns a change that does nothing.
    pub fn new() -> FilterChange {
        FilterChange::default()
    }

    /// Adds patterns. A session without a filter has one from then on.
    pub fn subscribe(
        mut self,
        patterns: impl IntoIterator<Item = impl Into<String>>,
    ) -> FilterChange {
        self.add.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Removes patterns, each as it was added. In a session without a filter that has no effect.
    pub fn unsubscribe(
        mut self,
        patterns: impl IntoIterator<Item = impl Into<String>>,
    ) -> FilterChange {
        self.remove.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Asks for the kept values of the topics that the added patterns match
    /// ([`Incoming::Kept`](crate::Incoming::Kept)).
    pub fn kept(mut self) -> FilterChange {
        self.kept = true;
        self
    }

    /// Returns the frame that asks for the change.
    pub(super) fn frame(&self, id: u64) -> ClientFrame<'_> {
        ClientFrame::Subscribe(Box::new(Subscribe {
            id,
            add: borrowed(&self.add),
            remove: borrowed(&self.remove),
            kept: self.kept.then_some(true),
        }))
    }
}

/// The answer to a change of the filter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CurrentFilter {
    /// The filter holds for broadcasts above this seq.
    pub seq: Seq,
    /// The patterns, as far as the operator's rules allow them; `None`: the session has no filter.
    pub patterns: Option<Vec<String>>,
}

impl CurrentFilter {
    pub(super) fn of(subscribed: Subscribed<'_>) -> CurrentFilter {
        CurrentFilter {
            seq: subscribed.seq,
            patterns: subscribed.filter.map(owned),
        }
    }
}

fn borrowed(patterns: &[String]) -> Vec<Cow<'_, str>> {
    let patterns = patterns.iter();
    patterns.map(|pattern| Cow::Borrowed(&**pattern)).collect()
}

/// Returns the patterns without borrowed data.
pub(super) fn owned(patterns: Vec<Cow<'_, str>>) -> Vec<String> {
    patterns.into_iter().map(Cow::into_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(filter: Option<&[&str]>) -> Wanted {
        Wanted {
            filter: filter.map(|filter| filter.iter().map(|text| (*text).to_owned()).collect()),
            ..Wanted::default()
        }
    }

    fn filter_after(before: Option<&[&str]>, change: FilterChange) -> Option<Vec<String>> {
        let mut state = FilterState::new(wanted(before));
        state.begin(1, change);
        assert_eq!(state.wanted(), wanted(before), "it is not answered yet");
        state.confirm(1);
        state.wanted().filter
    }

    #[test]
    fn filter_change_removes_and_then_adds() {
        let change = FilterChange::new()
            .subscribe(["a", "c", "c"])
            .unsubscribe(["a", "b"]);
        let after = filter_after(Some(&["a", "b", "d"]), change.clone());
        assert_eq!(after.unwrap_or_default(), ["d", "a", "c"]);
        assert_eq!(filter_after(None, change).unwrap_or_default(), ["a", "c"]);
        assert_eq!(
            filter_after(None, FilterChange::new().unsubscribe(["a"])),
            None
        );
        let emptied = filter_after(Some(&["a"]), FilterChange::new().unsubscribe(["a"]));
        assert_eq!(emptied, Some(Vec::new()));
    }

    #[test]
    fn refused_filter_change_is_not_asked_for_again() {
        let mut state = FilterState::new(wanted(Some(&["a"])));
        state.begin(1, FilterChange::new().subscribe(["b/#/c"]));
        state.begin(2, FilterChange::new().subscribe(["d"]));
        state.refuse(1);
        state.confirm(2);
        state.confirm(1);
        assert_eq!(state.wanted().filter.unwrap_or_default(), ["a", "d"]);
    }

    #[test]
    fn next_login_has_the_presence_of_the_session() {
        for (before, presence) in [(None, true), (Some(&["a"][..]), false)] {
            let mut state = FilterState::new(wanted(before));
            state.begin(1, FilterChange::new().subscribe(["b"]));
            state.confirm(1);
            assert_eq!(state.wanted().presence, Some(presence));
        }
    }
}
