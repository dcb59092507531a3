//! An operator's rules: which topics an account may use.
//!
//! The rules of each kind apply in this order:
//! 1. If a deny rule matches the topic, the use is denied.
//! 2. If there are allow rules for the account, one of them must match.
//! 3. If there are none, the account's role decides.
//!
//! [`RuleSet`] holds the rules for one account or for all, and [`Permissions`] those that apply to
//! one user.

mod permissions;
mod rule_pattern;
mod rule_set;
#[cfg(test)]
mod tests;

pub use self::permissions::{Permissions, Verdict};
pub use self::rule_pattern::{RuleError, RulePattern};
pub use self::rule_set::RuleSet;
use crate::parse_error::ParseError;

/// One rule, for one account or for all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// The use of topics that the rule is about.
    pub kind: RuleKind,
    /// The topics that the rule is about.
    pub pattern: RulePattern,
    /// Whether the rule allows or denies the use.
    pub effect: Effect,
}

/// The use of a topic that a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKind {
    /// Publishing messages with the topic.
    Publish,
    /// Receiving messages with the topic.
    Subscribe,
    /// Calling the service whose name is the topic.
    Call,
    /// Offering the service whose name is the topic.
    Offer,
}

/// The effect of a rule on the topics that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Allows matching topics. Topics that no allow rule of the same kind matches are denied.
    Allow,
    /// Denies matching topics, even if an allow rule matches them too.
    Deny,
}

impl RuleKind {
    /// Every kind.
    pub const ALL: [RuleKind; 4] = [
        RuleKind::Publish,
        RuleKind::Subscribe,
        RuleKind::Call,
        RuleKind::Offer,
    ];

    /// Returns the kind's name in commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            RuleKind::Publish => "publish",
            RuleKind::Subscribe => "subscribe",
            RuleKind::Call => "call",
            RuleKind::Offer => "offer",
        }
    }
}

impl Effect {
    /// Returns the effect's name in commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
        }
    }
}

impl std::fmt::Display for RuleKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for RuleKind {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        RuleKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| ParseError::new("kind", text, "publish, subscribe, call or offer"))
    }
}

impl std::str::FromStr for Effect {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        [Effect::Allow, Effect::Deny]
            .into_iter()
            .find(|effect| effect.as_str() == text)
            .ok_or_else(|| ParseError::new("effect", text, "allow or deny"))
    }
}
