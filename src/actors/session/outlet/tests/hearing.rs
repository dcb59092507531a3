//! Compares the broadcasts that a session with a filter gets with a plain list of all.

use std::borrow::Cow;
use std::sync::Arc;
use std::task::{Context, Waker};

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{Outlet, Recipient, Wanted, Written};
use super::received::Received;
use super::setup;
use crate::accounts::LivePermissions;
use crate::actors::session::core::hears::Hears;
use crate::actors::session::memory_link::MemoryLink;
use crate::log::{Appender, BackpressureLimits, Content, Log, LogLimits, PresenceChange};
use crate::topic::{Effect, Pattern, Permissions, Route, Rule, RuleKind, RuleSet, Topic, Verdict};
use crate::wire::cbor::encode_content;
use crate::wire::{Body, Millis, Publish, PublishOptions, Seq};

/// The session's user.
pub(super) const USER: &str = "u";

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Broadcast {
    Presence,
    Message {
        topic: Option<String>,
        to: Option<String>,
    },
}

impl Broadcast {
    pub(super) fn is_for(&self, hears: &Hears) -> bool {
        let (topic, to) = match self {
            Broadcast::Presence => return hears.presence,
            Broadcast::Message { topic, to } => (topic, to),
        };
        if let Some(to) = to {
            return to == USER;
        }
        let topic = topic
            .as_ref()
            .map(|text| Topic::new(text.as_str()).expect("a topic"));
        match &hears.filter {
            None => true,
            Some(filter) => filter
                .iter()
                .any(|pattern| pattern.matches_message(topic.as_ref())),
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Broadcast(Vec<Broadcast>),
    /// Gives the client's side so much room, and writes.
    Write(usize),
    /// Changes what the session wants to hear.
    Hear(Hears),
    /// Changes the operator's rules.
    Rule(Vec<(Effect, String)>),
}

pub(super) fn broadcast() -> impl Strategy<Value = Broadcast> {
    let topic = prop_oneof![2 => Just(None), 5 => "[ab](/[ab])?".prop_map(Some)];
    let to = prop_oneof![6 => Just(None), 2 => "[uv]".prop_map(Some)];
    prop_oneof![
        1 => Just(Broadcast::Presence),
        6 => (topic, to).prop_map(|(topic, to)| Broadcast::Message { topic, to }),
    ]
}

pub(super) fn hears() -> impl Strategy<Value = Hears> {
    let pattern = "([ab+](/[ab+#])?|#)".prop_map(|text| Pattern::new(text).expect("a pattern"));
    let filter = prop_oneof![1 => Just(None), 4 => vec(pattern, 0..4).prop_map(Some)];
    (filter, any::<bool>()).prop_map(|(filter, presence)| Hears {
        filter,
        presence,
        is_told: true,
    })
}

fn rules() -> impl Strategy<Value = Vec<(Effect, String)>> {
    let effect = prop_oneof![Just(Effect::Allow), Just(Effect::Deny)];
    vec((effect, "([ab+](/[ab+#])?|#|%u/a)"), 0..3)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => vec(broadcast(), 1..20).prop_map(Step::Broadcast),
        4 => (1..2_000_usize).prop_map(Step::Write),
        1 => hears().prop_map(Step::Hear),
        1 => rules().prop_map(Step::Rule),
    ]
}

/// A session's outlet, and what was broadcast so far.
struct Tried {
    outlet: Outlet,
    link: MemoryLink,
    appender: Appender,
    all: Vec<Broadcast>,
    /// The broadcasts that the session hears behind each seq.
    hears: Vec<(Seq, Hears)>,
    live: Arc<LivePermissions>,
    /// The rules from each seq on.
    rules: Vec<(Seq, Option<Arc<Permissions>>)>,
}

impl Tried {
    fn new(bytes: usize, hears: Hears) -> Tried {
        let limits = LogLimits {
            bytes,
            backpressure: BackpressureLimits::default(),
        };
        let (log, appender) = Log::new("s".to_owned(), limits, 1);
        let mut outlet = Outlet::new(setup(&log));
        let live = Arc::<LivePermissions>::default();
        let recipient = Recipient {
            name: Arc::from(USER),
            permissions: Arc::clone(&live),
        };
        outlet.follow(Seq::ZERO, recipient, &hears, false);
        Tried {
            outlet,
            link: MemoryLink::stream(),
            appender,
            all: Vec::new(),
            hears: vec![(Seq::ZERO, hears)],
            live,
            rules: vec![(Seq::ZERO, None)],
        }
    }

