//! A reader's position, and reading from it.

use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use super::Log;
use super::page_file::{PageRange, WeakPageRange};
use super::parts::{Parts, frame_length};
use super::routes::Entry;
use crate::wire::{Gap, Seq};

/// Whole frames of the log, which share its memory.
#[derive(Debug, Clone)]
pub struct Slice {
    /// The frames.
    pub bytes: Bytes,
    /// The same bytes in a file, if they were copied into one.
    pub pages: Option<PageRange>,
    last: Seq,
    /// Whether the slice reaches the end of its part.
    ends_part: bool,
}

impl Slice {
    /// Creates a slice of frames that are in no file; the last frame has this seq.
    pub fn new(bytes: Bytes, last: Seq) -> Slice {
        Slice {
            bytes,
            pages: None,
            last,
            ends_part: true,
        }
    }
}

/// The rest of a frame that was written in part. It must be written before anything else, even
/// if the log drops the frame meanwhile.
#[derive(Debug, Clone, Default)]
pub struct PartialFrame {
    /// The bytes that are left.
    pub bytes: Bytes,
    /// The same bytes in a file, while it exists.
    pub pages: WeakPageRange,
}

/// Up to this length a rest is copied out of the chunk that many frames share: otherwise a
/// client that does not read would keep the whole chunk in memory.
const COPIED: usize = 16 * 1024;

impl PartialFrame {
    /// Returns `range` of `bytes`, which may be in a file.
    pub fn of(bytes: &Bytes, range: Range<usize>, pages: Option<&PageRange>) -> PartialFrame {
        if range.is_empty() {
            return PartialFrame::default();
        }
        let place = pages.map(|place| place.skip(range.start).downgrade());
        let rest = bytes.slice(range);
        PartialFrame {
            bytes: if rest.len() <= COPIED {
                Bytes::copy_from_slice(&rest)
            } else {
                rest
            },
            pages: place.unwrap_or_default(),
        }
    }

    /// Removes the first `length` bytes.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn consume(&mut self, length: usize) {
        self.bytes = self.bytes.slice(length..);
        self.pages.skip(length);
    }
}

/// Consecutive slices.
pub type Slices = SmallVec<[Slice; 2]>;

/// A reader's position, always between two frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    seq: Seq,
    part: u64,
    offset: usize,
    position: u64,
}

impl Cursor {
    /// Returns the last seq that was read.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Returns the count of the stream's bytes before this position.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Moves behind the frames that `written` bytes of `slices` touch. Returns the rest of a
    /// frame that was written in part.
    ///
    /// `slices` must be the result of [`Log::read`] of this `log` for this cursor.
    pub fn advance(&mut self, log: &Log, slices: &Slices, written: usize) -> PartialFrame {
        let mut left = written;
        for slice in slices {
            let length = slice.bytes.len();
            if left < length {
                return self.advance_within(log, slice, left);
            }
            left -= length;
            self.seq = slice.last;
            self.position += length as u64;
            if slice.ends_part {
                (self.part, self.offset) = (self.part + 1, 0);
            } else {
                self.offset += length;
            }
        }
        PartialFrame::default()
    }

    /// Moves over the frames at the start of `slice` that `written` bytes touch.
    fn advance_within(&mut self, log: &Log, slice: &Slice, written: usize) -> PartialFrame {
        let Slice { bytes, pages, .. } = slice;
        let mut end = 0;
        // A part that has been dropped meanwhile is walked from the start.
        if let Some(part) = log.read_parts().get(self.part)
            && let (mark, seq) = part.mark_before(self.offset + written)
            && mark > self.offset
        {
            end = mark - self.offset;
            self.seq = Seq(seq.0 - 1);
        }
        while end < written
            && let Some(length) = frame_length(&bytes[end..])
        {
            end += length;
            self.seq = self.seq.next();
        }
        self.position += end as u64;
        if end == bytes.len() && slice.ends_part {
            (self.part, self.offset) = (self.part + 1, 0);
        } else {
            self.offset += end;
        }
        PartialFrame::of(bytes, written..end, pages.as_ref())
    }
}

