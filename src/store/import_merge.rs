//! Moves an imported journal into a database that has accounts and no broadcasts.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::Db;
use super::backup::{CopyError, utf8};

/// The tables of a stream. Cursors are not among them: they belong to the accounts, and name the
/// stream that they are of.
const REMOVED: [&str; 6] = [
    "stream",
    "journal",
    "term",
    "producer",
    "kept",
    "journal_routes",
];

/// The tables that an import writes.
const IMPORTED: [&str; 4] = ["stream", "journal", "kept", "journal_routes"];

/// Checks that the database has no broadcasts, and had none.
///
/// # Errors
/// [`CopyError::HasJournal`] if it had. Or see `StoreError`.
pub(super) fn check_unused(db: &mut Db) -> Result<(), CopyError> {
    match db.run(|connection| is_unused(connection))? {
        true => Ok(()),
        false => Err(CopyError::HasJournal(db.path().to_owned())),
    }
}

/// Replaces the stream of `db` with that of the database `from`, in one transaction.
///
/// # Errors
/// The database has broadcasts meanwhile, or see [`CopyError`].
pub(super) fn merge(mut db: Db, from: &Path) -> Result<(), CopyError> {
    let name = utf8(from).map_err(|source| CopyError::Io {
        path: from.to_owned(),
        source,
    })?;
    db.trust()?;
    db.run(|connection| connection.execute("ATTACH ? AS imported", [name]))?;
    let is_merged = db.commit(|connection| {
        let immediate = TransactionBehavior::Immediate;
        let transaction = connection.transaction_with_behavior(immediate)?;
        if !is_unused(&transaction)? {
            return Ok(false);
        }
        for table in REMOVED {
            transaction.execute(&format!("DELETE FROM main.{table}"), [])?;
        }
        for table in IMPORTED {
            let sql = format!("INSERT INTO main.{table} SELECT * FROM imported.{table}");
            transaction.execute(&sql, [])?;
        }
        transaction.commit()?;
        Ok(true)
    })?;
    match is_merged {
        true => Ok(()),
        false => Err(CopyError::HasJournal(db.path().to_owned())),
    }
}

fn is_unused(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM journal)
                      AND NOT EXISTS (SELECT 1 FROM stream WHERE head > 0)";
    connection.query_row(sql, [], |row| row.get(0))
}
