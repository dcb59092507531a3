//! Producers, compared with a plain list of everything that was published.

mod naive;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};

use self::naive::{Entry, LIMIT, Naive};
use super::Producers;
use crate::accounts::UserName;
use crate::actors::hub::judged::{JudgedContents, Verdict};
use crate::log::ProducerRow;
use crate::wire::{Body, Publish, Seq};

#[derive(Debug, Clone)]
enum Step {
    /// A user sends messages: for each, the producer, the number less the producer's next one,
    /// and whether it must not be published.
    Send(u8, Vec<(u8, i8, bool)>),
    /// Broadcasts of others take seqs.
    Others(u8),
    /// The next batch begins to be written, if none is in flight.
    Begin,
    /// The batch in flight is committed.
    Commit,
    /// The batch in flight fails.
    Fail,
    /// The server is killed and starts again.
    Restart,
    /// An account is removed.
    Remove(u8),
}

fn user(number: u8) -> UserName {
    UserName::parse(&format!("u{number}")).expect("it is a name")
}

/// The table of the database: the number and the seq, by account and name.
type Table = BTreeMap<(Arc<str>, Arc<str>), (u64, Seq)>;

struct Run {
    producers: Producers,
    naive: Naive,
    table: Table,
    changes: Option<crate::log::ProducerChanges>,
}

impl Run {
    fn new() -> Run {
        Run {
            producers: Producers::new(LIMIT, Vec::new()),
            naive: Naive::default(),
            table: Table::new(),
            changes: None,
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Send(from, messages) => self.send(*from, messages),
            Step::Others(count) => self.naive.last += u64::from(*count),
            Step::Begin if self.changes.is_none() => {
                self.changes = Some(self.producers.begin_batch());
                self.naive.begin();
            }
            Step::Commit => {
                if let Some(changes) = self.changes.take() {
                    self.commit(changes);
                }
            }
            Step::Fail if self.changes.take().is_some() => {
                self.producers.discard_pending();
                self.naive.discard();
            }
            Step::Begin | Step::Fail => {}
            Step::Restart => {
                self.changes = None;
                self.naive.restart();
                let mut rows: Vec<ProducerRow> = Vec::new();
                for ((account, name), (n, seq)) in self.table.clone() {
                    rows.push(ProducerRow {
                        account,
                        name,
                        n,
                        seq,
                    });
                }
                rows.sort_by_key(|row| row.seq);
                self.producers = Producers::new(LIMIT, rows);
            }
            Step::Remove(number) => {
                let name = user(*number).shared();
                self.table.retain(|(account, _), _| *account != name);
                if let Some(changes) = &mut self.changes {
                    changes.published.retain(|row| row.account != name);
                }
                self.producers.forget(&user(*number));
                self.naive.remove(*number);
            }
        }
    }

    fn commit(&mut self, changes: crate::log::ProducerChanges) {
        for key in changes.removed {
            self.table.remove(&key);
        }
        for row in changes.published {
            self.table.insert((row.account, row.name), (row.n, row.seq));
        }
        self.producers.commit_batch();
        self.naive.commit();
        let expected: Vec<u64> = self.table.values().map(|(n, _)| *n).collect();
        let last = Naive::producers_of(&self.naive.committed);
        let last = last.iter().map(|(user, producer)| {
            let known = self.naive.of(*user, *producer);
            let in_pending = |entry: &Entry| self.naive.committed.contains(entry);
            let known: Vec<Entry> = known.into_iter().filter(in_pending).collect();
            ((*user, *producer), known.last().map_or(0, |entry| entry.n))
        });
        let mut last: Vec<((u8, u8), u64)> = last.collect();
        last.sort_unstable();
        let last: Vec<u64> = last.into_iter().map(|(_, n)| n).collect();
        assert_eq!(expected, last, "the table has what is committed");
    }

