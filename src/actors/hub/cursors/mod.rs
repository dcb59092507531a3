//! Read positions that the server remembers.
//!
//! The problem: a client that comes back goes on behind its last ack, and two sessions with one
//! cursor must not both move it. Acks are frequent, and must neither cost a message to the hub nor a
//! commit each.
//!
//! Invariants:
//! - a cursor has one session at most; a second login takes it over, at a position that has all acks
//!   of the first that were read before;
//! - with a journal a position that a login begins at is on disk before the login is answered, and
//!   an ack is written with the next batch, or [`STORE_AFTER`] after it at the latest;
//! - what is stored was acknowledged; a batch that fails is repeated;
//! - an account has at most `limit` cursors. More are known only after the limit was lowered.

mod limit;
mod messages;
mod slot;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

pub use self::messages::{
    CheckCursor, CursorInfo, CursorRefusal, ListCursors, OpenCursor, OpenedCursor, RemoveCursor,
};
pub use self::slot::CursorLease;
use self::slot::{Position, Slot, Unstored};
use crate::accounts::UserName;
use crate::log::{CursorChanges, CursorRow, Log};
use crate::wire::{Seq, Term};

/// How long an ack waits for a batch. The commit itself must fit into the rest of 100 ms.
pub(super) const STORE_AFTER: Duration = Duration::from_millis(50);

/// How long a batch of acks that could not be written waits.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The account and the name of a cursor.
pub(super) type Key = (Arc<str>, Arc<str>);

/// The cursors of all accounts.
#[derive(Debug)]
pub(super) struct Cursors {
    /// The most cursors of an account.
    limit: usize,
    stream: Arc<str>,
    term: Term,
    accounts: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Entry>>,
    /// With a journal.
    storing: Option<Storing>,
}

#[derive(Debug)]
struct Entry {
    slot: Arc<Slot>,
    /// Whether it has a row.
    is_stored: bool,
    /// The stored seq, in the current stream.
    seq: Option<Seq>,
}

/// The changes that are written, and when.
#[derive(Debug, Default)]
struct Storing {
    unstored: Arc<Unstored>,
    /// Removed, and to be written.
    removed: Vec<Key>,
    /// The batch that is being written.
    in_flight: Vec<(Arc<Slot>, Position)>,
    removed_in_flight: Vec<Key>,
    /// When the next batch must begin.
    due: Option<Instant>,
    /// How many cursors are stored at each seq of the current stream.
    seqs: BTreeMap<Seq, usize>,
}

impl Storing {
    /// Replaces the stored seq of a cursor.
    fn replace(&mut self, old: Option<Seq>, new: Option<Seq>) {
        if let Some(new) = new {
            *self.seqs.entry(new).or_default() += 1;
        }
        if let Some(old) = old
            && let Some(count) = self.seqs.get_mut(&old)
        {
            *count -= 1;
            if *count == 0 {
                self.seqs.remove(&old);
            }
        }
    }

    fn hasten(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }
}

impl Cursors {
    /// The cursors of a log. `rows` are those that were stored; `None` without a journal.
    pub(super) fn new(limit: usize, log: &Log, rows: Option<Vec<CursorRow>>) -> Cursors {
        let mut cursors = Cursors {
            limit,
            stream: Arc::from(log.stream()),
            term: log.terms().current(),
            accounts: BTreeMap::new(),
            storing: rows.is_some().then(Storing::default),
        };
        for row in rows.into_iter().flatten() {
            let (seq, term) = (row.seq, row.term);
            let position = match row.stream == cursors.stream {
                true => Position::Here { seq, term },
                false => Position::OtherStream,
            };
            let slot = cursors.slot((row.account, row.name), position);
            cursors.insert(slot, true, position.seq());
        }
        cursors
    }

    fn slot(&self, key: Key, position: Position) -> Arc<Slot> {
        let unstored = self.storing.as_ref().map(|storing| &storing.unstored);
        Slot::new(key, position, self.term, unstored.cloned())
    }

    fn insert(&mut self, slot: Arc<Slot>, is_stored: bool, seq: Option<Seq>) {
        if let Some(storing) = &mut self.storing {
            storing.replace(None, seq);
        }
        let (account, name) = (Arc::clone(&slot.account), Arc::clone(&slot.name));
        let entry = Entry {
            slot,
            is_stored,
            seq,
        };
        self.accounts
            .entry(account)
            .or_default()
            .insert(name, entry);
    }

