//! Detects a database file that was copied without its write-ahead log.
//!
//! The problem: commits of a running server are first in `arauto.db-wal` only. A copy of
//! `arauto.db` alone is a valid database that lacks them. So a process writes a mark into the
//! database file before its first commit, and clears the mark in the write-ahead log only. A file
//! that has the mark but no log has lost its log. Read together with the log, or after a
//! checkpoint, the database has no mark.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::database_files::beside;

/// Writes the mark into the file and clears it in the log. The next commit makes the clearing
/// durable. Does not wait for other processes: if a reader blocks the checkpoint, the file gets no
/// mark.
pub(super) fn set(connection: &Connection) -> rusqlite::Result<()> {
    // With NORMAL, SQLite syncs both files in the checkpoint, and the log when it begins a new
    // one, but not at each commit (<https://sqlite.org/pragma.html#pragma_synchronous>).
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let outcome = write(connection).and_then(|()| clear(connection));
    connection.pragma_update(None, "synchronous", "FULL")?;
    outcome
}

/// Writes the mark into the file.
fn write(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO file VALUES (1, 1)", [])?;
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Clears the mark.
pub(super) fn clear(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO file VALUES (1, 0)", [])?;
    Ok(())
}

/// Whether the database has the mark but no write-ahead log. Changes nothing.
pub(super) fn is_log_missing(database: &Path) -> bool {
    // A server that was killed leaves the file of its log, even if that is empty.
    !beside(database, "-wal").exists() && is_marked(database).unwrap_or(false)
}

fn is_marked(database: &Path) -> rusqlite::Result<bool> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(immutable(database), flags)?;
    connection.query_row("SELECT lacks_wal FROM file", [], |row| row.get(0))
}

/// Returns the URI with which SQLite reads the file without looking for a log
/// (`immutable=1`, <https://sqlite.org/uri.html>).
pub(super) fn immutable(database: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in database.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b':' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}
