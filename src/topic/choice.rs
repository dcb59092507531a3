//! The broadcasts that a session gets.

use std::sync::Arc;

use super::{Pattern, PatternIndex, Route, SubscriberId, Topic};

/// The broadcasts that a session gets: messages to its user, messages that its filter matches, and
/// presence changes if it wants them.
#[derive(Debug)]
pub struct Choice {
    user: Arc<str>,
    presence: bool,
    /// The filter's patterns; `None` if every message matches.
    patterns: Option<PatternIndex>,
}

impl Choice {
    /// Creates the choice of a session of this user. Without a filter every message matches.
    pub fn new(user: Arc<str>, filter: Option<&[Pattern<'_>]>, presence: bool) -> Choice {
        let patterns = filter.map(|filter| {
            let mut patterns = PatternIndex::new();
            for pattern in filter {
                patterns.insert(pattern, SubscriberId(0));
            }
            patterns
        });
        Choice {
            user,
            presence,
            patterns,
        }
    }

    /// Whether the session gets broadcasts with a route; without one the message has no topic and
    /// is for everybody.
    pub fn takes(&self, route: Option<Route<'_>>) -> bool {
        let topic = match route {
            Some(Route::Presence) => return self.presence,
            Some(Route::User(user)) => return *user == *self.user,
            Some(Route::Topic(topic)) => Some(Topic::of_checked(topic)),
            None => None,
        };
        let Some(patterns) = &self.patterns else {
            return true;
        };
        let mut is_matched = false;
        patterns.matches(topic.as_ref(), |_, _| is_matched = true);
        is_matched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(filter: Option<&[&'static str]>, presence: bool) -> Choice {
        let filter = filter.map(|filter| {
            let patterns = filter.iter().map(|text| Pattern::new(*text));
            patterns.collect::<Result<Vec<_>, _>>().expect("patterns")
        });
        Choice::new(Arc::from("ana"), filter.as_deref(), presence)
    }

    #[test]
    fn choice_takes_what_its_filter_matches_and_own_messages() {
        let routes = [
            None,
            Some(Route::Presence),
            Some(Route::User("ana")),
            Some(Route::User("rui")),
            Some(Route::Topic("a")),
            Some(Route::Topic("a/b")),
            Some(Route::Topic("b")),
            Some(Route::Topic("$x")),
        ];
        let taken = |choice: Choice| routes.map(|route| u8::from(choice.takes(route)));
        assert_eq!(taken(choice(None, true)), [1, 1, 1, 0, 1, 1, 1, 1]);
        assert_eq!(taken(choice(Some(&[]), false)), [0, 0, 1, 0, 0, 0, 0, 0]);
        assert_eq!(taken(choice(Some(&["a"]), true)), [0, 1, 1, 0, 1, 0, 0, 0]);
        let wide = choice(Some(&["x", "a/+", "$x"]), false);
        assert_eq!(taken(wide), [0, 0, 1, 0, 0, 1, 0, 1]);
        assert_eq!(taken(choice(Some(&["#"]), false)), [1, 0, 1, 0, 1, 1, 1, 0]);
    }
}
