//! Checks a whole journal before the server uses it.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row};

use super::age::{Ages, ClockReading, NewestTime};
use super::cursors::{self as cursor_rows, CursorRow};
use super::faults::{CheckError, Faults, joined};
use super::journal::{State, cost, part_crc, state_crc, write_new_stream};
use super::journal_row::{JournalRow, frame_length};
use super::kept::{self, KeptCheck};
use super::producers::{self, ProducerRow};
use super::row_routes::routes_of;
use super::row_summary;
use super::terms::Terms;
use super::{Db, Journal, Retention, StoreError, WaitLimit};
use crate::wire::{Decoded, Millis, Seq, ServerFrame, cbor};

impl Journal {
    /// Opens a database as [`Db::open_checked_within`] does. If it is created, it gets a new
    /// stream with this name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open_database(path: &Path, name: &str, limit: &WaitLimit) -> Result<Db, StoreError> {
        Db::open_checked_or_create(path, limit, |connection| write_new_stream(connection, name))
    }

    /// Checks every row of the journal in `db`, opens it, and begins a term. Returns the newest
    /// rows too, as many as fit into `newest` bytes. If there is no journal yet, creates a
    /// stream with this name; otherwise nothing is written before the first broadcast.
    ///
    /// # Errors
    /// The journal is damaged or cannot be read; then nothing was written. Or it cannot be
    /// written.
    pub fn open(
        db: &mut Db,
        retention: Retention,
        newest: usize,
        now: ClockReading,
        name: &str,
    ) -> Result<(Journal, Vec<JournalRow>), StoreError> {
        let checked = check_journal(db, retention.age, newest, &mut Faults::first())?;
        // A new stream is created with its first term.
        let is_new = checked.is_none();
        let is_term_stored = is_new || db.is_new();
        if is_new {
            db.run(|connection| {
                let transaction = connection.transaction()?;
                write_new_stream(&transaction, name)?;
                transaction.commit()
            })?;
        }
        let CheckedJournal {
            state,
            mut terms,
            mut ages,
            parts,
            newest,
            producers,
            kept,
            mut cursors,
        } = checked.unwrap_or_else(|| CheckedJournal::empty(name, retention.age));
        if !is_term_stored {
            terms.begin(state.head, Some(now.wall));
        }
        // Where there is nothing to remove this writes nothing.
        db.run(|connection| {
            producers::remove_orphans(connection, is_new)?;
            if is_new {
                kept::remove_all(connection)?;
                row_summary::remove(connection, Seq(u64::MAX))?;
            }
            cursor_rows::remove_orphans(connection)
        })?;
        if is_new {
            // Cursors of an older stream.
            let read = db.run(|connection| cursor_rows::read(connection))?;
            cursors = read.map_err(|error| db.damaged(error.to_string()))?;
        }
        ages.begin_run(newest, now);
        let journal = Journal {
            state,
            terms,
            is_term_stored,
            ages,
            retention,
            producers,
            kept,
            cursors,
            held_back: None,
        };
        Ok((journal, parts))
    }
}

/// A journal whose rows have all been checked.
pub(super) struct CheckedJournal {
    pub(super) state: State,
    terms: Terms,
    ages: Ages,
    parts: Vec<JournalRow>,
    newest: Option<NewestTime>,
    producers: Vec<ProducerRow>,
    kept: Vec<Bytes>,
    cursors: Vec<CursorRow>,
}

impl CheckedJournal {
    fn empty(stream: &str, age: Option<Duration>) -> CheckedJournal {
        CheckedJournal {
            state: State::new(stream),
            terms: Terms::single(),
            ages: Ages::new(age, Seq::ZERO),
            parts: Vec::new(),
            newest: None,
            producers: Vec::new(),
            kept: Vec::new(),
            cursors: Vec::new(),
        }
    }
}

/// Checks every row of the journal and reads its newest `newest` bytes. `age` is retention's age
/// limit. Returns `None` if the database has no journal. If `faults` were added, the result holds
/// only the rows that are sound.
///
/// # Errors
/// The journal is damaged beyond the room in `faults`, or cannot be read.
pub(super) fn check_journal(
    db: &mut Db,
    age: Option<Duration>,
    newest: usize,
    faults: &mut Faults,
) -> Result<Option<CheckedJournal>, StoreError> {
    let checked = read_journal(db.connection(), age, newest, faults);
    checked.map_err(|error| db.check_failed(error))
}