    fn send(&mut self, from: u8, messages: &[(u8, i8, bool)]) {
        let next = Seq(self.naive.last + 1);
        let publish = Publish::new(1, Body::text("a"));
        let mut judged = JudgedContents::default();
        let (mut expected, mut sent) = (Vec::new(), Vec::new());
        for (producer, less, is_refused) in messages {
            let highest = self
                .naive
                .of(from, *producer)
                .last()
                .map_or(4, |entry| entry.n);
            let n = (highest + 1).saturating_add_signed(i64::from(*less)).max(1);
            let name = format!("p{producer}");
            match is_refused {
                true => judged.push_refused((&name, n)),
                false => judged.push(Some((&name, n)), &publish),
            }
            sent.push(Entry {
                user: from,
                producer: *producer,
                n,
                seq: 0,
            });
            expected.push(self.naive.judge(from, *producer, n, *is_refused));
        }
        let verdicts = self
            .producers
            .judge(&user(from), &judged, next, |_, _| Ok(()));
        let published = judged.published(&verdicts).count();
        assert_eq!(published as u64, self.naive.last + 1 - next.0);
        assert_eq!(verdicts.len(), expected.len());
        for ((verdict, (expected, is_known)), entry) in verdicts.into_iter().zip(expected).zip(sent)
        {
            match (verdict, expected) {
                (Verdict::Repeated(seq), Verdict::Repeated(_)) if !is_known => {
                    let is_first = |entry: Entry| self.naive.history.contains(&entry);
                    assert!(
                        seq == Seq::ZERO
                            || is_first(Entry {
                                seq: seq.0,
                                ..entry
                            })
                    );
                }
                _ => assert_eq!(verdict, expected),
            }
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let message = (
        0..5_u8,
        -3..3_i8,
        any::<u8>().prop_map(|chance| chance < 30),
    );
    let message = message.prop_map(|(producer, less, is_refused)| {
        // Most are the next one.
        let less = if less > 0 { less / 2 } else { less };
        (producer, less, is_refused)
    });
    let send =
        (0..3_u8, vec(message, 1..12)).prop_map(|(user, messages)| Step::Send(user, messages));
    let step = prop_oneof![
        8 => send,
        1 => (1..4_u8).prop_map(Step::Others),
        4 => Just(Step::Begin),
        4 => Just(Step::Commit),
        1 => Just(Step::Fail),
        1 => Just(Step::Restart),
        1 => (0..3_u8).prop_map(Step::Remove),
    ];
    vec(step, 0..60)
}

fn cases() -> u32 {
    // PROPTEST_CASES sets more, for a long run.
    ProptestConfig::default().cases.max(1000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn producers_of_any_steps_judge_as_a_plain_list_does(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.take(step);
        }
    }
}

fn numbered(numbers: &[u64]) -> JudgedContents {
    let publish = Publish::new(1, Body::text("a"));
    let mut messages = JudgedContents::default();
    for n in numbers {
        messages.push(Some(("p", *n)), &publish);
    }
    messages
}

#[test]
fn number_of_a_failed_batch_is_published_again() {
    let (ana, mut producers) = (user(0), Producers::new(LIMIT, Vec::new()));
    let published = [Verdict::Published(Seq(5)), Verdict::Published(Seq(6))];
    assert_eq!(
        producers.judge(&ana, &numbered(&[1, 2]), Seq(5), |_, _| Ok(())),
        published
    );
    producers.begin_batch();
    let behind = producers.judge(&ana, &numbered(&[2, 3]), Seq(7), |_, _| Ok(()));
    let expected = [Verdict::Repeated(Seq(6)), Verdict::Published(Seq(7))];
    assert_eq!(behind, expected, "what is pending counts");
    producers.discard_pending();
    assert_eq!(
        producers.judge(&ana, &numbered(&[1, 2]), Seq(5), |_, _| Ok(())),
        published
    );
}

#[test]
fn later_numbers_behind_a_refused_one_are_out_of_order() {
    let (ana, mut producers) = (user(0), Producers::new(LIMIT, Vec::new()));
    let mut messages = numbered(&[1]);
    messages.push_refused(("p", 2));
    messages.push(Some(("p", 3)), &Publish::new(1, Body::text("a")));
    let out_of_order = Verdict::OutOfOrder { highest: 1 };
    let verdicts = producers.judge(&ana, &messages, Seq(1), |_, _| Ok(()));
    let expected = [Verdict::Published(Seq(1)), Verdict::Refused, out_of_order];
    assert_eq!(verdicts, expected);
    assert_eq!(messages.published(&verdicts).count(), 1);
}
