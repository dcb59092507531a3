//! Judges the numbers of producers.
//!
//! The problem: a publisher that lost its connection does not know which of its messages were
//! published. It sends them again with the same numbers, and each must be in the stream once.
//!
//! Invariants:
//! - of one account's producer the published numbers follow one another; a producer that is not
//!   known may begin anywhere;
//! - a number is published for the outside once its batch is committed. Until then it is pending,
//!   and counts for the messages behind it; if the batch fails, it never was;
//! - an account has at most `limit` producers, those that were used last. More are known only until
//!   the batch that brought them is written, or after the limit was lowered.

mod mark;

use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::Arc;

use hashlink::LinkedHashMap;

use self::mark::Mark;
use super::judged::{Claim, JudgedContents, Verdict};
use crate::accounts::UserName;
use crate::log::{Content, KeptLimit, ProducerChanges, ProducerRow};
use crate::wire::Seq;

/// The producers of all accounts.
#[derive(Debug, Clone)]
pub struct Producers {
    /// The most producers of an account.
    limit: usize,
    /// The committed numbers. The producers of an account are in the order of their last use.
    committed: HashMap<UserName, LinkedHashMap<Arc<str>, Mark, RandomState>>,
    /// The batch that is being written.
    in_flight: Pending,
    /// The batch after it.
    next: Pending,
}

/// The changes of one batch.
#[derive(Debug, Clone, Default)]
struct Pending {
    published: HashMap<UserName, HashMap<Arc<str>, Mark>>,
    removed: Vec<(UserName, Arc<str>)>,
}

impl Pending {
    fn mark(&self, user: &UserName, producer: &str) -> Option<&Mark> {
        self.published.get(user)?.get(producer)
    }
}

impl Producers {
    /// The producers that a stream has when it is opened, by the seq of their last message. An
    /// account has at most `limit` of them.
    pub fn new(limit: usize, rows: Vec<ProducerRow>) -> Producers {
        let mut producers = Producers {
            limit,
            committed: HashMap::new(),
            in_flight: Pending::default(),
            next: Pending::default(),
        };
        for row in rows {
            // An account whose name is none has no sessions.
            if let Ok(user) = UserName::parse(&row.account) {
                let marks = producers.committed.entry(user).or_default();
                marks.insert(row.name, Mark::new(row.n, row.seq));
            }
        }
        producers
    }

