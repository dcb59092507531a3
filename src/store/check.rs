//! Looking at a whole journal before anybody builds on it.

use std::collections::VecDeque;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row};

use super::journal::{State, cost, part_crc, state_crc, write_state};
use super::{Db, Journal, Part, Retention, StoreError};
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
    /// The journal of `db`, every row of it looked at, and its newest parts: as
    /// many as fit into `newest` bytes. Where there is none yet, it begins a stream
    /// of the name that `name` makes.
    ///
    /// # Errors
    /// It is damaged, or cannot be read. Then nothing was written.
    pub fn open(
        db: &mut Db,
        retention: Retention,
        newest: usize,
        name: impl FnOnce() -> String,
    ) -> Result<(Journal, Vec<Part>), StoreError> {
        let looked = look(db.connection(), newest).map_err(|stopped| match stopped {
            Stopped::Sqlite(error) => db.failed(error),
            Stopped::Damaged(reason) => db.damaged(reason),
        })?;
        let (state, parts) = match looked {
            Some(found) => found,
            None => (db.run(|connection| begin(connection, name()))?, Vec::new()),
        };
        Ok((Journal { state, retention }, parts))
    }
}

fn begin(connection: &Connection, stream: String) -> rusqlite::Result<State> {
    let state = State {
        stream,
        head: Seq::ZERO,
        trimmed: Seq::ZERO,
        held: 0,
        oldest: None,
    };
    write_state(connection, &state)?;
    Ok(state)
}

fn look(connection: &Connection, newest: usize) -> Result<Option<(State, Vec<Part>)>, Stopped> {
    let state = connection
        .query_row("SELECT name, head, trimmed, crc FROM stream", [], |row| {
            let state = State {
                stream: row.get(0)?,
                head: Seq(row.get(1)?),
                trimmed: Seq(row.get(2)?),
                held: 0,
                oldest: None,
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
    let mut parts = Newest::new(newest);
    let mut last = state.trimmed;
    while let Some(row) = rows.next()? {
        let part = check(row, last)?;
        state.held += cost(part.frames.len() as u64);
        state.oldest = state.oldest.or(Some(part.at));
        last = part.last;
        parts.push(&part);
    }
    if last != state.head {
        let reason = format!(
            "the journal ends at seq {last}, and its head is {}",
            state.head
        );
        return Err(Stopped::Damaged(reason));
    }
    Ok(Some((state, parts.parts.into())))
}

fn damaged(reason: &str) -> Stopped {
    Stopped::Damaged(reason.to_owned())
}

/// A row that has been looked at; its frames are still SQLite's.
struct Looked<'a> {
    first: Seq,
    last: Seq,
    at: Millis,
    frames: &'a [u8],
}

fn check<'a>(row: &'a Row<'_>, before: Seq) -> Result<Looked<'a>, Stopped> {
    let first = Seq(row.get(0)?);
    let wrong = |what: &str| Stopped::Damaged(format!("the journal's row of seq {first}: {what}"));
    let looked = Looked {
        first,
        last: Seq(row.get(1)?),
        at: Millis(row.get(2)?),
        frames: row
            .get_ref(4)?
            .as_blob()
            .map_err(|_| wrong("its frames are no bytes"))?,
    };
    if first != before.next() {
        let reason = format!("the journal has a hole: seq {first} follows {before}");
        return Err(Stopped::Damaged(reason));
    }
    if row.get::<_, u32>(3)? != part_crc(first, looked.last, looked.at, looked.frames) {
        return Err(wrong("its checksum is wrong"));
    }
    match seqs(looked.frames) {
        Some(seqs) if seqs == (first, looked.last) => Ok(looked),
        Some((from, to)) => Err(wrong(&format!("its frames are {from} to {to}"))),
        None => Err(wrong("its frames are not whole broadcasts")),
    }
}

/// The seqs of the first and the last of these frames. `None` where they are not
/// whole, or their number is not that of the seqs.
pub(super) fn seqs(frames: &[u8]) -> Option<(Seq, Seq)> {
    let first = seq_of(frames)?;
    let (mut at, mut newest, mut count) = (0, 0, 0);
    while at < frames.len() {
        newest = at;
        at += frame_length(&frames[at..])?;
        count += 1;
    }
    let last = seq_of(frames.get(newest..)?)?;
    let is_whole = at == frames.len() && last.0.checked_sub(first.0)? + 1 == count;
    is_whole.then_some((first, last))
}

/// The length of the frame at the front, its prefix included.
pub(super) fn frame_length(frames: &[u8]) -> Option<usize> {
    cbor::announced_length(frames).map(|length| length + cbor::PREFIX)
}

fn seq_of(frames: &[u8]) -> Option<Seq> {
    match cbor::decode_server(frames, usize::MAX) {
        Ok(Decoded::Frame(ServerFrame::Message(message), _)) => Some(message.seq),
        Ok(Decoded::Frame(ServerFrame::Joined(user) | ServerFrame::Left(user), _)) => {
            Some(user.seq)
        }
        _ => None,
    }
}

/// The newest parts, so many bytes of them.
struct Newest {
    parts: VecDeque<Part>,
    held: usize,
    limit: usize,
}

impl Newest {
    fn new(limit: usize) -> Self {
        Newest {
            parts: VecDeque::new(),
            held: 0,
            limit,
        }
    }

    fn push(&mut self, part: &Looked<'_>) {
        self.held += part.frames.len();
        self.parts.push_back(Part {
            first: part.first,
            last: part.last,
            at: part.at,
            frames: Bytes::copy_from_slice(part.frames),
        });
        while self.held > self.limit
            && let Some(oldest) = self.parts.pop_front()
        {
            self.held -= oldest.frames.len();
        }
    }
}