    fn entry(&self, account: &str, name: &str) -> Option<&Entry> {
        self.accounts.get(account)?.get(name)
    }

    /// Takes a cursor out of the table.
    fn take(&mut self, account: &str, name: &str) -> Option<Entry> {
        let names = self.accounts.get_mut(account)?;
        let entry = names.remove(name)?;
        if names.is_empty() {
            self.accounts.remove(account);
        }
        entry.slot.remove();
        if let Some(storing) = &mut self.storing {
            storing.replace(entry.seq, None);
        }
        Some(entry)
    }

    /// Gives a cursor to a session, and creates it at the login's head where it is not known.
    /// Returns also whether the position is not on disk yet: then the next batch must be waited for.
    pub(super) fn open(
        &mut self,
        open: OpenCursor,
        log: &Log,
        now: Instant,
    ) -> Result<(OpenedCursor, bool), CursorRefusal> {
        let OpenCursor {
            user,
            name,
            session,
            head,
            on_superseded,
        } = open;
        self.check(&user, &name)?;
        let term = self.term;
        let known = self.entry(user.as_str(), &name);
        let known = known.map(|entry| Arc::clone(&entry.slot));
        let is_new = known.is_none();
        let slot = match known {
            Some(slot) => slot,
            None => {
                let position = Position::Here { seq: head, term };
                let slot = self.slot((user.shared(), name), position);
                self.insert(Arc::clone(&slot), false, None);
                slot.queue();
                slot
            }
        };
        let begin = |position| match position {
            Position::Here { seq, term: acked } => {
                let begin = log.terms().resume_from(seq, acked, log.head());
                let position = match begin < seq {
                    // The rest is not in this history.
                    true => Position::Here { seq: begin, term },
                    false => position,
                };
                (begin, position, None)
            }
            Position::OtherStream => (head, position, Some(head)),
        };
        let (lease, begin, gap) = slot.take_over(session, on_superseded, begin);
        let must_wait = self.storing.is_some() && slot.is_unstored();
        if must_wait {
            self.hasten(now);
        }
        let opened = OpenedCursor {
            lease,
            begin,
            gap,
            is_new,
        };
        Ok((opened, must_wait))
    }

    fn hasten(&mut self, at: Instant) {
        self.storing.iter_mut().for_each(|it| it.hasten(at));
    }

    /// Notes acks that came since; the task is woken when there are more.
    pub(super) fn poll_unstored(&mut self, waker: &Waker, now: Instant) {
        if let Some(storing) = &mut self.storing
            && storing.unstored.poll(waker)
            && storing.due.is_none()
        {
            storing.due = Some(now + STORE_AFTER);
        }
    }

