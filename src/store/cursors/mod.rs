//! The cursors of accounts: for each, how far its client has acknowledged the stream.
//!
//! The problem: a client that was away goes on behind its last acknowledgement, also after a
//! restart of the server. Acknowledgements are far more frequent than commits, so a row is written
//! once for all those that came between two commits, and in the transaction of the broadcasts that
//! are written anyway.
//!
//! Invariants:
//! - a row is never ahead of what its client has acknowledged;
//! - a row names its stream and the term in which its seq was acknowledged, so that a cursor of
//!   another history is recognized; the rows of an older stream stay until they are replaced;
//! - the rows of an account are removed with the account, and none is written for an account that
//!   does not exist.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::crc::Crc;
use super::integer::stored;
use super::{Db, StoreError};
use crate::wire::{LONGEST_LABEL, Seq, Term};

/// The stored position of a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorRow {
    /// The account that the cursor belongs to.
    pub account: Arc<str>,
    /// The cursor's name.
    pub name: Arc<str>,
    /// The stream that the seq counts in.
    pub stream: Arc<str>,
    /// The highest seq that was acknowledged.
    pub seq: Seq,
    /// The term in which it was acknowledged.
    pub term: Term,
}

/// The changes to the cursors that are committed together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CursorChanges {
    /// The accounts and names of the cursors that are removed, before others are stored.
    pub removed: Vec<(Arc<str>, Arc<str>)>,
    /// The rows that are added or replaced.
    pub stored: Vec<CursorRow>,
    /// The lowest stored seq of the current stream; `None` without a cursor. Retention may wait
    /// for what is above it.
    pub lowest: Option<Seq>,
}

impl CursorChanges {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.stored.is_empty()
    }
}

/// A row that is damaged.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the row of cursor {name:?} of {account:?} has a wrong checksum or name")]
pub(super) struct InvalidCursorRow {
    account: String,
    name: String,
}

impl CursorRow {
    fn crc(&self) -> u32 {
        let texts = [&self.account, &self.name, &self.stream];
        let numbers = Crc::default().number(self.seq.0).number(self.term.0);
        let add = |crc: Crc, text: &Arc<str>| crc.number(text.len() as u64).bytes(text.as_bytes());
        texts.into_iter().fold(numbers, add).finish()
    }
}

/// Reads the cursors, by account and name. Checks each row; leaves out those of accounts that do not
/// exist.
pub(super) fn read(
    connection: &Connection,
) -> rusqlite::Result<Result<Vec<CursorRow>, InvalidCursorRow>> {
    let mut query = connection.prepare(
        "SELECT account, name, stream, seq, term, crc, account IN (SELECT name FROM account)
         FROM cursor ORDER BY account, name",
    )?;
    let mut rows = query.query([])?;
    let mut cursors = Vec::new();
    while let Some(row) = rows.next()? {
        let cursor = CursorRow {
            account: row.get(0)?,
            name: row.get(1)?,
            stream: row.get(2)?,
            seq: Seq(row.get(3)?),
            term: Term(row.get(4)?),
        };
        let is_named = (1..=LONGEST_LABEL).contains(&cursor.name.len());
        if !is_named || row.get::<_, u32>(5)? != cursor.crc() {
            return Ok(Err(InvalidCursorRow {
                account: cursor.account.to_string(),
                name: cursor.name.to_string(),
            }));
        }
        if row.get(6)? {
            cursors.push(cursor);
        }
    }
    Ok(Ok(cursors))
}

/// Removes the rows of accounts that do not exist.
pub(super) fn remove_orphans(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "DELETE FROM cursor WHERE account NOT IN (SELECT name FROM account)";
    connection.execute(sql, []).map(drop)
}

/// Writes the changes, in a transaction of the caller.
pub(super) fn write(connection: &Connection, changes: &CursorChanges) -> rusqlite::Result<()> {
    for (account, name) in &changes.removed {
        connection
            .prepare_cached("DELETE FROM cursor WHERE account = ? AND name = ?")?
            .execute(params![account, name])?;
    }
    for row in &changes.stored {
        // An account that was removed meanwhile, by another process, gets no row again.
        let sql = "INSERT OR REPLACE INTO cursor SELECT ?1, ?2, ?3, ?4, ?5, ?6
                   WHERE EXISTS (SELECT 1 FROM account WHERE name = ?1)";
        connection.prepare_cached(sql)?.execute(params![
            row.account,
            row.name,
            row.stream,
            stored(row.seq.0),
            stored(row.term.0),
            row.crc()
        ])?;
    }
    Ok(())
}

impl Db {
    /// Commits changes to cursors alone, at the end of a server: nothing else is to be written.
    ///
    /// # Errors
    /// See [`StoreError`]. The changes may be on disk all the same.
    pub fn write_cursors(&mut self, changes: &CursorChanges) -> Result<(), StoreError> {
        self.commit(|connection| {
            let transaction = connection.transaction()?;
            write(&transaction, changes)?;
            transaction.commit()
        })
    }
}

#[cfg(test)]
mod tests;
