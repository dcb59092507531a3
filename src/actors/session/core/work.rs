//! The queue of pending work, and the rule that answers come in order.
//!
//! Work is what another actor or a handler does for the session. A session has one piece of it
//! at a time, so that its answers come in the order of its frames. Runs of publishes are the
//! exception: while the journal is written, several may be under way, as the hub answers them
//! in order too. A frame of another kind then waits until all of them are answered.

use smallvec::SmallVec;

use super::judged::JudgedFrames;
use crate::actors::session::lazy_queue::LazyQueue;

/// The ids of a run of publishes.
pub type Ids = SmallVec<[u64; 2]>;

/// Runs of publishes that are under way at once, at most: one publisher alone must be able to
/// fill what is written while the disk is waited for.
const RUNS: usize = 8;

/// The purpose of a piece of work: the frames that it answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    Login { id: u64 },
    Request { id: u64 },
    Publish { ids: Ids },
    PublishJudged { frames: JudgedFrames },
    Users { id: u64 },
    Sessions { id: u64 },
    Cursors { id: u64 },
    RemoveCursor { id: u64 },
    Stop { id: u64 },
}

impl Purpose {
    /// Returns how many frames of the session's own count it answers. A login is not counted.
    pub(super) fn frames(&self) -> u64 {
        match self {
            Purpose::Login { .. } => 0,
            Purpose::Publish { ids } => ids.len() as u64,
            Purpose::PublishJudged { frames } => frames.len() as u64,
            _ => 1,
        }
    }

    /// Returns the ids of the frames.
    pub(super) fn ids(self) -> Ids {
        match self {
            Purpose::Publish { ids } => ids,
            Purpose::PublishJudged { frames } => frames.iter().map(|frame| frame.id).collect(),
            Purpose::Login { id }
            | Purpose::Request { id }
            | Purpose::Users { id }
            | Purpose::Sessions { id }
            | Purpose::Cursors { id }
            | Purpose::RemoveCursor { id }
            | Purpose::Stop { id } => Ids::from_elem(id, 1),
        }
    }

    fn is_run(&self) -> bool {
        matches!(
            self,
            Purpose::Publish { .. } | Purpose::PublishJudged { .. }
        )
    }
}

/// The pieces of work that are under way, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct WorkQueue {
    oldest: Option<Purpose>,
    later: LazyQueue<Purpose>,
    /// Whether a frame that is not a publish waits for all of them.
    is_waited_for: bool,
}

impl WorkQueue {
    pub(super) fn is_empty(&self) -> bool {
        self.oldest.is_none()
    }

    /// Whether a frame must wait for the answers to earlier ones. From then on no further run
    /// is begun until it has been served.
    pub(super) fn must_wait(&mut self) -> bool {
        self.is_waited_for = !self.is_empty();
        self.is_waited_for
    }

    pub(super) fn push(&mut self, purpose: Purpose) {
        match self.oldest {
            None => self.oldest = Some(purpose),
            Some(_) => self.later.push_back(purpose),
        }
    }

    /// Takes the oldest piece out: it is done.
    pub(super) fn pop(&mut self) -> Option<Purpose> {
        let done = self.oldest.take();
        self.oldest = self.later.pop_front();
        if self.is_empty() {
            *self = WorkQueue::default();
        }
        done
    }

    /// Forgets all of it.
    pub(super) fn clear(&mut self) {
        *self = WorkQueue::default();
    }

    /// Whether another run of publishes may be begun behind those that are under way, which
    /// have fewer than `limit` frames together.
    pub(super) fn takes_run(&self, limit: usize) -> bool {
        let runs = self.oldest.iter().chain(self.later.iter());
        let frames: u64 = runs.clone().map(Purpose::frames).sum();
        self.oldest.as_ref().is_some_and(Purpose::is_run)
            && runs.count() < RUNS
            && frames < limit as u64
            && !self.is_waited_for
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(ids: &[u64]) -> Purpose {
        Purpose::Publish {
            ids: Ids::from_slice(ids),
        }
    }

    #[test]
    fn request_behind_runs_waits_and_lets_no_further_run_in() {
        let mut queue = WorkQueue::default();
        queue.push(run(&[1, 2]));
        assert!(queue.takes_run(1000));
        assert!(queue.must_wait());
        assert!(!queue.takes_run(1000), "a frame waits for all of them");
        assert_eq!(queue.pop(), Some(run(&[1, 2])));
        assert!(!queue.must_wait());
    }

    #[test]
    fn runs_are_bounded_by_their_number_and_their_frames() {
        let mut queue = WorkQueue::default();
        assert!(!queue.takes_run(1000), "the first one is no further one");
        queue.push(run(&[1, 2, 3]));
        assert!(!queue.takes_run(3));
        for id in 4..=10 {
            assert!(queue.takes_run(1000));
            queue.push(run(&[id]));
        }
        assert!(!queue.takes_run(1000));
    }

    #[test]
    fn request_in_work_lets_no_run_in() {
        let mut queue = WorkQueue::default();
        queue.push(Purpose::Request { id: 1 });
        assert!(!queue.takes_run(1000));
        assert_eq!(queue.pop().map(|done| done.frames()), Some(1));
        assert!(queue.is_empty());
    }
}
