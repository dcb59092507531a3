//! The log's bytes, in parts of whole frames, oldest first.

use std::collections::VecDeque;

use bytes::Bytes;

use super::kept::KeptValues;
use super::page_file::{MAX_COPIED, PageRange};
use super::routes::RouteTable;
use crate::topic::Routes;
use crate::wire::Seq;
use crate::wire::cbor;

/// The memory of a part beside its bytes, so that many small parts stay within the bound too.
const OVERHEAD: usize = size_of::<Part>();

/// The number of the first part; 0 is before every part.
pub(super) const FIRST: u64 = 1;

/// Frames that were appended together and are contiguous in memory.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) first: Seq,
    /// Bytes ever appended before this part.
    pub(super) start: u64,
    pub(super) bytes: Bytes,
    pub(super) pages: Option<PageRange>,
    /// The offset of every [`STRIDE`]th frame, except the first.
    marks: Box<[u32]>,
    /// The bytes that it counts against the bound.
    cost: usize,
}

/// Frames between two marks: finding a frame steps over at most this many.
const STRIDE: u64 = 64;

impl Part {
    /// Returns the last mark at or before `offset`: its own offset and its frame's seq.
    pub(super) fn mark_before(&self, offset: usize) -> (usize, Seq) {
        let passed = self.marks.partition_point(|mark| *mark as usize <= offset);
        self.mark(passed)
    }

    fn mark(&self, number: usize) -> (usize, Seq) {
        let at = number.checked_sub(1).map_or(0, |index| self.marks[index]);
        (at as usize, Seq(self.first.0 + number as u64 * STRIDE))
    }

    /// Returns the offset of the frame of `seq`, or the part's end for the seq after its last.
    fn offset_of(&self, seq: Seq) -> usize {
        let wanted = usize::try_from((seq.0 - self.first.0) / STRIDE).unwrap_or(usize::MAX);
        let (mut offset, mut at) = self.mark(wanted.min(self.marks.len()));
        while at < seq {
            offset += frame_length(&self.bytes[offset..]).expect("parts hold whole frames");
            at = at.next();
        }
        offset
    }
}

fn marks(bytes: &[u8], count: u64) -> Box<[u32]> {
    let mut marks = Vec::with_capacity(usize::try_from(count / STRIDE).unwrap_or(0));
    let mut offset = 0;
    for index in 1..count {
        offset += frame_length(&bytes[offset..]).expect("parts hold whole frames");
        if index.is_multiple_of(STRIDE) {
            marks.push(u32::try_from(offset).expect("a part of many frames is small"));
        }
    }
    marks.into()
}

#[derive(Debug)]
pub(super) struct Parts {
    limit: usize,
    held: usize,
    /// The number of the part at the front; they count from [`FIRST`].
    first_number: u64,
    parts: VecDeque<Part>,
    next: Seq,
    end: u64,
    /// The number of the oldest part that may have pages in a file.
    first_copied: u64,
    /// Bytes of the parts with pages in a file.
    pages: usize,
    /// The held broadcasts that not every session gets.
    routes: RouteTable,
    kept: KeptValues,
}

impl Parts {
    /// Creates an empty list; the first frame will have the seq `first`.
    pub(super) fn new(limit: usize, first: Seq) -> Self {
        Parts {
            limit,
            held: 0,
            first_number: FIRST,
            parts: VecDeque::new(),
            next: first,
            end: 0,
            first_copied: 0,
            pages: 0,
            routes: RouteTable::behind(Seq(first.0 - 1)),
            kept: KeptValues::default(),
        }
    }

    /// Returns the bytes of the frames above `seq`; `None` if some of them are not held.
    pub(super) fn bytes_above(&self, seq: Seq) -> Option<u64> {
        let next = seq.next();
        if next >= self.next {
            return Some(0);
        }
        let passed = self.parts.partition_point(|part| part.first <= next);
        let part = &self.parts[passed.checked_sub(1)?];
        Some(self.end - (part.start + part.offset_of(next) as u64))
    }

    /// Appends `count` frames, some of which have `routes`, and drops the oldest parts over the
    /// bound. The newest part stays, however long it is.
    pub(super) fn push(
        &mut self,
        bytes: Bytes,
        count: u64,
        pages: Option<PageRange>,
        routes: &Routes,
    ) {
        let number = self.next_number();
        for routed in routes.iter() {
            let seq = Seq(self.next.0 + routed.index);
            self.routes.push(seq, number, routed.offset, routed.route);
            if routed.is_kept {
                self.kept.apply(frame_at(&bytes, routed.offset as usize));
            }
        }
        if pages.is_some() {
            self.pages += bytes.len();
        }
        let marks = marks(&bytes, count);
        let cost = bytes.len() + OVERHEAD + size_of_val(&*marks);
        self.held += cost;
        let start = self.end;
        self.end += bytes.len() as u64;
        self.parts.push_back(Part {
            first: self.next,
            start,
            bytes,
            pages,
            marks,
            cost,
        });
        self.next = Seq(self.next.0 + count);
        while self.held + self.routes.cost() > self.limit && self.parts.len() > 1 {
            self.drop_oldest();
        }
        while self.pages > MAX_COPIED {
            self.forget_oldest_pages();
        }
    }