/// The result of reading at a cursor.
#[derive(Debug)]
pub enum LogRead {
    /// The reader has read everything.
    AtHead,
    /// Whole frames, in order.
    Frames(Slices),
    /// The tail has passed the cursor: these seqs are no longer held. The cursor is now behind
    /// them.
    Gap(Gap),
}

impl Log {
    /// Returns a cursor behind `after`, which reads `after + 1` next.
    ///
    /// If that is no longer held, the first read returns the gap. An `after` beyond the head
    /// counts as the head.
    pub fn cursor_after(&self, after: Seq) -> Cursor {
        let parts = self.read_parts();
        let seq = after.min(parts.head());
        let (part, offset, position) = parts.position_after(seq);
        Cursor {
            seq,
            part,
            offset,
            position,
        }
    }

    /// Whether `cursor` has read everything that is visible.
    pub fn is_at_head(&self, cursor: &Cursor) -> bool {
        self.is_next_part(cursor.part)
    }

    /// Reads at `cursor`: at most `count` slices of about `bytes` in total. A gap moves the cursor,
    /// and so do messages to users other than `user`, which are passed over; behind what is
    /// returned, [`Cursor::advance`] moves it after a write.
    pub fn read(
        &self,
        cursor: &mut Cursor,
        user: Option<&str>,
        count: usize,
        bytes: usize,
    ) -> LogRead {
        if self.is_at_head(cursor) {
            return LogRead::AtHead;
        }
        let parts = self.read_parts();
        if cursor.part < parts.tail_position().0 {
            return LogRead::Gap(skip_to_tail(&parts, cursor));
        }
        let hidden = pass_over_hidden(&parts, cursor, user);
        let mut slices = Slices::new();
        let (mut number, mut offset, mut gathered) = (cursor.part, cursor.offset, 0);
        while let Some(part) = parts.get(number)
            && slices.len() < count
            && gathered < bytes
        {
            let hidden = hidden.filter(|hidden| hidden.part == number);
            let end = hidden.map_or(part.bytes.len(), |hidden| hidden.offset as usize);
            if offset < end {
                slices.push(Slice {
                    bytes: part.bytes.slice(offset..end),
                    pages: part.pages.as_ref().map(|place| place.skip(offset)),
                    last: hidden.map_or(parts.last_of(number), |hidden| Seq(hidden.seq.0 - 1)),
                    ends_part: hidden.is_none(),
                });
            }
            gathered += end - offset;
            if hidden.is_some() {
                break;
            }
            (number, offset) = (number + 1, 0);
        }
        if slices.is_empty() {
            return LogRead::AtHead;
        }
        LogRead::Frames(slices)
    }
}

/// Moves the cursor over messages to other users. Returns the next such message behind it.
fn pass_over_hidden(parts: &Parts, cursor: &mut Cursor, user: Option<&str>) -> Option<Entry> {
    loop {
        let hidden = parts.routes().first_hidden(cursor.seq, user)?;
        if (hidden.part, hidden.offset as usize) != (cursor.part, cursor.offset) {
            return Some(hidden);
        }
        let part = parts.get(cursor.part)?;
        let length = frame_length(&part.bytes[cursor.offset..]).expect("parts hold whole frames");
        cursor.seq = hidden.seq;
        cursor.position += length as u64;
        cursor.offset += length;
        if cursor.offset == part.bytes.len() {
            (cursor.part, cursor.offset) = (cursor.part + 1, 0);
        }
    }
}

fn skip_to_tail(parts: &Parts, cursor: &mut Cursor) -> Gap {
    let gap = Gap {
        from: cursor.seq.next(),
        to: Seq(parts.tail().0 - 1),
    };
    let (part, position) = parts.tail_position();
    *cursor = Cursor {
        seq: gap.to,
        part,
        offset: 0,
        position,
    };
    gap
}