    /// Returns when the next batch must begin.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.storing.as_ref()?.due
    }

    /// Begins a batch, where others write one too (`is_batch`) or it is time. Returns the changes
    /// that are to be committed. Only one batch may be in flight.
    pub(super) fn begin_batch(&mut self, is_batch: bool, now: Instant) -> CursorChanges {
        let Some(storing) = &mut self.storing else {
            return CursorChanges::default();
        };
        let mut changes = CursorChanges {
            lowest: storing.seqs.keys().next().copied(),
            ..CursorChanges::default()
        };
        if !is_batch && storing.due.is_none_or(|due| now < due) {
            return changes;
        }
        storing.due = None;
        for slot in storing.unstored.take() {
            let Some(position) = slot.begin_storing() else {
                continue;
            };
            if let Position::Here { seq, term } = position {
                changes.stored.push(CursorRow {
                    account: Arc::clone(&slot.account),
                    name: Arc::clone(&slot.name),
                    stream: Arc::clone(&self.stream),
                    seq,
                    term,
                });
            }
            storing.in_flight.push((slot, position));
        }
        storing.removed_in_flight = std::mem::take(&mut storing.removed);
        changes.removed.clone_from(&storing.removed_in_flight);
        changes
    }

    /// Returns the changes that are in no batch, and those of the batch in flight once more, as it may
    /// fail.
    pub(super) fn begin_last_batch(&mut self) -> CursorChanges {
        if let Some(storing) = &mut self.storing {
            for (slot, _) in std::mem::take(&mut storing.in_flight) {
                slot.end_storing();
                slot.queue();
            }
            let removed = std::mem::take(&mut storing.removed_in_flight);
            storing.removed.splice(0..0, removed);
        }
        self.begin_batch(true, Instant::now())
    }

    /// Notes that the batch in flight is committed.
    pub(super) fn commit_batch(&mut self) {
        let Some(storing) = &mut self.storing else {
            return;
        };
        storing.removed_in_flight.clear();
        for (slot, position) in std::mem::take(&mut storing.in_flight) {
            slot.end_storing();
            let names = self.accounts.get_mut(&slot.account);
            let entry = names.and_then(|names| names.get_mut(&slot.name));
            // It may have been removed, and made again, meanwhile.
            if let Some(entry) = entry.filter(|entry| Arc::ptr_eq(&entry.slot, &slot)) {
                storing.replace(entry.seq, position.seq());
                (entry.seq, entry.is_stored) = (position.seq(), true);
            }
        }
    }

    /// Notes that nothing was written. New cursors are forgotten, as their logins fail; all others
    /// are written later.
    pub(super) fn discard_pending(&mut self, now: Instant) {
        let Some(storing) = &mut self.storing else {
            return;
        };
        let in_flight = std::mem::take(&mut storing.in_flight).into_iter();
        let mut slots: Vec<Arc<Slot>> = in_flight.map(|(slot, _)| slot).collect();
        slots.iter().for_each(|slot| slot.end_storing());
        for slot in storing.unstored.take() {
            if slot.begin_storing().is_some() {
                slot.end_storing();
                slots.push(slot);
            }
        }
        let removed = std::mem::take(&mut storing.removed_in_flight);
        storing.removed.splice(0..0, removed);
        storing.due = Some(now + RETRY_AFTER);
        for slot in slots {
            let entry = self.entry(&slot.account, &slot.name);
            let is_stored = entry
                .filter(|entry| Arc::ptr_eq(&entry.slot, &slot))
                .map(|entry| entry.is_stored);
            match is_stored {
                Some(true) => slot.queue(),
                Some(false) => drop(self.take(&slot.account, &slot.name)),
                None => {}
            }
        }
    }

    /// Removes a cursor. Returns whether there was one. With a journal the next batch has it.
    pub(super) fn remove(&mut self, account: &str, name: &str, now: Instant) -> bool {
        let Some(entry) = self.take(account, name) else {
            return false;
        };
        if let Some(storing) = &mut self.storing {
            let slot = &entry.slot;
            let key = (Arc::clone(&slot.account), Arc::clone(&slot.name));
            storing.removed.push(key);
            storing.hasten(now);
        }
        true
    }

    /// Forgets the cursors of an account that was removed. Its rows were removed with it.
    pub(super) fn forget(&mut self, user: &UserName) {
        let names = self.accounts.get(user.as_str());
        let names: Vec<Arc<str>> = names
            .into_iter()
            .flat_map(BTreeMap::keys)
            .cloned()
            .collect();
        for name in names {
            self.take(user.as_str(), &name);
        }
    }

    /// Returns at most `most` cursors behind `after`, by account and name, and whether there are
    /// more.
    pub(super) fn list(
        &self,
        after: Option<&(String, String)>,
        most: usize,
    ) -> (Vec<CursorInfo>, bool) {
        let (account, name) = match after {
            Some((account, name)) => (account.as_str(), Bound::Excluded(name.as_str())),
            None => ("", Bound::Unbounded),
        };
        let first = self.accounts.get(account).into_iter();
        let first = first.flat_map(|names| names.range::<str, _>((name, Bound::Unbounded)));
        let others = (Bound::Excluded(account), Bound::Unbounded);
        let others = self.accounts.range::<str, _>(others);
        let others = others.flat_map(|(_, names)| names);
        let mut cursors = first.chain(others).map(|(_, entry)| CursorInfo {
            account: Arc::clone(&entry.slot.account),
            name: Arc::clone(&entry.slot.name),
            seq: entry.slot.position().seq().unwrap_or(Seq::ZERO),
            session: entry.slot.session(),
        });
        let page = cursors.by_ref().take(most).collect();
        (page, cursors.next().is_some())
    }
}

#[cfg(all(test, shuttle))]
mod interleavings;
#[cfg(test)]
mod tests;
