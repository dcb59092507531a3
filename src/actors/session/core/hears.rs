//! The broadcasts that a session wants to hear.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::close::SessionFilter;
use crate::topic::Pattern;
use crate::wire::{Login, Seq, Subscribe};

/// The broadcasts that a session wants to hear.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hears {
    /// The patterns of the topics; `None` for every message.
    pub filter: Option<Vec<Pattern<'static>>>,
    /// Whether it wants to know who is present.
    pub presence: bool,
    /// Whether it is told how far the stream is where broadcasts were not for it, because its client
    /// has used filters.
    pub is_told: bool,
}

impl Hears {
    /// Everything that is for everybody, and messages to the session's user.
    pub const EVERYTHING: Hears = Hears {
        filter: None,
        presence: true,
        is_told: false,
    };

    /// Returns what a session without a login hears: the messages whose topic a pattern matches,
    /// or everything.
    pub fn of_listener(filter: Option<Vec<Pattern<'static>>>) -> Hears {
        match filter {
            None => Hears::EVERYTHING,
            filter => Hears {
                filter,
                presence: false,
                is_told: false,
            },
        }
    }

    /// Returns what a login asks for. Patterns that are wrong are left out: [`Login::check`] finds
    /// them.
    pub fn of(login: &Login<'_>) -> Hears {
        let options = login.options.as_deref();
        let filter = options.and_then(|options| options.filter.as_ref());
        let presence = options.and_then(|options| options.presence);
        Hears {
            filter: filter.map(|texts| {
                let mut patterns = Vec::new();
                add_distinct(&mut patterns, texts);
                patterns
            }),
            presence: presence.unwrap_or(filter.is_none()),
            is_told: filter.is_some()
                || presence.is_some()
                || options.is_some_and(|options| options.kept.is_some()),
        }
    }

    /// Describes what is heard from behind `since`, without the patterns; `None` if that is
    /// everything.
    pub fn outline(&self, since: Seq) -> Option<SessionFilter> {
        let is_restricted = self.filter.is_some() || !self.presence;
        is_restricted.then(|| {
            let filter = self.filter.as_ref().map(|filter| (filter.len(), []));
            SessionFilter::new(filter, since, self.presence)
        })
    }

    /// Whether it is [`Hears::EVERYTHING`].
    pub fn is_everything(&self) -> bool {
        *self == Hears::EVERYTHING
    }

    /// Changes the filter as a client asks for: removes patterns, and then adds some. Without a filter
    /// there is nothing to remove.
    pub fn change(&mut self, subscribe: &Subscribe<'_>) {
        self.is_told = true;
        if let Some(filter) = &mut self.filter {
            let removed = |pattern: &Pattern<'_>| {
                subscribe
                    .remove
                    .iter()
                    .any(|text| *text == pattern.as_str())
            };
            filter.retain(|pattern| !removed(pattern));
        }
        if subscribe.add.is_empty() {
            return;
        }
        add_distinct(self.filter.get_or_insert_default(), &subscribe.add);
    }
}

/// Returns patterns as texts.
pub(super) fn texts<'p>(filter: &'p [Pattern<'_>]) -> Vec<Cow<'p, str>> {
    let filter = filter.iter();
    filter
        .map(|pattern| Cow::Borrowed(pattern.as_str()))
        .collect()
}

/// Adds the patterns that are not there yet. Those that are wrong are left out.
fn add_distinct(patterns: &mut Vec<Pattern<'static>>, texts: &[Cow<'_, str>]) {
    let mut known: HashSet<String> = patterns
        .iter()
        .map(|known| known.as_str().to_owned())
        .collect();
    for text in texts {
        if let Ok(pattern) = Pattern::new(&**text)
            && known.insert(text.clone().into_owned())
        {
            patterns.push(pattern.into_owned());
        }
    }
}
