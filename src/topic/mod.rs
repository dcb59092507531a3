//! Topics, the patterns that match them, and the rules that allow and deny them.
//!
//! The problem: messages have topics, sessions select messages by patterns of topics, and operators
//! allow or deny patterns. The three must agree on every topic. A pattern that does not match a
//! message must add nothing to the message's cost.
//!
//! A [`Topic`] has levels, separated by `/`. A [`Pattern`] is a topic filter of MQTT 5 (section
//! 4.7): `+` matches one level, `#` as the last level matches its parent and everything below it.
//! Both are compared byte by byte. Every match runs without recursion and without an allocation.
//!
//! - `pattern` compares one pattern with a topic, and two patterns with each other.
//! - `index` finds the patterns that match a topic among many.
//! - `route` says which sessions a broadcast is for, and `choice` which broadcasts a session gets.
//! - `rules` applies an operator's rules to topics and to a user's patterns.

#[cfg(feature = "server")]
mod choice;
mod error;
#[cfg(feature = "server")]
mod index;
#[cfg(test)]
pub(crate) mod naive;
mod name;
mod pattern;
#[cfg(feature = "server")]
mod route;
#[cfg(feature = "server")]
mod rules;

#[cfg(feature = "server")]
pub use choice::Choice;
pub use error::{TopicError, Wildcard};
#[cfg(feature = "server")]
pub use index::{PatternIndex, SubscriberId, SubscriptionId, Texts};
pub use name::Topic;
pub use pattern::Pattern;
#[cfg(feature = "server")]
pub use route::{Route, Routes};
#[cfg(feature = "server")]
pub use rules::{Effect, Permissions, Rule, RuleError, RuleKind, RulePattern, RuleSet, Verdict};

/// The longest topic and the longest pattern, in bytes of UTF-8.
pub const LONGEST_TOPIC: usize = 256;

/// The largest number of levels of a topic or a pattern, reached where all levels are empty.
const MOST_LEVELS: usize = LONGEST_TOPIC + 1;

/// The separator of levels.
const SEPARATOR: char = '/';
