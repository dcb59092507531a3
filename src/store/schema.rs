//! The tables, and the upgrade of older versions of them.

use rusqlite::{Connection, Transaction};

/// The version of the tables, in SQLite's `user_version`.
pub(super) const SCHEMA: i64 = 4;

const ACCOUNTS: &str = "CREATE TABLE account (
        name    TEXT PRIMARY KEY,
        phc     TEXT NOT NULL,
        role    TEXT NOT NULL,
        created INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// The stream and the journal; docs/journal.md describes their columns.
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

/// The terms of the stream (see `terms`), and the mark of a copy without its write-ahead log
/// (see `wal_mark`).
const TERMS: &str = "CREATE TABLE term (
        number  INTEGER PRIMARY KEY,
        after   INTEGER NOT NULL,
        crc     INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE file (
        id      INTEGER PRIMARY KEY CHECK (id = 1),
        lacks_wal INTEGER NOT NULL
    ) STRICT;";

/// The rules of accounts; in `account` the empty text stands for all accounts. A rule goes with its
/// account, however the account's row is deleted. docs/topics.md describes the columns.
const RULES: &str = "CREATE TABLE rule (
        account TEXT NOT NULL,
        kind    TEXT NOT NULL,
        pattern TEXT NOT NULL,
        effect  TEXT NOT NULL,
        PRIMARY KEY (account, kind, pattern, effect)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER rule_of_deleted_account AFTER DELETE ON account BEGIN
        DELETE FROM rule WHERE account = old.name;
    END;";

/// The producers of the stream (see `producers`).
const PRODUCERS: &str = "CREATE TABLE producer (
        account TEXT NOT NULL,
        name    TEXT NOT NULL,
        n       INTEGER NOT NULL,
        seq     INTEGER NOT NULL,
        crc     INTEGER NOT NULL,
        PRIMARY KEY (account, name)
    ) STRICT, WITHOUT ROWID;";

/// The kept values of topics (see `kept`).
const KEPT: &str = "CREATE TABLE kept (
        topic   TEXT PRIMARY KEY,
        seq     INTEGER NOT NULL,
        crc     INTEGER NOT NULL,
        frame   BLOB NOT NULL
    ) STRICT;";

/// Which broadcasts the rows of the journal hold (see `row_summary`).
const JOURNAL_ROUTES: &str = "CREATE TABLE journal_routes (
        first   INTEGER PRIMARY KEY,
        last    INTEGER NOT NULL,
        crc     INTEGER NOT NULL,
        routes  TEXT NOT NULL
    ) STRICT;";

/// The cursors of accounts (see `cursors`).
const CURSORS: &str = "CREATE TABLE cursor (
        account TEXT NOT NULL,
        name    TEXT NOT NULL,
        stream  TEXT NOT NULL,
        seq     INTEGER NOT NULL,
        term    INTEGER NOT NULL,
        crc     INTEGER NOT NULL,
        PRIMARY KEY (account, name)
    ) STRICT, WITHOUT ROWID;";

/// Returns the version of the tables; 0 if there are none.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The statements that make each table, with the version that began to have it.
const TABLES: [(i64, &str); 8] = [
    (1, ACCOUNTS),
    (2, JOURNAL),
    (3, TERMS),
    (4, RULES),
    (4, PRODUCERS),
    (4, KEPT),
    (4, JOURNAL_ROUTES),
    (4, CURSORS),
];

/// Creates the tables in an empty file, or those that an older version lacks. Tables of a later
/// version are left unchanged. Returns the version that was found.
pub(super) fn prepare(transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
    let found = version(transaction)?;
    if !(0..SCHEMA).contains(&found) {
        return Ok(found);
    }
    for (_, statements) in TABLES.iter().filter(|(since, _)| found < *since) {
        transaction.execute_batch(statements)?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    Ok(found)
}

/// Creates the tables that an older version lacks as temporary ones of this connection, in memory.
/// The database itself is unchanged, and is read as if it had them.
pub(super) fn add_missing(connection: &Connection, found: i64) -> rusqlite::Result<()> {
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    for (_, statements) in TABLES.iter().filter(|(since, _)| found < *since) {
        connection.execute_batch(&statements.replace("CREATE ", "CREATE TEMP "))?;
    }
    Ok(())
}
