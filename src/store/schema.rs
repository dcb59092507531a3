//! The tables, and how older ones become these.

use rusqlite::{Connection, Transaction};

/// The version of the tables, in SQLite's `user_version`.
pub(super) const SCHEMA: i64 = 3;

const ACCOUNTS: &str = "CREATE TABLE account (
        name    TEXT PRIMARY KEY,
        phc     TEXT NOT NULL,
        role    TEXT NOT NULL,
        created INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// docs/journal.md describes them.
const JOURNAL: &str = "CREATE TABLE stream (
        id      INTEGER PRIMARY KEY CHECK (id = 1),
        name    TEXT NOT NULL,
        head    INTEGER NOT NULL,
        trimmed INTEGER NOT NULL,
        crc     INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE journal (
        first   INTEGER PRIMARY KEY,
        last    INTEGER NOT NULL,
        time    INTEGER NOT NULL,
        crc     INTEGER NOT NULL,
        frames  BLOB NOT NULL
    ) STRICT;";

/// Where each start of a server began, and what a copy without its write-ahead log says.
const TERMS: &str = "CREATE TABLE term (
        number  INTEGER PRIMARY KEY,
        after   INTEGER NOT NULL,
        crc     INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE file (
        id      INTEGER PRIMARY KEY CHECK (id = 1),
        lacks_wal INTEGER NOT NULL
    ) STRICT;";

/// The version of the tables that are there; 0 where there is none.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Makes the tables of an empty file, or those that an older version lacks. The
/// version that was found; one from the future is left as it is.
pub(super) fn prepare(transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
    let found = version(transaction)?;
    if !(0..SCHEMA).contains(&found) {
        return Ok(found);
    }
    if found < 1 {
        transaction.execute_batch(ACCOUNTS)?;
    }
    if found < 2 {
        transaction.execute_batch(JOURNAL)?;
    }
    transaction.execute_batch(TERMS)?;
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    Ok(found)
}
