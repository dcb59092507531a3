//! Compares patterns as sets of messages: whether one set contains another, and the messages that
//! two sets have in common.
//!
//! A pattern's set contains the messages whose topics the pattern matches. The topics may have any
//! length. The set of `#` also contains the messages without a topic. The empty text is not a
//! topic, so `/#` matches no topic of one level.

use super::{Pattern, PatternLevel};
use crate::topic::LONGEST_TOPIC;

impl Pattern<'_> {
    /// Whether this pattern matches every message that `other` matches.
    pub fn covers(&self, other: &Pattern<'_>) -> bool {
        if other.matches_all() && !self.matches_all() {
            return false; // only `#` matches messages without a topic
        }
        let may_be_reserved = !other.begins_with_wildcard() && other.0.starts_with('$');
        if self.begins_with_wildcard() && may_be_reserved {
            return false;
        }
        let mut theirs = other.levels().peekable();
        let mut taken = 0;
        for level in self.levels() {
            match (level, theirs.peek().copied()) {
                (PatternLevel::Rest, _) => return true,
                (PatternLevel::Literal(own), Some(PatternLevel::Literal(their)))
                    if own == their => {}
                (PatternLevel::Literal(_), _) | (PatternLevel::OneLevel, None) => return false,
                // `#` may match no level. `+` needs a level that every topic of `other` has.
                (PatternLevel::OneLevel, Some(PatternLevel::Rest)) => {
                    if taken >= other.fewest_levels() {
                        return false;
                    }
                    taken += 1;
                    continue;
                }
                (PatternLevel::OneLevel, Some(_)) => {}
            }
            theirs.next();
            taken += 1;
        }
        theirs.peek().is_none()
    }

    /// Returns the smallest number of levels of any topic that the pattern matches.
    fn fewest_levels(&self) -> usize {
        match self.as_str() {
            "#" => 1,
            "/#" => 2, // its parent would be the empty text, which is not a topic
            _ => {
                let levels = self.levels();
                levels.filter(|level| *level != PatternLevel::Rest).count()
            }
        }
    }

    /// Returns the pattern that matches the messages that both patterns match; `None` if there are
    /// no such messages.
    ///
    /// The result may be longer than [`LONGEST_TOPIC`] bytes, because a long level of one pattern
    /// replaces a wildcard of the other.
    pub fn intersection(&self, other: &Pattern<'_>) -> Option<Pattern<'static>> {
        let is_reserved = |pattern: &Pattern<'_>| pattern.0.starts_with('$');
        if (self.begins_with_wildcard() && is_reserved(other))
            || (other.begins_with_wildcard() && is_reserved(self))
        {
            return None;
        }
        let mut common = String::with_capacity(self.0.len().max(other.0.len()));
        let mut wildcards = 0;
        let (mut own, mut their) = (self.levels().peekable(), other.levels().peekable());
        let mut is_first = true;
        loop {
            // Each further level of the other pattern is narrower than `#`, so it is the result.
            let level = match (own.peek().copied(), their.peek().copied()) {
                (None, None) => break,
                (Some(PatternLevel::Rest), Some(PatternLevel::Rest)) => {
                    own.next();
                    their.next();
                    PatternLevel::Rest
                }
                (Some(PatternLevel::Rest), None) | (None, Some(PatternLevel::Rest)) => break,
                (Some(PatternLevel::Rest), Some(level)) => {
                    their.next();
                    level
                }
                (Some(level), Some(PatternLevel::Rest)) => {
                    own.next();
                    level
                }
                (Some(one), Some(other)) => {
                    own.next();
                    their.next();
                    common_level(one, other)?
                }
                (Some(_), None) | (None, Some(_)) => return None,
            };
            if !is_first {
                common.push('/');
            }
            is_first = false;
            match level {
                PatternLevel::Literal(text) => common.push_str(text),
                PatternLevel::OneLevel => {
                    common.push('+');
                    wildcards += 1; // `+` may match an empty level
                }
                PatternLevel::Rest => {
                    common.push('#');
                    wildcards += 2; // `#` and its separator may match nothing
                }
            }
        }
        let shortest_topic = common.len().saturating_sub(wildcards);
        let is_topic = !common.is_empty() && shortest_topic <= LONGEST_TOPIC;
        is_topic.then(|| Pattern::of_any_length(common))
    }
}

/// Returns the narrower of two levels, neither of which is `#`; `None` if no text matches both.
fn common_level<'p>(one: PatternLevel<'p>, other: PatternLevel<'p>) -> Option<PatternLevel<'p>> {
    match (one, other) {
        (PatternLevel::OneLevel, level) | (level, PatternLevel::OneLevel) => Some(level),
        _ => (one == other).then_some(one),
    }
}
