//! What outlives the process: one SQLite file, `arauto.db`, in the data folder.
//!
//! The file has one connection that writes, on one thread ([`Store`]): what other
//! processes change shows in its `data_version`, and what waits together can be put
//! into one transaction by whoever asks.
//!
//! Invariants:
//! - a commit is on disk when it returns (WAL, `synchronous=FULL`);
//! - a file that is damaged is named and its bytes are left alone.

mod db;
mod error;
mod folder;
mod schema;
mod thread;

pub use db::Db;
pub use error::StoreError;
pub use folder::{DataFolder, FolderError, FolderLock};
pub use thread::{Store, StoreThread};

#[cfg(test)]
mod tests;
