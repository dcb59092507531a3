//! Counts the requests that the server accepted and those that the client got answers to.
//!
//! The two lists are independent: the server notes the number of each request that it accepts, the
//! client that of each complete reply. A request on the first list that is not on the second is
//! lost.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use super::client::Received;
use super::sockets::Transport;

/// The server's list of accepted requests. A request is accepted when it has been read and passed
/// to the worker: from then on its client may expect an answer.
#[derive(Clone, Default)]
pub(crate) struct Accepted(Arc<List>);

#[derive(Default)]
struct List {
    ids: Mutex<BTreeSet<u32>>,
    longer: Condvar,
}

impl Accepted {
    pub(crate) fn note(&self, id: u32) {
        assert!(self.ids().insert(id), "a client numbers its asks");
        self.0.longer.notify_all();
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.ids().len()).expect("its members are u32s, without 0")
    }

    /// Blocks until this many requests have been accepted.
    pub(crate) fn reach(&self, count: u32) {
        let short = |ids: &mut BTreeSet<u32>| ids.len() < count as usize;
        let reached = self.0.longer.wait_while(self.ids(), short);
        drop(reached.expect(POISONED));
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.0.ids.lock().expect(POISONED)
    }
}

const POISONED: &str = "a panic under this lock ends the run";

/// One run of one server.
pub(crate) struct Account {
    pub(crate) over: Transport,
    pub(crate) accepted: BTreeSet<u32>,
    pub(crate) received: Received,
    /// Further observations, each a sentence.
    pub(crate) notes: Vec<String>,
}

impl Account {
    pub(crate) fn new(over: Transport, accepted: &Accepted, received: Received) -> Self {
        let accepted = accepted.ids().clone();
        let answers: BTreeSet<u32> = received.replies.iter().copied().collect();
        assert_eq!(
            answers.len(),
            received.replies.len(),
            "none is answered twice"
        );
        assert!(answers.is_subset(&accepted), "none is answered unasked");
        Account {
            over,
            accepted,
            received,
            notes: Vec::new(),
        }
    }

    pub(crate) fn with_note(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }

    pub(crate) fn answered(&self) -> usize {
        self.received.replies.len()
    }

    pub(crate) fn lost(&self) -> BTreeSet<u32> {
        let answered = self.received.replies.iter().copied().collect();
        &self.accepted - &answered
    }
}