fn read_journal(
    connection: &Connection,
    age: Option<Duration>,
    newest: usize,
    faults: &mut Faults,
) -> Result<Option<CheckedJournal>, CheckError> {
    let Some(found) = faults.check(read_state(connection).map_err(CheckError::from))? else {
        return Ok(None);
    };
    let mut query =
        connection.prepare("SELECT first, last, time, crc, frames FROM journal ORDER BY first")?;
    let mut rows = query.query([])?;
    let Some((mut state, crc)) = found else {
        if rows.next()?.is_some() {
            faults.add("the journal has rows but no stream")?;
        }
        return Ok(None);
    };
    if crc != state_crc(&state.stream, state.head, state.trimmed) {
        faults.add("the checksum of the stream's row is wrong")?;
    }
    let mut kept = faults.check(joined(KeptCheck::begin(connection, state.head)))?;
    let mut parts = NewestParts::new(newest);
    let mut ages = Ages::new(age, state.head);
    let (mut last, mut newest) = (state.trimmed, None);
    while let Some(Some(row)) = faults.check(rows.next().map_err(CheckError::from))? {
        let Some((part, at)) = faults.check(check_row(row, last))? else {
            last = row.get(1).map_or(last, Seq);
            continue;
        };
        if let Some(kept) = &mut kept {
            let compared = kept.compare(part.first, part.last, part.frames);
            faults.check(compared.map_err(|error| CheckError::of(&error)))?;
        }
        state.held += cost(part.frames.len() as u64);
        last = part.last;
        ages.note(last, part.stamp);
        newest = Some(NewestTime {
            stamp: part.stamp,
            at,
        });
        parts.push(&part);
    }
    if last != state.head {
        faults.add(format!(
            "the journal's last row ends at seq {last}, but its head is {}",
            state.head
        ))?;
    }
    let terms = faults.check(joined(Terms::read(connection, state.head)))?;
    let producers = faults.check(joined(producers::read(connection, state.head)))?;
    faults.check(joined(row_summary::check(connection)))?;
    let cursors = faults.check(joined(cursor_rows::read(connection)))?;
    Ok(Some(CheckedJournal {
        terms: terms.unwrap_or_else(Terms::single),
        producers: producers.unwrap_or_default(),
        kept: kept.map(KeptCheck::finish).unwrap_or_default(),
        cursors: cursors.unwrap_or_default(),
        state,
        ages,
        parts: parts.parts.into(),
        newest,
    }))
}

/// Reads the stream's row, and its checksum, which is not compared.
pub(super) fn read_state(connection: &Connection) -> rusqlite::Result<Option<(State, u32)>> {
    let sql = "SELECT name, head, trimmed, crc FROM stream";
    let read = |row: &Row<'_>| {
        let state = State {
            stream: row.get(0)?,
            head: Seq(row.get(1)?),
            trimmed: Seq(row.get(2)?),
            held: 0,
        };
        Ok((state, row.get(3)?))
    };
    connection.query_row(sql, [], read).optional()
}

/// A row of the journal; its frames are borrowed from SQLite.
struct BorrowedRow<'a> {
    first: Seq,
    last: Seq,
    stamp: Millis,
    frames: &'a [u8],
}

/// Checks the row that must follow the seq `before`. Returns the row and the `at` of its newest
/// broadcast.
fn check_row<'a>(row: &'a Row<'_>, before: Seq) -> Result<(BorrowedRow<'a>, Millis), CheckError> {
    let first = Seq(row.get(0)?);
    let wrong =
        |what: &str| CheckError::Damaged(format!("the journal's row of seq {first}: {what}"));
    let checked = BorrowedRow {
        first,
        last: Seq(row.get(1)?),
        stamp: Millis(row.get(2)?),
        frames: row
            .get_ref(4)?
            .as_blob()
            .map_err(|_| wrong("its frames are not a blob"))?,
    };
    if first != before.next() {
        let reason = format!("the journal has a gap: seq {first} follows {before}");
        return Err(CheckError::Damaged(reason));
    }
    if row.get::<_, u32>(3)? != part_crc(first, checked.last, checked.stamp, checked.frames) {
        return Err(wrong("its checksum is wrong"));
    }
    match span(checked.frames) {
        Some(span) if (span.first, span.last) == (first, checked.last) => Ok((checked, span.at)),
        Some(span) => {
            let Span { first, last, .. } = span;
            Err(wrong(&format!(
                "its frames have the seqs {first} to {last}"
            )))
        }
        None => Err(wrong("its frames are not whole broadcasts")),
    }
}

/// The seqs and the time that a row's frames declare.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: Seq,
    pub(super) last: Seq,
    /// The `at` of the last frame.
    pub(super) at: Millis,
}

/// Returns the span of these frames, or `None` if they are not whole or their number does not
/// match their seqs.
pub(super) fn span(frames: &[u8]) -> Option<Span> {
    let (first, _) = stamp_of(frames)?;
    let (mut at, mut newest, mut count) = (0, 0, 0);
    while at < frames.len() {
        newest = at;
        at += frame_length(&frames[at..])?;
        count += 1;
    }
    let (last, when) = stamp_of(frames.get(newest..)?)?;
    let is_whole = at == frames.len() && last.0.checked_sub(first.0)? + 1 == count;
    is_whole.then_some(Span {
        first,
        last,
        at: when,
    })
}

fn stamp_of(frames: &[u8]) -> Option<(Seq, Millis)> {
    match cbor::decode_server(frames, usize::MAX) {
        Ok(Decoded::Frame(ServerFrame::Message(message), _)) => Some((message.seq, message.at)),
        Ok(Decoded::Frame(ServerFrame::Joined(user) | ServerFrame::Left(user), _)) => {
            Some((user.seq, user.at))
        }
        _ => None,
    }
}

/// Collects the newest rows: at most `limit` bytes of frames.
struct NewestParts {
    parts: VecDeque<JournalRow>,
    held: usize,
    limit: usize,
}

impl NewestParts {
    fn new(limit: usize) -> Self {
        NewestParts {
            parts: VecDeque::new(),
            held: 0,
            limit,
        }
    }

    fn push(&mut self, part: &BorrowedRow<'_>) {
        self.held += part.frames.len();
        self.parts.push_back(JournalRow {
            first: part.first,
            last: part.last,
            frames: Bytes::copy_from_slice(part.frames),
            routes: routes_of(part.frames),
        });
        while self.held > self.limit
            && let Some(oldest) = self.parts.pop_front()
        {
            self.held -= oldest.frames.len();
        }
    }
}