    /// Changes the most producers of an account. Those beyond it are forgotten with the account's
    /// next batch.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Judges messages in their order. Those that are published get the seqs from `next` on, and
    /// belong to the next batch. `admit` decides about each that would be published, with its seq.
    pub fn judge(
        &mut self,
        user: &UserName,
        messages: &JudgedContents,
        mut next: Seq,
        mut admit: impl FnMut(Seq, Content<'_>) -> Result<(), KeptLimit>,
    ) -> Vec<Verdict> {
        let verdicts = messages
            .iter()
            .map(|(Claim { number, is_refused }, content)| {
                let number = number.as_ref();
                let verdict = number.map_or(Verdict::Published(next), |number| {
                    self.verdict(user, &number.producer, number.n, next)
                });
                let Verdict::Published(seq) = verdict else {
                    number.inspect(|number| self.note_use(user, &number.producer));
                    return verdict;
                };
                if *is_refused {
                    return Verdict::Refused;
                }
                if let Err(limit) = admit(seq, content) {
                    return Verdict::NotKept(limit);
                }
                if let Some(number) = number {
                    self.publish(user, &number.producer, number.n, seq);
                }
                next = next.next();
                verdict
            });
        verdicts.collect()
    }

    fn mark(&self, user: &UserName, producer: &str) -> Option<&Mark> {
        let committed = || self.committed.get(user)?.get(producer);
        let pending = self.next.mark(user, producer);
        pending
            .or_else(|| self.in_flight.mark(user, producer))
            .or_else(committed)
    }

    fn verdict(&self, user: &UserName, producer: &str, n: u64, next: Seq) -> Verdict {
        match self.mark(user, producer) {
            None => Verdict::Published(next),
            Some(mark) if mark.is_next(n) => Verdict::Published(next),
            Some(mark) if n <= mark.highest() => Verdict::Repeated(mark.seq_of(n)),
            Some(mark) => Verdict::OutOfOrder {
                highest: mark.highest(),
            },
        }
    }

    fn publish(&mut self, user: &UserName, producer: &Arc<str>, n: u64, seq: Seq) {
        let pending = self.next.published.get_mut(user);
        if let Some(mark) = pending.and_then(|marks| marks.get_mut(&**producer)) {
            return mark.publish(seq);
        }
        let mark = match self.mark(user, producer) {
            None => Mark::new(n, seq),
            Some(mark) => {
                let mut mark = mark.clone();
                mark.publish(seq);
                mark
            }
        };
        let marks = match self.next.published.get_mut(user) {
            Some(marks) => marks,
            None => self.next.published.entry(user.clone()).or_default(),
        };
        marks.insert(Arc::clone(producer), mark);
    }

    fn note_use(&mut self, user: &UserName, producer: &str) {
        if let Some(marks) = self.committed.get_mut(user) {
            marks.to_back(producer);
        }
    }

    /// Begins the next batch. Returns the changes that are to be committed with its broadcasts.
    /// Only one batch may be in flight.
    pub fn begin_batch(&mut self) -> ProducerChanges {
        self.in_flight = std::mem::take(&mut self.next);
        self.enforce_limit();
        let row = |user: &UserName, (name, mark): (&Arc<str>, &Mark)| ProducerRow {
            account: user.shared(),
            name: Arc::clone(name),
            n: mark.highest(),
            seq: mark.seq(),
        };
        let published = self.in_flight.published.iter();
        let removed = self.in_flight.removed.iter();
        ProducerChanges {
            published: published
                .flat_map(|(user, marks)| marks.iter().map(move |entry| row(user, entry)))
                .collect(),
            removed: removed
                .map(|(user, name)| (user.shared(), Arc::clone(name)))
                .collect(),
        }
    }

    /// Chooses the producers that go with the batch in flight: of each account above the limit
    /// those that were unused for longest.
    fn enforce_limit(&mut self) {
        let Pending { published, removed } = &mut self.in_flight;
        for (user, marks) in published {
            let committed = self.committed.get(user);
            let is_committed = |name: &str| committed.is_some_and(|known| known.contains_key(name));
            let new = marks.keys().filter(|name| !is_committed(name)).count();
            let count = committed.map_or(0, LinkedHashMap::len) + new;
            let excess = count.saturating_sub(self.limit);
            if excess == 0 {
                continue;
            }
            // Those of the batch are used later than all others.
            let unused = committed.into_iter().flat_map(LinkedHashMap::keys);
            let unused = unused.filter(|name| !marks.contains_key(&**name));
            let mut used: Vec<(Seq, &Arc<str>)> = marks
                .iter()
                .map(|(name, mark)| (mark.seq(), name))
                .collect();
            used.sort_unstable();
            let used = used.into_iter().map(|(_, name)| name);
            let surplus: Vec<Arc<str>> = unused.chain(used).take(excess).cloned().collect();
            for name in surplus {
                marks.remove(&name);
                if is_committed(&name) {
                    removed.push((user.clone(), name));
                }
            }
        }
    }

    /// Notes that the batch in flight is committed.
    pub fn commit_batch(&mut self) {
        let Pending { published, removed } = std::mem::take(&mut self.in_flight);
        for (user, name) in removed {
            if let Some(marks) = self.committed.get_mut(&user) {
                marks.remove(&*name);
            }
        }
        for (user, marks) in published {
            let mut marks: Vec<(Arc<str>, Mark)> = marks.into_iter().collect();
            marks.sort_unstable_by_key(|(_, mark)| mark.seq());
            // Each is now the one that was used last.
            if !marks.is_empty() {
                self.committed.entry(user).or_default().extend(marks);
            }
        }
    }

    /// Notes that nothing pending is committed, and never will be.
    pub fn discard_pending(&mut self) {
        (self.in_flight, self.next) = (Pending::default(), Pending::default());
    }

    /// Forgets the producers of an account that was removed. Its rows were removed with it.
    pub(super) fn forget(&mut self, user: &UserName) {
        self.committed.remove(user);
        self.in_flight.published.remove(user);
        self.next.published.remove(user);
    }
}

#[cfg(test)]
mod tests;
