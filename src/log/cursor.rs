//! A reader's place, and reading from it.

use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use super::Log;
use super::page_file::{PageRange, WeakPageRange};
use super::parts::{Parts, frame_length};
use crate::wire::{Gap, Seq};

/// Some whole frames of the log; they share its memory.
#[derive(Debug, Clone)]
pub struct Slice {
    /// The frames, one after the other.
    pub bytes: Bytes,
    /// The same bytes in a file, where there is one.
    pub pages: Option<PageRange>,
    last: Seq,
}

impl Slice {
    /// Frames that are not in a file; the last has this seq.
    pub fn new(bytes: Bytes, last: Seq) -> Slice {
        Slice {
            bytes,
            pages: None,
            last,
        }
    }
}

/// The rest of a frame that was written in part: it must be written before
/// anything else, whatever becomes of the log meanwhile.
#[derive(Debug, Clone, Default)]
pub struct PartialFrame {
    /// What is left of the frame.
    pub bytes: Bytes,
    /// The same bytes in a file, as long as there is one.
    pub pages: WeakPageRange,
}

/// A rest of this length is copied out of the memory that many frames share: a
/// client that does not read would keep all of that.
const COPIED: usize = 16 * 1024;

impl PartialFrame {
    /// `range` of `bytes`, which may stand in a file.
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

    /// Takes the first `length` bytes off.
    ///
    /// # Panics
    /// There are not so many.
    pub fn consume(&mut self, length: usize) {
        self.bytes = self.bytes.slice(length..);
        self.pages.skip(length);
    }
}

/// Slices that stand one after the other.
pub type Slices = SmallVec<[Slice; 2]>;

/// How far a reader has read: always between two frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    seq: Seq,
    part: u64,
    offset: usize,
    position: u64,
}

impl Cursor {
    /// The last seq that was read.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Bytes of the stream before this place.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Moves behind the frames that `written` bytes of `slices` touched.
    ///
    /// `slices` must be what [`Log::read`] of this `log` gave for this cursor. What
    /// is left of a frame that was written in part comes back.
    pub fn advance(&mut self, log: &Log, slices: &Slices, written: usize) -> PartialFrame {
        let mut left = written;
        for slice in slices {
            let length = slice.bytes.len();
            if left < length {
                return self.advance_within(log, slice, left);
            }
            left -= length;
            *self = Cursor {
                seq: slice.last,
                part: self.part + 1,
                offset: 0,
                position: self.position + length as u64,
            };
        }
        PartialFrame::default()
    }

    /// Walks the frames at the front of `slice` that `written` bytes touch.
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
        if end == bytes.len() {
            (self.part, self.offset) = (self.part + 1, 0);
        } else {
            self.offset += end;
        }
        PartialFrame::of(bytes, written..end, pages.as_ref())
    }
}

/// What a reader finds at its place.
#[derive(Debug)]
pub enum LogRead {
    /// Nothing yet.
    AtHead,
    /// Whole frames, in order.
    Frames(Slices),
    /// The tail has passed the cursor: these are no longer held. The cursor
    /// stands behind them now.
    Gap(Gap),
}

impl Log {
    /// A cursor behind `after`: what comes next is `after + 1`.
    ///
    /// Where that is no longer held, the first read tells the gap. `after` past
    /// the head stands at the head.
    pub fn cursor_after(&self, after: Seq) -> Cursor {
        let parts = self.read_parts();
        let seq = after.min(parts.head());
        let (part, offset, position) = parts.place_after(seq);
        Cursor {
            seq,
            part,
            offset,
            position,
        }
    }

    /// Whether `cursor` has read everything that is shown.
    pub fn is_at_head(&self, cursor: &Cursor) -> bool {
        self.is_next_part(cursor.part)
    }

    /// What stands at `cursor`, in at most `count` slices of about `bytes` in
    /// all. Only a gap moves the cursor; [`Cursor::advance`] does after a write.
    pub fn read(&self, cursor: &mut Cursor, count: usize, bytes: usize) -> LogRead {
        if self.is_at_head(cursor) {
            return LogRead::AtHead;
        }
        let parts = self.read_parts();
        if cursor.part < parts.tail_place().0 {
            return LogRead::Gap(skip_to_tail(&parts, cursor));
        }
        let mut slices = Slices::new();
        let (mut number, mut offset, mut gathered) = (cursor.part, cursor.offset, 0);
        while let Some(part) = parts.get(number)
            && slices.len() < count
            && gathered < bytes
        {
            slices.push(Slice {
                bytes: part.bytes.slice(offset..),
                pages: part.pages.as_ref().map(|place| place.skip(offset)),
                last: parts.last_of(number),
            });
            gathered += part.bytes.len() - offset;
            (number, offset) = (number + 1, 0);
        }
        LogRead::Frames(slices)
    }
}

fn skip_to_tail(parts: &Parts, cursor: &mut Cursor) -> Gap {
    let gap = Gap {
        from: cursor.seq.next(),
        to: Seq(parts.tail().0 - 1),
    };
    let (part, position) = parts.tail_place();
    *cursor = Cursor {
        seq: gap.to,
        part,
        offset: 0,
        position,
    };
    gap
}
