//! Everything that is known of producers, as plain lists.

use crate::actors::hub::judged::Verdict;
use crate::wire::Seq;

/// The most producers of an account.
pub(super) const LIMIT: usize = 3;

/// Runs whose seqs a producer remembers.
const RUNS: usize = 8;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) user: u8,
    pub(super) producer: u8,
    pub(super) n: u64,
    pub(super) seq: u64,
}

/// Everything that is known, as plain lists.
#[derive(Debug, Default)]
pub(super) struct Naive {
    /// The published messages of the producers that are known, oldest first.
    pub(super) committed: Vec<Entry>,
    in_flight: Option<Vec<Entry>>,
    next: Vec<Entry>,
    /// The producers that are committed, the one that was unused for longest first.
    uses: Vec<(u8, u8)>,
    /// Every message that was published and did not fail.
    pub(super) history: Vec<Entry>,
    /// Those that the batch in flight removes.
    removed: Vec<(u8, u8)>,
    /// The last seq that was given, and the last one that is committed or in flight.
    pub(super) last: u64,
    committed_to: u64,
    in_flight_to: u64,
}

impl Naive {
    pub(super) fn of(&self, user: u8, producer: u8) -> Vec<Entry> {
        let in_flight = self.in_flight.iter().flatten();
        let all = self.committed.iter().chain(in_flight).chain(&self.next);
        let all = all.filter(|entry| (entry.user, entry.producer) == (user, producer));
        all.cloned().collect()
    }

    /// Judges a message. Returns the verdict, and whether its seq must be known.
    pub(super) fn judge(
        &mut self,
        user: u8,
        producer: u8,
        n: u64,
        is_refused: bool,
    ) -> (Verdict, bool) {
        let known = self.of(user, producer);
        let highest = known.last().map(|entry| entry.n);
        if let Some(highest) = highest.filter(|highest| n <= *highest) {
            self.note_use(user, producer);
            let found = known.iter().rposition(|entry| entry.n == n);
            let seq = found.map_or(0, |place| known[place].seq);
            let is_recent = found.is_some_and(|place| known.len() - place <= RUNS);
            return (Verdict::Repeated(Seq(seq)), n == highest || is_recent);
        }
        if let Some(highest) = highest.filter(|highest| n != highest + 1) {
            self.note_use(user, producer);
            return (Verdict::OutOfOrder { highest }, true);
        }
        if is_refused {
            return (Verdict::Refused, true);
        }
        self.last += 1;
        let seq = self.last;
        let entry = Entry {
            user,
            producer,
            n,
            seq,
        };
        self.history.push(entry.clone());
        self.next.push(entry);
        (Verdict::Published(Seq(seq)), true)
    }

    fn note_use(&mut self, user: u8, producer: u8) {
        if let Some(place) = self.uses.iter().position(|used| *used == (user, producer)) {
            let used = self.uses.remove(place);
            self.uses.push(used);
        }
    }

    /// The producers of a batch, by their last message.
    pub(super) fn producers_of(batch: &[Entry]) -> Vec<(u8, u8)> {
        let mut producers: Vec<(u8, u8)> = Vec::new();
        for entry in batch {
            let producer = (entry.user, entry.producer);
            producers.retain(|known| *known != producer);
            producers.push(producer);
        }
        producers
    }

    pub(super) fn begin(&mut self) {
        let mut batch = std::mem::take(&mut self.next);
        let in_batch = Naive::producers_of(&batch);
        for user in 0..3 {
            if !in_batch.iter().any(|(of, _)| *of == user) {
                continue;
            }
            let unused = self.uses.iter().filter(|used| !in_batch.contains(used));
            let all: Vec<(u8, u8)> = unused.chain(&in_batch).copied().collect();
            let all = all.into_iter().filter(|(of, _)| *of == user);
            let all: Vec<(u8, u8)> = all.collect();
            for gone in &all[..all.len().saturating_sub(LIMIT)] {
                batch.retain(|entry| (entry.user, entry.producer) != *gone);
                if self.uses.contains(gone) {
                    self.removed.push(*gone);
                }
            }
        }
        (self.in_flight, self.in_flight_to) = (Some(batch), self.last);
    }

    pub(super) fn commit(&mut self) {
        let Some(batch) = self.in_flight.take() else {
            return;
        };
        self.committed_to = self.in_flight_to;
        for gone in std::mem::take(&mut self.removed) {
            self.forget(gone);
        }
        for used in Naive::producers_of(&batch) {
            self.uses.retain(|known| *known != used);
            self.uses.push(used);
        }
        self.committed.extend(batch);
    }

    fn forget(&mut self, gone: (u8, u8)) {
        let keep = |entry: &Entry| (entry.user, entry.producer) != gone;
        self.committed.retain(keep);
        self.uses.retain(|used| *used != gone);
    }

    pub(super) fn discard(&mut self) {
        (self.in_flight, self.next) = (None, Vec::new());
        self.removed.clear();
        self.last = self.committed_to;
        self.history.retain(|entry| entry.seq <= self.committed_to);
    }

    pub(super) fn restart(&mut self) {
        self.discard();
        // Only the last message of each is on disk, and their order is that of use.
        let last = Naive::producers_of(&self.committed);
        let kept = last.iter().filter_map(|(user, producer)| {
            let known = self.of(*user, *producer);
            known.last().cloned()
        });
        self.committed = kept.collect();
        self.uses = last;
    }

    pub(super) fn remove(&mut self, user: u8) {
        let keep = |entry: &Entry| entry.user != user;
        self.committed.retain(keep);
        self.in_flight
            .iter_mut()
            .for_each(|batch| batch.retain(keep));
        self.next.retain(keep);
        self.uses.retain(|(of, _)| *of != user);
        self.removed.retain(|(of, _)| *of != user);
    }
}
