//! Finds out that a database file was copied without its write-ahead log.
//!
//! The problem: what a running server commits stands in `arauto.db-wal` first. A copy of
//! `arauto.db` alone is a sound database, which lacks all of that. So the file is marked when
//! a server starts, and the mark is taken back in the write-ahead log only: a file with the
//! mark and without a log has lost it. With the log, and once the log has been moved into
//! the file, there is no mark.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::database_files::beside;

/// Marks the file. Where a reader keeps the log from being moved, there is no mark.
pub(super) fn set(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO file VALUES (1, 1)", [])?;
    // PASSIVE waits for nobody.
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    clear(connection)
}

/// Takes the mark back.
pub(super) fn clear(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO file VALUES (1, 0)", [])?;
    Ok(())
}

/// Whether the database has the mark and no write-ahead log. Nothing is changed.
pub(super) fn is_missing(database: &Path) -> bool {
    // A server that was killed leaves its log, though it may be empty.
    !beside(database, "-wal").exists() && is_marked(database).unwrap_or(false)
}

fn is_marked(database: &Path) -> rusqlite::Result<bool> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(immutable(database), flags)?;
    connection.query_row("SELECT lacks_wal FROM file", [], |row| row.get(0))
}

/// The URI by which SQLite reads the file alone, see <https://sqlite.org/uri.html>.
fn immutable(database: &Path) -> String {
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
