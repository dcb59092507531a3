//! The published numbers of one producer.

use smallvec::{SmallVec, smallvec};

use crate::wire::Seq;

/// The most runs that are remembered for each producer.
///
/// A session has at most 8 runs of publishes in work, and each takes consecutive seqs. So the seqs
/// of messages that were not answered before the connection was lost are usually known.
const RUNS: usize = 8;

/// The published numbers of a producer, the last ones with their seqs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Runs of consecutive numbers with consecutive seqs, oldest first. Never empty. Each begins
    /// where the one before it ends.
    runs: SmallVec<[Run; 1]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// The last number.
    n: u64,
    /// The seq of the last number.
    seq: Seq,
    /// The count of the numbers.
    count: u64,
}

impl Mark {
    /// The mark of a producer whose last message had this number and this seq.
    pub(super) fn new(n: u64, seq: Seq) -> Mark {
        let run = Run { n, seq, count: 1 };
        Mark {
            runs: smallvec![run],
        }
    }

    fn last(&self) -> &Run {
        self.runs.last().expect("a mark has a run")
    }

    /// Returns the highest number that was published.
    pub(super) fn highest(&self) -> u64 {
        self.last().n
    }

    /// Returns the seq of the highest number.
    pub(super) fn seq(&self) -> Seq {
        self.last().seq
    }

    /// Whether the number is the next one.
    pub(super) fn is_next(&self, n: u64) -> bool {
        self.highest().checked_add(1) == Some(n)
    }

    /// Returns the seq of a published number; 0 if it is no longer known.
    pub(super) fn seq_of(&self, n: u64) -> Seq {
        let covering = |run: &&Run| n <= run.n && run.n - n < run.count;
        let run = self.runs.iter().rev().find(covering);
        run.map_or(Seq::ZERO, |run| Seq(run.seq.0 - (run.n - n)))
    }

    /// Notes that the next number was published with this seq.
    pub(super) fn publish(&mut self, seq: Seq) {
        let n = self.highest().saturating_add(1);
        if let Some(last) = self.runs.last_mut()
            && last.seq.next() == seq
        {
            (last.n, last.seq) = (n, seq);
            last.count += 1;
            return;
        }
        if self.runs.len() == RUNS {
            self.runs.remove(0);
        }
        self.runs.push(Run { n, seq, count: 1 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seqs_of_the_last_runs_are_known() {
        let mut mark = Mark::new(10, Seq(5));
        for seq in [6, 7, 20, 30] {
            mark.publish(Seq(seq));
        }
        let seqs: Vec<u64> = (9..=14).map(|n| mark.seq_of(n).0).collect();
        assert_eq!(seqs, [0, 5, 6, 7, 20, 30]);
        assert_eq!((mark.highest(), mark.seq()), (14, Seq(30)));
        assert!(mark.is_next(15) && !mark.is_next(14) && !mark.is_next(16));
    }

    #[test]
    fn oldest_run_is_forgotten_and_the_highest_number_never() {
        let mut mark = Mark::new(1, Seq(1));
        for n in 2..=100 {
            mark.publish(Seq(10 * n));
            assert_eq!(mark.seq_of(n), Seq(10 * n));
        }
        assert_eq!(mark.seq_of(1), Seq::ZERO);
        assert_eq!(mark.seq_of(92), Seq::ZERO);
        assert_eq!(mark.seq_of(93), Seq(930));
    }

    #[test]
    fn no_number_follows_the_largest_one() {
        let mark = Mark::new(u64::MAX, Seq(1));
        assert!(!mark.is_next(u64::MAX) && !mark.is_next(0));
        assert_eq!(mark.seq_of(u64::MAX), Seq(1));
    }
}
