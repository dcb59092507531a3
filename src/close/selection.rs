//! A session's choice of broadcasts, and the operator's rules about it, as a report lists them.
//!
//! A filter may have many long patterns, and a report has many sessions. So each list is bounded,
//! and says how many of its entries are left out.

use serde::{Deserialize, Serialize};

use crate::topic::{Effect, Permissions, RuleKind};
use crate::wire::Seq;

/// The most patterns of a filter, and the most rules, that are listed.
const LISTED: usize = 32;

/// The most bytes of the listed patterns of a filter, and of the listed rules.
const LISTED_BYTES: usize = 1024;

/// A session's choice of broadcasts. A session that receives everything that is for everybody has
/// no such record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionFilter {
    /// Patterns of topics; absent where every message is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patterns: Option<Vec<String>>,
    /// How many further patterns there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: u64,
    /// The patterns hold for the broadcasts behind this seq. Before it the session had others.
    pub since: Seq,
    /// Whether the session is told who joins and who leaves.
    pub presence: bool,
}

/// The operator's rules about what a session receives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SubscribeRules {
    /// Patterns of the topics that are denied; `%u` stands for the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
    /// Patterns of the topics that are allowed. Where there are any, all others are denied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// How many further rules there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: u64,
    /// They hold for the broadcasts behind this seq. Before it there were others, or none.
    pub since: Seq,
}

impl SessionFilter {
    /// The most patterns that are listed.
    pub(crate) const LISTED: usize = LISTED;

    /// Records a filter of `count` patterns, of which `patterns` returns the first ones. `None`: every
    /// message is chosen.
    pub(crate) fn new<'p>(
        patterns: Option<(usize, impl IntoIterator<Item = &'p str>)>,
        since: Seq,
        presence: bool,
    ) -> SessionFilter {
        let mut room = Room::new();
        let listed = patterns.map(|(count, patterns)| {
            let patterns = patterns.into_iter();
            let patterns = patterns.take_while(|pattern| room.takes(pattern));
            let patterns: Vec<String> = patterns.map(str::to_owned).collect();
            let unlisted = count.saturating_sub(patterns.len()) as u64;
            (patterns, unlisted)
        });
        let (patterns, unlisted) = listed.unzip();
        SessionFilter {
            patterns,
            unlisted: unlisted.unwrap_or_default(),
            since,
            presence,
        }
    }
}

impl SubscribeRules {
    /// Records the rules of a user about what it receives, which hold behind `since`.
    pub(crate) fn new(permissions: &Permissions, since: Seq) -> SubscribeRules {
        let (mut room, mut is_full) = (Room::new(), false);
        let mut rules = SubscribeRules {
            deny: Vec::new(),
            allow: Vec::new(),
            unlisted: 0,
            since,
        };
        for (effect, pattern) in permissions.rules(RuleKind::Subscribe) {
            is_full = is_full || !room.takes(pattern);
            if is_full {
                rules.unlisted += 1;
                continue;
            }
            match effect {
                Effect::Deny => rules.deny.push(pattern.to_owned()),
                Effect::Allow => rules.allow.push(pattern.to_owned()),
            }
        }
        rules
    }
}

/// The room that is left in a list.
struct Room {
    entries: usize,
    bytes: usize,
}

impl Room {
    const fn new() -> Room {
        Room {
            entries: LISTED,
            bytes: LISTED_BYTES,
        }
    }

    /// Takes the room for an entry. Returns whether there was enough.
    fn takes(&mut self, text: &str) -> bool {
        let has_room = self.entries > 0 && self.bytes >= text.len();
        if has_room {
            self.entries -= 1;
            self.bytes -= text.len();
        }
        has_room
    }
}

/// Whether a count is left out of a record.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::topic::{Rule, RuleSet};

    fn filter(texts: &[String]) -> SessionFilter {
        let patterns = texts.iter().map(String::as_str);
        SessionFilter::new(Some((texts.len(), patterns)), Seq(3), false)
    }

    #[test]
    fn long_filter_is_listed_in_part() {
        let many: Vec<String> = (0..40).map(|n| format!("a/{n}")).collect();
        let listed = filter(&many);
        assert_eq!(listed.patterns.as_deref(), Some(&many[..LISTED]));
        assert_eq!(listed.unlisted, 8);
        let long: Vec<String> = (0..5).map(|n| format!("{n}{}", "x".repeat(255))).collect();
        let listed = filter(&long);
        assert_eq!(listed.patterns.as_deref(), Some(&long[..4]));
        assert_eq!(listed.unlisted, 1);
    }

    #[test]
    fn empty_filter_and_no_filter_differ() {
        assert_eq!(filter(&[]).patterns, Some(Vec::new()));
        let none = None::<(usize, Vec<&str>)>;
        let all = SessionFilter::new(none, Seq(3), false);
        assert_eq!((all.patterns, all.unlisted), (None, 0));
    }

    #[test]
    fn rules_are_listed_with_deny_rules_first() {
        let rule = |kind, effect, text: &str| Rule {
            kind,
            pattern: text.parse().expect("the text is a pattern"),
            effect,
        };
        let for_all = RuleSet::new(&[
            rule(RuleKind::Subscribe, Effect::Allow, "a/#"),
            rule(RuleKind::Publish, Effect::Deny, "b"),
        ]);
        let mut own: Vec<Rule> = (0..40)
            .map(|n| rule(RuleKind::Subscribe, Effect::Allow, &format!("c/{n}")))
            .collect();
        own.push(rule(RuleKind::Subscribe, Effect::Deny, "a/%u"));
        let own = Arc::new(RuleSet::new(&own));
        let rules = SubscribeRules::new(&Permissions::new("ana", Arc::new(for_all), own), Seq(3));
        assert_eq!(rules.deny, ["a/%u"]);
        assert_eq!(rules.allow[..2], ["a/#", "c/0"]);
        assert_eq!(rules.allow.len() + 1, LISTED);
        assert_eq!(rules.unlisted, 10);
        let mut unreadable = RuleSet::default();
        unreadable.deny_all(RuleKind::Subscribe);
        let none = Permissions::new("ana", Arc::new(unreadable), Arc::default());
        assert_eq!(SubscribeRules::new(&none, Seq(3)).deny, ["#"]);
    }
}
