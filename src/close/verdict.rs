//! Whether a broadcast was for a session, as far as a report knows.
//!
//! A session's record lists its filter and the operator's rules, each in part where it is long, and
//! the newest broadcasts that rules kept from the session. The report lists the routes of the newest
//! broadcasts. Where these do not decide, the verdict says why, and never guesses.
//!
//! The rules may change at any moment. Of what the session has read, the latest broadcasts that the
//! rules of that moment denied are listed. About the others the rules at the session's end decide, as
//! far back as they are known to have held.

use std::sync::Arc;

use super::record::SessionRecord;
use super::routes::KnownRoute;
use super::selection::SubscribeRules;
use crate::topic::{
    Effect, Pattern, Permissions, Rule, RuleKind, RuleSet, Topic, Verdict as RuleVerdict,
};
use crate::wire::Seq;

/// Why a broadcast was not for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NotForIt {
    /// No pattern of its filter matches the topic.
    Filter,
    /// The operator's rules deny the topic.
    Rules,
    /// The message is for another user.
    AnotherUser,
    /// It is not told who joins and leaves.
    Presence,
}

/// Why a report cannot tell whether a broadcast was for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Undecided {
    /// The report does not list the routes of broadcasts that old.
    RouteUnlisted,
    /// The session had another filter then.
    FilterChanged,
    /// None of the listed patterns matches, and some are not listed.
    PatternsUnlisted,
    /// Rules that have changed since kept broadcasts from the session which are not listed.
    WithheldUnlisted,
    /// The listed rules do not deny the topic, and some are not listed.
    RulesUnlisted,
}

impl NotForIt {
    /// The reason in a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            NotForIt::Filter => "filter",
            NotForIt::Rules => "rules",
            NotForIt::AnotherUser => "another-user",
            NotForIt::Presence => "presence",
        }
    }
}

impl Undecided {
    /// The reason in a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Undecided::RouteUnlisted => "route-unlisted",
            Undecided::FilterChanged => "filter-changed",
            Undecided::PatternsUnlisted => "patterns-unlisted",
            Undecided::WithheldUnlisted => "withheld-unlisted",
            Undecided::RulesUnlisted => "rules-unlisted",
        }
    }
}

/// Whether a broadcast was for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was.
    ForIt,
    /// It was not.
    NotForIt(NotForIt),
    /// The report cannot tell.
    Undecided(Undecided),
}

/// Judges broadcasts for one session.
pub struct Judge<'r> {
    record: &'r SessionRecord,
    /// The listed patterns of the filter; `None` if every message is chosen.
    patterns: Option<Vec<Pattern<'r>>>,
    rules: Option<ListedRules>,
}

/// The listed rules, as they are judged.
struct ListedRules {
    denying: Permissions,
    all: Permissions,
    /// Whether there are others.
    is_part: bool,
}