    /// Drops the pages of the oldest part that has some.
    fn forget_oldest_pages(&mut self) {
        let number = self.first_copied.max(self.first_number);
        self.first_copied = number + 1;
        let index = usize::try_from(number - self.first_number).ok();
        let Some(part) = index.and_then(|index| self.parts.get_mut(index)) else {
            self.pages = 0; // what is not held is not pages
            return;
        };
        if part.pages.take().is_some() {
            self.pages -= part.bytes.len();
        }
    }

    /// Adds unused memory to the newest part's cost.
    pub(super) fn charge_newest(&mut self, unused: usize) {
        if let Some(newest) = self.parts.back_mut() {
            newest.cost += unused;
            self.held += unused;
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(part) = self.parts.pop_front() {
            self.held -= part.cost;
            if part.pages.is_some() {
                self.pages -= part.bytes.len();
            }
            self.routes.drop_through(self.first_number);
            self.first_number += 1;
        }
    }

    /// Returns the held broadcasts that not every session gets.
    pub(super) fn routes(&self) -> &RouteTable {
        &self.routes
    }

    /// Returns the number of the next part.
    pub(super) fn next_number(&self) -> u64 {
        self.first_number + self.parts.len() as u64
    }

    /// Returns the count of bytes ever appended.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Returns the newest seq.
    pub(super) fn head(&self) -> Seq {
        Seq(self.next.0 - 1)
    }

    /// Returns the oldest seq that is still held, or the next one if none is.
    pub(super) fn tail(&self) -> Seq {
        self.parts.front().map_or(self.next, |part| part.first)
    }

    /// Returns the part number and the position of the oldest frame that is held.
    pub(super) fn tail_position(&self) -> (u64, u64) {
        let position = self.parts.front().map_or(self.end, |part| part.start);
        (self.first_number, position)
    }

    /// Returns the part of that number, if it is held.
    pub(super) fn get(&self, number: u64) -> Option<&Part> {
        let index = usize::try_from(number.checked_sub(self.first_number)?).ok()?;
        self.parts.get(index)
    }

    /// Returns the frame at an offset of the part of that number.
    ///
    /// # Panics
    /// If the part is not held, or no frame begins there.
    pub(super) fn frame(&self, number: u64, offset: usize) -> Bytes {
        let part = self.get(number).expect("the part is held");
        part.bytes.slice_ref(frame_at(&part.bytes, offset))
    }

    /// Adds kept values that are older than what is held.
    pub(super) fn keep(&mut self, frames: &[Bytes]) {
        frames.iter().for_each(|frame| self.kept.apply(frame));
    }

    /// Returns the kept values.
    pub(super) fn kept(&self) -> &KeptValues {
        &self.kept
    }

    /// Returns the last seq in the part of that number.
    pub(super) fn last_of(&self, number: u64) -> Seq {
        let after = self.get(number + 1).map_or(self.next, |part| part.first);
        Seq(after.0 - 1)
    }

    /// Returns the position behind `seq`: a part's number, an offset in it, and the count of
    /// bytes before. If the frame behind `seq` has been dropped, the position is before the
    /// tail.
    pub(super) fn position_after(&self, seq: Seq) -> (u64, usize, u64) {
        if seq == self.head() {
            return (self.next_number(), 0, self.end);
        }
        let next = seq.next();
        let Some(index) = self
            .parts
            .partition_point(|part| part.first <= next)
            .checked_sub(1)
        else {
            return (0, 0, 0);
        };
        let part = &self.parts[index];
        let offset = part.offset_of(next);
        let number = self.first_number + index as u64;
        (number, offset, part.start + offset as u64)
    }
}

fn frame_at(bytes: &[u8], offset: usize) -> &[u8] {
    let length = frame_length(&bytes[offset..]).expect("parts hold whole frames");
    &bytes[offset..offset + length]
}

/// Returns the length of the frame at the start of `bytes`, its prefix included.
pub fn frame_length(bytes: &[u8]) -> Option<usize> {
    cbor::announced_length(bytes).map(|length| length + cbor::PREFIX)
}
