//! The data that outlives the process: one SQLite file, `arauto.db`, in the data folder.
//!
//! The problem: accounts and the journal of broadcasts must be on disk before
//! anybody is told of them, in one file that every tool can open, and what one of
//! them waits for must not be two writers that fight for a lock. So the file has
//! one connection that writes, on one thread ([`Store`]); what waits together is
//! put into one transaction by whoever asks. JournalReaders of the journal have
//! connections of their own, which cannot write ([`JournalReaders`]).
//!
//! Invariants:
//! - a commit is on disk when it returns (WAL, `synchronous=FULL`);
//! - a damaged file is reported by its path and not changed;
//! - the journal's rows are the stream without a hole, from the oldest seq that retention keeps
//!   to the head, whole frames only; the head is kept when its rows are removed;
//! - a failed write is either certainly not on disk or in doubt ([`JournalWriteError`]); a seq in
//!   doubt is never assigned again.

mod age;
mod backup;
mod check;
mod crc;
mod database_files;
mod db;
mod error;
mod folder;
mod integer;
mod journal;
mod journal_reader;
mod limit;
mod schema;
mod stream_name;
mod terms;
mod thread;
mod wal_mark;

pub use age::ClockReading;
pub use backup::{Copied, CopiedStream, CopyError, back_up, restore};
pub use db::Db;
pub use error::StoreError;
pub use folder::{DataFolder, FolderError, FolderLock};
pub use journal::{Journal, JournalRow, JournalWriteError, Retention};
pub use journal_reader::{JournalChunk, JournalReaders};
pub use limit::WaitLimit;
pub use stream_name::stream_name;
pub use terms::Terms;
pub use thread::{Store, StoreThread};

#[cfg(test)]
mod tests;
