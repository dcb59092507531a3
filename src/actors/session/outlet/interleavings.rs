//! Rules and filters that change while broadcasts are delivered.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use shuttle::{future, thread};

use super::tests::setup;
use super::{Outlet, Recipient, Wanted, Written};
use crate::accounts::LivePermissions;
use crate::actors::session::core::hears::Hears;
use crate::actors::session::memory_link::MemoryLink;
use crate::interleavings::explore;
use crate::log::Log;
use crate::log::interleavings::subscribers::PassedRelays;
use crate::log::interleavings::{LARGE, NO_WINDOW, RelayedLog, push, push_routed};
use crate::topic::{Effect, Pattern, Permissions, Route, Rule, RuleKind, RuleSet};
use crate::wire::{Decoded, Seq, ServerFrame, cbor};

/// The output of a session, and the seqs that its client got.
struct Session {
    outlet: Outlet,
    link: MemoryLink,
}

impl Session {
    fn new(log: &Arc<Log>, hears: &Hears, live: &Arc<LivePermissions>) -> Session {
        let mut outlet = Outlet::new(setup(log));
        let recipient = Recipient {
            name: Arc::from("u"),
            permissions: Arc::clone(live),
        };
        outlet.follow(Seq::ZERO, recipient, hears, false);
        let link = MemoryLink {
            takes: usize::MAX,
            ..MemoryLink::stream()
        };
        Session { outlet, link }
    }

    /// Writes up to the cut, as a session does that is drained.
    fn drain(&mut self, cut: Seq, cx: &mut Context<'_>) -> Poll<()> {
        let wanted = Wanted {
            until: Some(cut),
            ends_on_gap: false,
        };
        while self.outlet.write(&mut self.link, wanted, cx) == Written::More {}
        match self.outlet.sent() >= cut {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    /// Returns the seqs of the messages that the client got.
    fn got(&self) -> Vec<Seq> {
        let (mut got, mut bytes) = (Vec::new(), &self.link.written[..]);
        while let Ok(Decoded::Frame(frame, used)) = cbor::decode_server(bytes, usize::MAX) {
            bytes = &bytes[used..];
            match frame {
                ServerFrame::Message(message) => got.push(message.seq),
                ServerFrame::Passed(_) => {}
                other => panic!("everything is held: {other:?}"),
            }
        }
        got
    }
}

fn filter(texts: &[&'static str]) -> Hears {
    let patterns = texts.iter();
    let patterns = patterns.map(|text| Pattern::new(*text).expect("it is a pattern"));
    Hears {
        filter: Some(patterns.collect()),
        presence: false,
        is_told: true,
    }
}

/// Rules that deny the topic `a`.
pub(super) fn denial() -> Arc<Permissions> {
    let rule = Rule {
        kind: RuleKind::Subscribe,
        pattern: "a".parse().expect("it is a pattern"),
        effect: Effect::Deny,
    };
    let own = Arc::new(RuleSet::new(&[rule]));
    Arc::new(Permissions::new("u", Arc::default(), own))
}

/// A broadcast behind a change of the rules is judged by the new ones.
fn denied_broadcasts_are_not_sent() {
    let (relayed, mut appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let passed = PassedRelays::start(&relayed.log);
    let live = Arc::<LivePermissions>::default();
    let cut = Seq(3);
    let sessions = [Hears::EVERYTHING, filter(&["a"]), filter(&["#"])].map(|hears| {
        let mut session = Session::new(&relayed.log, &hears, &live);
        future::spawn_local(async move {
            poll_fn(|cx| session.drain(cut, cx)).await;
            session.got()
        })
    });
    let operator = thread::spawn(move || {
        push_routed(&mut appender, Route::Topic("a"));
        appender.commit();
        live.replace(Some(denial()));
        push_routed(&mut appender, Route::Topic("a"));
        appender.commit();
        push(&mut appender, 1);
        appender.commit();
        appender // no seal wakes a session that still sleeps
    });
    let [all, selected, scanned] =
        sessions.map(|session| future::block_on(session).expect("nobody ends it"));
    for got in [&all, &selected, &scanned] {
        assert!(!got.contains(&Seq(2)), "the rules deny it: {got:?}");
    }
    assert!(all.contains(&cut) && scanned.contains(&cut) && !selected.contains(&cut));
    drop(operator.join().expect("it does not panic"));
    passed.end();
    relayed.end();
}

#[test]
fn broadcast_behind_a_change_of_the_rules_is_judged_by_the_new_ones() {
    explore(denied_broadcasts_are_not_sent);
}

/// From the seq of the answer on, a client gets the topics that its filter has gained.
fn new_filter_holds_behind_its_answer() {
    let (relayed, mut appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let passed = PassedRelays::start(&relayed.log);
    let live = Arc::<LivePermissions>::default();
    let cut = Seq(4);
    let mut session = Session::new(&relayed.log, &filter(&["b"]), &live);
    let session = future::spawn_local(async move {
        let mut after = None;
        poll_fn(|cx| {
            let polled = session.drain(cut, cx);
            if after.is_none() {
                after = Some(session.outlet.set_hears(&filter(&["a", "b"])));
                return session.drain(cut, cx);
            }
            polled
        })
        .await;
        (after.expect("it was polled"), session.got())
    });
    let hub = thread::spawn(move || {
        for topic in ["a", "b", "a", "c"] {
            push_routed(&mut appender, Route::Topic(topic));
            appender.commit();
        }
        appender
    });
    let (after, got) = future::block_on(session).expect("nobody ends it");
    let topics = [(Seq(1), "a"), (Seq(2), "b"), (Seq(3), "a")].into_iter();
    let expected = topics.filter(|(seq, topic)| *topic == "b" || *seq > after);
    let expected: Vec<Seq> = expected.map(|(seq, _)| seq).collect();
    assert_eq!(got, expected, "behind {after}");
    drop(hub.join().expect("it does not panic"));
    passed.end();
    relayed.end();
}

#[test]
fn filter_changed_at_any_instant_holds_behind_its_answer() {
    explore(new_filter_holds_behind_its_answer);
}
