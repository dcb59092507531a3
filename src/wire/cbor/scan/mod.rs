//! Scans a server's frames without decoding each.
//!
//! The problem: a client that counts or forwards ten million broadcasts a second cannot afford
//! serde for each. So a [`FrameScanner`] steps from prefix to prefix and compares the first
//! bytes: for a `message`, a `published` or a `reply` as this server encodes them, it reads the
//! leading number only. It decodes every other frame.
//!
//! It has no buffer for whole reads. Of a frame that is split between two reads it keeps the
//! number of missing bytes, and the frame itself only if its head was split or the caller wants
//! whole frames.

mod answer;
mod scanned;

use answer::answer;
pub use scanned::{ScanError, ScannedFrame};

use super::by_hand::{LONGEST_PUBLISHED, take_message};
use super::head::take_uint;
use super::{Decoded, PREFIX, announced_length, decode_server};
use crate::wire::{Gap, Seq, ServerFrame};

/// Scans the frames of one session, read by read.
#[derive(Debug)]
pub struct FrameScanner {
    last: Seq,
    limit: usize,
    keep_whole: bool,
    may_skip: bool,
    cut: Cut,
}

/// The state of the frame at the end of the last read.
#[derive(Debug)]
enum Cut {
    /// The read ended at the end of a frame.
    Clean,
    /// The frame was shown; this number of its bytes is still to come.
    Skip(usize),
    /// The frame was not shown yet; these are its bytes so far.
    Kept(Vec<u8>),
}

impl FrameScanner {
    /// Creates a scanner for a session whose next broadcast is the one after `after`, with
    /// frames of at most `max_frame` bytes.
    pub fn new(after: Seq, max_frame: usize) -> Self {
        FrameScanner {
            last: after,
            limit: max_frame,
            keep_whole: false,
            may_skip: false,
            cut: Cut::Clean,
        }
    }

    /// Makes the scanner show each message with all of its bytes. It copies messages that are
    /// split between two reads.
    #[must_use]
    pub fn whole_frames(mut self) -> Self {
        self.keep_whole = true;
        self
    }

    /// Makes the scanner accept seqs that skip what was not for the session, because of a filter,
    /// of rules or of messages to one user.
    #[must_use]
    pub fn with_skipped_seqs(mut self) -> Self {
        self.may_skip = true;
        self
    }

    /// Returns the last seq that the frames so far account for.
    pub fn last(&self) -> Seq {
        self.last
    }

    /// Scans the bytes of one read, and calls `show` once for each frame.
    ///
    /// # Errors
    /// The bytes are not frames, or the seqs have a gap. The scanner must not be used after an
    /// error.
    pub fn scan(
        &mut self,
        bytes: &[u8],
        mut show: impl FnMut(ScannedFrame<'_>),
    ) -> Result<(), ScanError> {
        let mut at = self.finish_cut(bytes, &mut show)?;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match self.front(rest, &mut show)? {
                Some(length) if length <= rest.len() => at += length,
                Some(length) => {
                    self.cut = Cut::Skip(length - rest.len());
                    break;
                }
                None => {
                    self.cut = Cut::Kept(rest.to_vec());
                    break;
                }
            }
        }
        Ok(())
    }

