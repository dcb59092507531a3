//! Looking at a whole journal before anybody builds on it.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row};

use super::age::{Ages, ClockReading, Newest};
use super::journal::{State, cost, part_crc, state_crc, write_state};
use super::terms::Terms;
use super::{Db, Journal, JournalRow, Retention, StoreError};
use crate::wire::{Decoded, Millis, Seq, ServerFrame, cbor};

/// Why a look at the journal ended early.
enum Stopped {
    Sqlite(rusqlite::Error),
    Damaged(String),
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Stopped::Sqlite(error)
    }
}

impl Journal {
    /// Opens the journal of `db`, of which every row is looked at, and begins a term. Its
    /// newest parts come with it: as many as fit into `newest` bytes. Where there is no
    /// journal yet, it begins a stream of the name that `name` makes.
    ///
    /// # Errors
    /// It is damaged, or cannot be read. Then nothing was written.
    pub fn open(
        db: &mut Db,
        retention: Retention,
        newest: usize,
        now: ClockReading,
        name: impl FnOnce() -> String,
    ) -> Result<(Journal, Vec<JournalRow>), StoreError> {
        let found = look(db, retention.age, newest)?;
        let is_new = found.is_none();
        let Found {
            state,
            mut terms,
            mut ages,
            parts,
            newest,
        } = found.unwrap_or_else(|| Found::nothing(name(), retention.age));
        terms.begin(state.head, (!is_new).then_some(now.wall));
        db.run(|connection| {
            let transaction = connection.transaction()?;
            write_state(&transaction, &state)?;
            terms.write(&transaction)?;
            transaction.commit()
        })?;
        ages.begin_run(newest, now);
        let journal = Journal {
            state,
            terms,
            ages,
            retention,
        };
        Ok((journal, parts))
    }
}

/// A journal, every row of which has been looked at.
pub(super) struct Found {
    pub(super) state: State,
    terms: Terms,
    ages: Ages,
    parts: Vec<JournalRow>,
    newest: Option<Newest>,
}

impl Found {
    fn nothing(stream: String, age: Option<Duration>) -> Found {
        Found {
            state: State {
                stream,
                head: Seq::ZERO,
                trimmed: Seq::ZERO,
                held: 0,
            },
            terms: Terms::none(),
            ages: Ages::new(age, Seq::ZERO),
            parts: Vec::new(),
            newest: None,
        }
    }
}

/// Looks at every row of the journal, of which rows older than `age` are to go; `None` where
/// there is none.
///
/// # Errors
/// It is damaged, or cannot be read.
pub(super) fn look(
    db: &mut Db,
    age: Option<Duration>,
    newest: usize,
) -> Result<Option<Found>, StoreError> {
    look_at(db.connection(), age, newest).map_err(|stopped| match stopped {
        Stopped::Sqlite(error) => db.failed(error),
        Stopped::Damaged(reason) => db.damaged(reason),
    })
}

fn look_at(
    connection: &Connection,
    age: Option<Duration>,
    newest: usize,
) -> Result<Option<Found>, Stopped> {
    let state = connection
        .query_row("SELECT name, head, trimmed, crc FROM stream", [], |row| {
            let state = State {
                stream: row.get(0)?,
                head: Seq(row.get(1)?),
                trimmed: Seq(row.get(2)?),
                held: 0,
            };
            Ok((state, row.get::<_, u32>(3)?))
        })
        .optional()?;
    let mut query =
        connection.prepare("SELECT first, last, time, crc, frames FROM journal ORDER BY first")?;
    let mut rows = query.query([])?;
    let Some((mut state, crc)) = state else {
        return match rows.next()? {
            None => Ok(None),
            Some(_) => Err(damaged("the journal has rows and no stream")),
        };
    };
    if crc != state_crc(&state.stream, state.head, state.trimmed) {
        return Err(damaged("the checksum of the stream's row is wrong"));
    }
    let mut parts = NewestParts::new(newest);
    let mut ages = Ages::new(age, state.head);
    let (mut last, mut newest) = (state.trimmed, None);
    while let Some(row) = rows.next()? {
        let (part, at) = check(row, last)?;
        state.held += cost(part.frames.len() as u64);
        last = part.last;
        ages.note(last, part.stamp);
        newest = Some(Newest {
            stamp: part.stamp,
            at,
        });
        parts.push(&part);
    }
    if last != state.head {
        let reason = format!(
            "the journal ends at seq {last}, and its head is {}",
            state.head
        );
        return Err(Stopped::Damaged(reason));
    }
    let terms = Terms::read(connection, state.head)?;
    Ok(Some(Found {
        terms: terms.map_err(|wrong| Stopped::Damaged(wrong.to_string()))?,
        state,
        ages,
        parts: parts.parts.into(),
        newest,
    }))
}

fn damaged(reason: &str) -> Stopped {
    Stopped::Damaged(reason.to_owned())
}

/// A row that has been looked at; its frames are still SQLite's.
struct Looked<'a> {
    first: Seq,
    last: Seq,
    stamp: Millis,
    frames: &'a [u8],
}

/// A sound row, and when its newest broadcast was made.
fn check<'a>(row: &'a Row<'_>, before: Seq) -> Result<(Looked<'a>, Millis), Stopped> {
    let first = Seq(row.get(0)?);
    let wrong = |what: &str| Stopped::Damaged(format!("the journal's row of seq {first}: {what}"));
    let looked = Looked {
        first,
        last: Seq(row.get(1)?),
        stamp: Millis(row.get(2)?),
        frames: row
            .get_ref(4)?
            .as_blob()
            .map_err(|_| wrong("its frames are no bytes"))?,
    };
    if first != before.next() {
        let reason = format!("the journal has a hole: seq {first} follows {before}");
        return Err(Stopped::Damaged(reason));
    }
    if row.get::<_, u32>(3)? != part_crc(first, looked.last, looked.stamp, looked.frames) {
        return Err(wrong("its checksum is wrong"));
    }
    match span(looked.frames) {
        Some(span) if (span.first, span.last) == (first, looked.last) => Ok((looked, span.at)),
        Some(span) => {
            let Span { first, last, .. } = span;
            Err(wrong(&format!("its frames are {first} to {last}")))
        }
        None => Err(wrong("its frames are not whole broadcasts")),
    }
}

/// The seqs and sizes that whole frames declare.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: Seq,
    pub(super) last: Seq,
    /// When the last was broadcast.
    pub(super) at: Millis,
}

/// Returns the span of these frames. `None` where they are not whole, or their number is
/// not that of the seqs.
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

/// The length of the frame at the front, its prefix included.
pub(super) fn frame_length(frames: &[u8]) -> Option<usize> {
    cbor::announced_length(frames).map(|length| length + cbor::PREFIX)
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

/// The newest parts, so many bytes of them.
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

    fn push(&mut self, part: &Looked<'_>) {
        self.held += part.frames.len();
        self.parts.push_back(JournalRow {
            first: part.first,
            last: part.last,
            frames: Bytes::copy_from_slice(part.frames),
        });
        while self.held > self.limit
            && let Some(oldest) = self.parts.pop_front()
        {
            self.held -= oldest.frames.len();
        }
    }
}
