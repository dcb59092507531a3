//! The data that outlives the process: one SQLite file, `arauto.db`, in the data folder.
//!
//! The problem: accounts and the journal of broadcasts must be on disk before they are
//! acknowledged, in one file that every SQLite tool can open, and two writers must not compete
//! for its lock. So one connection on one thread writes ([`Store`]), and each caller puts the
//! changes that wait together into one transaction. The journal is read through other,
//! read-only connections ([`JournalReaders`]).
//!
//! Invariants:
//! - a commit is on disk when it returns (WAL, `synchronous=FULL`);
//! - a crash during the first start leaves no database or a complete one;
//! - a damaged file is reported with its path and is not changed;
//! - the journal's rows hold whole frames, without a gap, from the oldest seq that retention
//!   keeps to the head; the head stays recorded when its rows are removed;
//! - a producer's number is committed together with its message (`producers`), and so is a topic's
//!   kept value (`kept`);
//! - a cursor is never stored ahead of what its client has acknowledged (`cursors`);
//! - a failed write is either certainly not on disk or in doubt ([`JournalWriteError`]); a seq in
//!   doubt is never assigned again.

mod age;
mod backup;
mod check;
mod crc;
mod cursors;
mod database_files;
mod db;
mod error;
mod faults;
mod folder;
mod import_merge;
mod import_rows;
mod integer;
mod journal;
mod journal_export;
mod journal_import;
mod journal_reader;
mod journal_row;
mod journal_search;
mod kept;
mod limit;
mod new_database;
mod open;
mod producers;
mod row_routes;
mod row_summary;
mod schema;
mod snapshot;
mod stream_name;
mod terms;
mod thread;
mod verify;
mod wal_mark;

pub use age::ClockReading;
pub use backup::{Copied, CopiedStream, CopyError, back_up, back_up_at_least, head, restore};
pub use cursors::{CursorChanges, CursorRow};
pub use db::Db;
pub use error::StoreError;
pub use folder::{DataFolder, FolderError, FolderLock};
pub use journal::{Journal, JournalBatch, JournalWriteError, Retention};
pub use journal_export::JournalExport;
pub use journal_import::JournalImport;
pub use journal_reader::{JournalChunk, JournalReaders};
pub use journal_row::JournalRow;
pub use journal_search::JournalSearch;
pub use kept::KeptChanges;
pub use limit::WaitLimit;
pub use producers::{ProducerChanges, ProducerRow};
pub use stream_name::stream_name;
pub use terms::Terms;
pub use thread::{Store, StoreThread};
pub use verify::{CheckedRows, MOST_FAULTS, Verified, verify};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
