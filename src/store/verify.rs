//! Checks a database as a server does before it uses it, without a change.

use std::path::Path;

use super::backup::CopiedStream;
use super::check::check_journal;
use super::cursors;
use super::faults::{CheckError, Faults, joined};
use super::snapshot::{LostLog, Snapshot};
use super::{Db, StoreError};

/// The most faults that are listed.
pub const MOST_FAULTS: usize = 100;

/// The contents of a database that was checked, and its faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The version of the tables.
    pub schema: i64,
    /// The journal's stream; `None` if the database has no journal.
    pub stream: Option<CopiedStream>,
    /// The size of the database in bytes.
    pub bytes: u64,
    /// The rows that the caller has counted.
    pub rows: CheckedRows,
    /// The faults, at most [`MOST_FAULTS`]; none if the database is sound.
    pub faults: Vec<String>,
    /// Whether the check ended at the last of `faults`.
    pub is_cut: bool,
}

/// The rows of accounts and rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckedRows {
    /// The number of valid accounts.
    pub accounts: usize,
    /// The number of valid rules.
    pub rules: usize,
    /// The problems of the other rows.
    pub faults: Vec<String>,
}

/// Checks every page and every row of the database at `path`, as of one moment. A server may be
/// running on it. `rows` checks the accounts and rules, which belong to another layer. Blocks.
///
/// # Errors
/// The file cannot be read, or holds no database that this version knows. Faults of a database are
/// in the result.
pub fn verify(
    path: &Path,
    mut rows: impl FnMut(&mut Db) -> Result<CheckedRows, StoreError>,
) -> Result<Verified, StoreError> {
    Snapshot::read(path, LostLog::Refused, |snapshot| {
        check_all(snapshot, &mut rows)
    })
}

fn check_all(
    snapshot: &mut Snapshot,
    rows: &mut impl FnMut(&mut Db) -> Result<CheckedRows, StoreError>,
) -> Result<Verified, StoreError> {
    snapshot.begin()?;
    let schema = snapshot.schema();
    let db = snapshot.db();
    let bytes = db.run(|connection| {
        let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        connection.query_row(sql, [], |row| row.get(0))
    })?;
    let mut verified = Verified {
        schema,
        stream: None,
        bytes,
        rows: CheckedRows::default(),
        faults: Vec::new(),
        is_cut: false,
    };
    let mut faults = Faults::up_to(MOST_FAULTS);
    let checked = check_parts(db, rows, &mut verified, &mut faults);
    verified.faults = faults.into_found();
    match checked {
        Err(StoreError::Damaged { .. }) if verified.faults.len() >= MOST_FAULTS => {
            verified.is_cut = true;
        }
        checked => checked?,
    }
    Ok(verified)
}

fn check_parts(
    db: &mut Db,
    rows: &mut impl FnMut(&mut Db) -> Result<CheckedRows, StoreError>,
    verified: &mut Verified,
    faults: &mut Faults,
) -> Result<(), StoreError> {
    check_pages(db, faults)?;
    if let Some(journal) = check_journal(db, None, 0, faults)? {
        verified.stream = Some(CopiedStream {
            name: journal.state.stream,
            first: journal.state.trimmed.next(),
            head: journal.state.head,
        });
    } else {
        // A new stream keeps the cursors, and removes the other tables' rows without a look.
        let read = faults.check(joined(cursors::read(db.connection())));
        read.map_err(|error| db.check_failed(error))?;
    }
    match rows(db) {
        Ok(checked) => {
            let added = checked
                .faults
                .iter()
                .try_for_each(|fault| faults.add(fault));
            added.map_err(|error| db.check_failed(error))?;
            verified.rows = checked;
            Ok(())
        }
        Err(StoreError::Damaged { reason, .. }) => {
            let added = faults.add(format!("the accounts or rules: {reason}"));
            added.map_err(|error| db.check_failed(error))
        }
        Err(error) => Err(error),
    }
}

/// Adds what SQLite finds wrong with the pages.
fn check_pages(db: &mut Db, faults: &mut Faults) -> Result<(), StoreError> {
    let found = db.run(|connection| {
        let sql = format!("PRAGMA main.quick_check({MOST_FAULTS})");
        let mut query = connection.prepare(&sql)?;
        let rows = query.query_map([], |row| row.get::<_, String>(0))?;
        rows.collect::<rusqlite::Result<Vec<String>>>()
    });
    let found = match found {
        Ok(found) => found,
        Err(StoreError::Damaged { reason, .. }) => vec![reason],
        Err(error) => return Err(error),
    };
    let found = found.iter().filter(|finding| *finding != "ok");
    let mut lines = found.flat_map(|finding| finding.lines());
    let added: Result<(), CheckError> = lines.try_for_each(|line| faults.add(line));
    added.map_err(|error| db.check_failed(error))
}