impl<'r> Judge<'r> {
    /// Creates the judge of a session's broadcasts. Texts that are no patterns match nothing.
    pub fn new(record: &'r SessionRecord) -> Judge<'r> {
        let filter = record.filter.as_ref();
        let patterns = filter.and_then(|filter| filter.patterns.as_ref());
        let patterns = patterns.map(|texts| {
            let texts = texts.iter();
            texts.flat_map(|text| Pattern::new(&**text)).collect()
        });
        let rules = record.rules.as_ref();
        Judge {
            record,
            patterns,
            rules: rules.map(|rules| ListedRules::new(rules, record.user.as_deref())),
        }
    }

    /// Returns how many patterns and rules each broadcast is compared with.
    pub fn comparisons(&self) -> usize {
        let rules = self.record.rules.as_ref();
        let rules = rules.map_or(0, |rules| 2 * rules.deny.len() + rules.allow.len());
        self.patterns.as_ref().map_or(0, Vec::len) + rules
    }

    /// Judges a broadcast.
    pub fn verdict(&self, seq: Seq, route: KnownRoute<'_>) -> Verdict {
        match self.record.withheld.contains(&seq) {
            true => Verdict::NotForIt(NotForIt::Rules),
            false => self.by_route(seq, route),
        }
    }

    /// Judges a broadcast that is not listed as withheld.
    pub fn by_route(&self, seq: Seq, route: KnownRoute<'_>) -> Verdict {
        let record = self.record;
        match route {
            KnownRoute::Listed(routed) if routed.presence => match &record.filter {
                Some(filter) if !filter.presence => Verdict::NotForIt(NotForIt::Presence),
                _ => Verdict::ForIt,
            },
            KnownRoute::Listed(routed) => {
                let topic = routed.topic.as_deref().map(Topic::of_checked);
                let chosen = match &routed.to {
                    Some(to) if Some(to) != record.user.as_ref() => {
                        Verdict::NotForIt(NotForIt::AnotherUser)
                    }
                    Some(_) => Verdict::ForIt,
                    None => self.by_filter(seq, topic.as_ref()),
                };
                chosen.unless_denied(|| self.by_rules(seq, topic.as_ref()))
            }
            KnownRoute::Everybody => {
                let chosen = self.by_filter(seq, None);
                chosen.unless_denied(|| self.by_rules(seq, None))
            }
            KnownRoute::Unlisted { may_be_direct } => {
                let may_be_denied = match seq <= record.sent {
                    true => self.is_withheld_unlisted(seq),
                    false => self.rules.is_some(),
                };
                if record.filter.is_some() || may_be_direct || may_be_denied {
                    Verdict::Undecided(Undecided::RouteUnlisted)
                } else {
                    Verdict::ForIt
                }
            }
        }
    }

    fn by_filter(&self, seq: Seq, topic: Option<&Topic<'_>>) -> Verdict {
        let (Some(filter), Some(patterns)) = (&self.record.filter, &self.patterns) else {
            return Verdict::ForIt;
        };
        let matches = |pattern: &Pattern<'_>| pattern.matches_message(topic);
        if seq <= filter.since {
            Verdict::Undecided(Undecided::FilterChanged)
        } else if patterns.iter().any(matches) {
            Verdict::ForIt
        } else if filter.unlisted > 0 {
            Verdict::Undecided(Undecided::PatternsUnlisted)
        } else {
            Verdict::NotForIt(NotForIt::Filter)
        }
    }

    fn by_rules(&self, seq: Seq, topic: Option<&Topic<'_>>) -> Verdict {
        let is_read = seq <= self.record.sent;
        if is_read && !self.is_withheld_unlisted(seq) {
            return Verdict::ForIt; // those that the rules of that moment denied are listed
        }
        let since = self.record.rules.as_ref().map(|rules| rules.since);
        match &self.rules {
            Some(rules) if !is_read || Some(seq) > since => rules.verdict(topic),
            _ if is_read => Verdict::Undecided(Undecided::WithheldUnlisted),
            _ => Verdict::ForIt,
        }
    }

    /// Whether rules may have kept a broadcast from the session that is not listed.
    fn is_withheld_unlisted(&self, seq: Seq) -> bool {
        let unlisted_to = self.record.withheld_unlisted_to;
        unlisted_to.is_some_and(|to| seq <= to)
    }
}

impl ListedRules {
    fn new(rules: &SubscribeRules, user: Option<&str>) -> ListedRules {
        let rule = |effect: Effect| {
            move |text: &String| {
                Some(Rule {
                    kind: RuleKind::Subscribe,
                    pattern: text.parse().ok()?,
                    effect,
                })
            }
        };
        let denying: Vec<Rule> = rules.deny.iter().filter_map(rule(Effect::Deny)).collect();
        let allowing = rules.allow.iter().filter_map(rule(Effect::Allow));
        let all: Vec<Rule> = denying.iter().cloned().chain(allowing).collect();
        // No user has the name `#`, and it cannot replace `%u`.
        let user: Arc<str> = Arc::from(user.unwrap_or("#"));
        let permissions = |rules: &[Rule]| {
            let rules = Arc::new(RuleSet::new(rules));
            Permissions::new(Arc::clone(&user), Arc::default(), rules)
        };
        ListedRules {
            denying: permissions(&denying),
            all: permissions(&all),
            is_part: rules.unlisted > 0,
        }
    }

    fn verdict(&self, topic: Option<&Topic<'_>>) -> Verdict {
        let is_denied =
            |rules: &Permissions| rules.judge(RuleKind::Subscribe, topic) == RuleVerdict::Denied;
        if is_denied(&self.denying) || (!self.is_part && is_denied(&self.all)) {
            Verdict::NotForIt(NotForIt::Rules)
        } else if self.is_part {
            Verdict::Undecided(Undecided::RulesUnlisted)
        } else {
            Verdict::ForIt
        }
    }
}

impl Verdict {
    /// Returns this verdict, or that of the rules where they deny what is or may be for the session.
    fn unless_denied(self, by_rules: impl FnOnce() -> Verdict) -> Verdict {
        if matches!(self, Verdict::NotForIt(_)) {
            return self;
        }
        match by_rules() {
            Verdict::ForIt => self,
            Verdict::Undecided(_) if matches!(self, Verdict::Undecided(_)) => self,
            denied_or_undecided => denied_or_undecided,
        }
    }
}