    /// Completes the frame that was split. Returns the number of bytes of this read that belong
    /// to it.
    fn finish_cut(
        &mut self,
        bytes: &[u8],
        show: &mut impl FnMut(ScannedFrame<'_>),
    ) -> Result<usize, ScanError> {
        match std::mem::replace(&mut self.cut, Cut::Clean) {
            Cut::Clean => Ok(0),
            Cut::Skip(left) if left > bytes.len() => {
                self.cut = Cut::Skip(left - bytes.len());
                Ok(bytes.len())
            }
            Cut::Skip(left) => Ok(left),
            Cut::Kept(kept) => self.finish_kept(kept, bytes, show),
        }
    }

    fn finish_kept(
        &mut self,
        mut kept: Vec<u8>,
        bytes: &[u8],
        show: &mut impl FnMut(ScannedFrame<'_>),
    ) -> Result<usize, ScanError> {
        let mut taken = 0;
        // The first round completes the prefix, the second the frame of that length.
        for _ in 0..2 {
            let wanted = announced_length(&kept).map_or(PREFIX, |length| PREFIX + length);
            let more = wanted.saturating_sub(kept.len()).min(bytes.len() - taken);
            kept.extend_from_slice(&bytes[taken..taken + more]);
            taken += more;
        }
        self.cut = match self.front(&kept, show)? {
            Some(length) if length > kept.len() => Cut::Skip(length - kept.len()),
            Some(_) => Cut::Clean,
            None => Cut::Kept(kept),
        };
        Ok(taken)
    }

    /// Shows the first frame. Returns its length, which may be more than `bytes` has, or `None`
    /// if `bytes` are too few to show it.
    #[inline]
    fn front(
        &mut self,
        bytes: &[u8],
        show: &mut impl FnMut(ScannedFrame<'_>),
    ) -> Result<Option<usize>, ScanError> {
        if let Some(head) = bytes.first_chunk::<LONGEST_PUBLISHED>()
            && let Some(length) = announced_length(head).map(|length| PREFIX + length)
            && (LONGEST_PUBLISHED..=self.limit.saturating_add(PREFIX)).contains(&length)
            && let Some((_, rest)) = take_message(&head[PREFIX..])
            && let Some((seq, _)) = take_uint(rest)
        {
            if self.keep_whole && length > bytes.len() {
                return Ok(None);
            }
            let seq = self.next(Seq(seq))?;
            let frame = &bytes[..length.min(bytes.len())];
            show(ScannedFrame::Message { seq, frame });
            return Ok(Some(length));
        }
        self.other(bytes, show)
    }

    /// Handles a frame that is not a message in this server's form, or is incomplete. Returns the
    /// same as [`FrameScanner::front`].
    fn other(
        &mut self,
        bytes: &[u8],
        show: &mut impl FnMut(ScannedFrame<'_>),
    ) -> Result<Option<usize>, ScanError> {
        let whole = announced_length(bytes)
            .filter(|length| *length <= self.limit)
            .and_then(|length| bytes.get(..PREFIX + length));
        if let Some(frame) = whole
            && let Some(answer) = answer(&frame[PREFIX..])
        {
            show(answer);
            return Ok(Some(frame.len()));
        }
        let (frame, length) = match decode_server(bytes, self.limit)? {
            Decoded::Partial => return Ok(None),
            Decoded::Ignored(length) => return Ok(Some(length)),
            Decoded::Frame(frame, length) => (frame, length),
        };
        let scanned = match frame {
            ServerFrame::Message(message) => ScannedFrame::Message {
                seq: self.next(message.seq)?,
                frame: &bytes[..length],
            },
            ServerFrame::Joined(presence) | ServerFrame::Left(presence) => {
                ScannedFrame::Presence(self.next(presence.seq)?)
            }
            ServerFrame::Gap(gap) => ScannedFrame::Gap(self.pass(gap)?),
            ServerFrame::Passed(passed) => {
                self.last = self.last.max(passed.to);
                ScannedFrame::Passed(passed.to)
            }
            ServerFrame::Published(published) => ScannedFrame::Published {
                id: published.id,
                seq: published.seq,
            },
            ServerFrame::Reply(reply) => ScannedFrame::Reply { id: reply.id },
            other => ScannedFrame::Other(other),
        };
        show(scanned);
        Ok(Some(length))
    }

    #[inline]
    fn next(&mut self, found: Seq) -> Result<Seq, ScanError> {
        let expected = self.last.next();
        if found != expected && !(self.may_skip && found > expected) {
            return Err(ScanError::OutOfOrder { expected, found });
        }
        self.last = found;
        Ok(found)
    }

    fn pass(&mut self, gap: Gap) -> Result<Gap, ScanError> {
        // After a resume in a term that ended early, the gap begins before `after`.
        let is_next = (gap.from <= self.last.next() || self.may_skip) && gap.to >= self.last;
        if !is_next {
            let (expected, found) = (self.last.next(), gap.from);
            return Err(ScanError::OutOfOrder { expected, found });
        }
        self.last = gap.to;
        Ok(gap)
    }
}

#[cfg(test)]
mod tests;
