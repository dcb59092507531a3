//! The numbers of producers: the shipped table of `src/actors/hub/producers`.

use std::hash::{Hash, Hasher};

use arauto::internal::hub::{ProducerRow, Producers};
use arauto::internal::session::{JudgedContents, Verdict};
use arauto::{Seq, UserName};

use crate::broken::Broken;
use crate::setting::Setting;

/// The most producers of an account. No setting has more.
const LIMIT: usize = 10;

/// The shipped table, and what is on disk of it.
///
/// The table has no hash. Two tables are equal if the same has happened to them since the server's
/// start, and so are their hashes.
#[derive(Debug, Clone)]
pub struct Numbers {
    table: Producers,
    past: Vec<Past>,
    stored: Vec<ProducerRow>,
    /// The rows of the batch in flight.
    in_flight: Vec<ProducerRow>,
}

/// Something that has happened to the table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Past {
    /// The server began with this row.
    Stored {
        user: String,
        n: u64,
        seq: Seq,
    },
    Judged {
        user: UserName,
        messages: JudgedContents,
        next: Seq,
    },
    BatchBegun,
    BatchCommitted,
    BatchFailed,
}

impl PartialEq for Numbers {
    fn eq(&self, other: &Numbers) -> bool {
        self.past == other.past
    }
}

impl Eq for Numbers {}

impl Hash for Numbers {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.past.hash(state);
    }
}

impl Default for Numbers {
    fn default() -> Numbers {
        Numbers::begin(Vec::new())
    }
}

impl Numbers {
    /// The table of a server that finds these rows on disk.
    fn begin(stored: Vec<ProducerRow>) -> Numbers {
        let rows = stored.iter();
        let past = rows.map(|row| Past::Stored {
            user: row.account.to_string(),
            n: row.n,
            seq: row.seq,
        });
        Numbers {
            past: past.collect(),
            table: Producers::new(LIMIT, stored.clone()),
            stored,
            in_flight: Vec::new(),
        }
    }

    /// Judges messages. Those that are new get the seqs from `next` on.
    pub fn judge(&mut self, user: &UserName, messages: JudgedContents, next: u64) -> Vec<Verdict> {
        let next = Seq(next);
        let verdicts = self.table.judge(user, &messages, next, |_, _| Ok(()));
        let user = user.clone();
        self.past.push(Past::Judged {
            user,
            messages,
            next,
        });
        verdicts
    }

    /// Whether a message with a number has come since the server's start.
    fn is_used(&self) -> bool {
        let mut past = self.past.iter();
        past.any(|past| matches!(past, Past::Judged { .. }))
    }

    /// Begins to write a batch.
    pub fn begin_batch(&mut self) {
        if self.is_used() {
            self.past.push(Past::BatchBegun);
            self.in_flight = self.table.begin_batch().published;
        }
    }

    /// Notes that the batch in flight is committed.
    pub fn commit(&mut self, setting: &Setting) {
        if !self.is_used() {
            return;
        }
        self.past.push(Past::BatchCommitted);
        self.table.commit_batch();
        let rows = std::mem::take(&mut self.in_flight);
        if !setting.is(Broken::NumbersStoredLater) {
            self.store(rows);
        }
    }

    fn store(&mut self, rows: Vec<ProducerRow>) {
        let is_other = |known: &ProducerRow| rows.iter().all(|row| row.account != known.account);
        self.stored.retain(is_other);
        self.stored.extend(rows);
    }

    /// Notes that the batch in flight has failed.
    pub fn fail(&mut self, setting: &Setting) {
        if !self.is_used() {
            return;
        }
        self.past.push(Past::BatchFailed);
        match setting.is(Broken::FailedNumbersTaken) {
            true => self.table.commit_batch(),
            false => self.table.discard_pending(),
        }
    }

    /// Returns the table of a new process.
    pub fn after_kill(&self) -> Numbers {
        Numbers::begin(self.stored.clone())
    }
}
