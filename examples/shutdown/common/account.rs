//! What was accepted on one side and answered on the other.
//!
//! Neither count is taken from the other: the server notes the number of each ask that it
//! takes, the client that of each whole reply. Lost is what is on the first list and not on
//! the second.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use super::client::Heard;
use super::sockets::Transport;

/// The server's list of what it has accepted. An ask is accepted when it has been read and
/// is handed on: from there on its client may count on an answer.
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

    /// Blocks until so many have been accepted.
    pub(crate) fn reach(&self, count: u32) {
        let short = |ids: &mut BTreeSet<u32>| ids.len() < count as usize;
        let reached = self.0.longer.wait_while(self.ids(), short);
        drop(reached.expect(UNHURT));
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.0.ids.lock().expect(UNHURT)
    }
}

const UNHURT: &str = "a panic under this lock ends the run";

/// One run of one server.
pub(crate) struct Account {
    pub(crate) over: Transport,
    pub(crate) accepted: BTreeSet<u32>,
    pub(crate) heard: Heard,
    /// What else could be seen, each in a sentence.
    pub(crate) notes: Vec<String>,
}

impl Account {
    pub(crate) fn new(over: Transport, accepted: &Accepted, heard: Heard) -> Self {
        let accepted = accepted.ids().clone();
        let answers: BTreeSet<u32> = heard.replies.iter().copied().collect();
        assert_eq!(answers.len(), heard.replies.len(), "none is answered twice");
        assert!(answers.is_subset(&accepted), "none is answered unasked");
        Account {
            over,
            accepted,
            heard,
            notes: Vec::new(),
        }
    }

    pub(crate) fn with_note(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }

    pub(crate) fn answered(&self) -> usize {
        self.heard.replies.len()
    }

    pub(crate) fn lost(&self) -> BTreeSet<u32> {
        let answered = self.heard.replies.iter().copied().collect();
        &self.accepted - &answered
    }
}