    fn rule(&mut self, rules: Vec<(Effect, String)>) {
        let rules = rules.into_iter().map(|(effect, pattern)| Rule {
            kind: RuleKind::Subscribe,
            pattern: pattern.parse().expect("a pattern"),
            effect,
        });
        let set = RuleSet::new(&rules.collect::<Vec<_>>());
        let permissions = Arc::new(Permissions::new(USER, Arc::default(), Arc::new(set)));
        self.live.replace(Some(Arc::clone(&permissions)));
        let head = Seq(self.all.len() as u64);
        self.rules.push((head, Some(permissions)));
    }

    /// Whether the rules since a broadcast allow it, each of them.
    fn verdicts(&self, seq: Seq, broadcast: &Broadcast) -> Vec<bool> {
        let Broadcast::Message { topic, .. } = broadcast else {
            return vec![true];
        };
        let topic = topic
            .as_ref()
            .map(|text| Topic::new(text.as_str()).expect("a topic"));
        let later = self.rules.iter().filter(|(head, _)| *head >= seq);
        let first = self.rules.iter().rfind(|(head, _)| *head < seq);
        let judge = |(_, rules): &(Seq, Option<Arc<Permissions>>)| {
            let verdict = rules
                .as_ref()
                .map(|rules| rules.judge(RuleKind::Subscribe, topic.as_ref()));
            verdict != Some(Verdict::Denied)
        };
        first.into_iter().chain(later).map(judge).collect()
    }

    fn broadcast(&mut self, broadcast: Broadcast) {
        let pushed = match &broadcast {
            Broadcast::Presence => self
                .appender
                .push_presence(Millis(0), PresenceChange::Joined("v")),
            Broadcast::Message { topic, to } => {
                let mut publish = Publish::new(1, Body::text("olá"));
                publish.topic = topic.as_deref().map(Cow::Borrowed);
                publish.options = to.as_deref().map(|to| {
                    Box::new(PublishOptions {
                        to: Some(Cow::Borrowed(to)),
                        ..PublishOptions::default()
                    })
                });
                let mut bytes = Vec::new();
                let keys = encode_content(&publish, &mut bytes).count;
                let to = to.as_deref().map(Route::User);
                let route = to.or(topic.as_deref().map(Route::Topic));
                let bytes = &bytes[..];
                let content = Content {
                    bytes,
                    keys,
                    route,
                    is_kept: false,
                };
                self.appender.push_messages(Millis(0), "v", [content])
            }
        };
        pushed.expect("the log is open");
        self.all.push(broadcast);
    }

    fn write(&mut self, room: usize, until: Option<Seq>) {
        self.link.takes = room;
        let wanted = Wanted {
            until,
            ends_on_gap: false,
        };
        let mut cx = Context::from_waker(Waker::noop());
        while self.outlet.write(&mut self.link, wanted, &mut cx) == Written::More {}
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Broadcast(broadcasts) => {
                broadcasts
                    .into_iter()
                    .for_each(|broadcast| self.broadcast(broadcast));
                self.appender.commit();
            }
            Step::Write(room) => self.write(room, None),
            Step::Hear(hears) => {
                let after = self.outlet.set_hears(&hears);
                self.hears.push((after, hears));
            }
            Step::Rule(rules) => self.rule(rules),
        }
    }

    /// Reads to the end, and compares.
    fn check(mut self) -> Result<(), TestCaseError> {
        let head = self.appender.seal();
        self.write(usize::MAX, Some(head));
        prop_assert_eq!(self.outlet.sent(), head);
        let mut received = Received::default();
        let bytes = received.take(&self.link.written)?;
        prop_assert!(bytes.is_empty(), "only whole frames");
        prop_assert_eq!(received.last, head, "the session is told of everything");
        self.compare(&received)
    }

    fn compare(&self, received: &Received) -> Result<(), TestCaseError> {
        for (seq, broadcast) in (1..).map(Seq).zip(&self.all) {
            let mut hears = self.hears.iter().rev();
            let (_, hears) = hears.find(|(after, _)| *after < seq).expect("the first");
            let is_for_it = broadcast.is_for(hears);
            let verdicts = self.verdicts(seq, broadcast);
            let may_get = is_for_it && verdicts.contains(&true);
            let may_miss = !is_for_it || verdicts.contains(&false);
            received.check(seq, may_get, may_miss)?;
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn session_gets_what_is_for_it_and_is_told_of_the_rest(
        steps in vec(step(), 1..40),
        bytes in prop_oneof![Just(1 << 20), 1_000..30_000_usize],
        hears in hears(),
    ) {
        let mut tried = Tried::new(bytes, hears);
        for step in steps {
            tried.take(step);
        }
        tried.check()?;
    }
}
