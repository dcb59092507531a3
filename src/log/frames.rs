//! Whole frames that one session, or several, get together.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use super::parts::Parts;
use super::routes::Entry;
use crate::wire::Seq;

/// Whole frames with their seqs, in order.
#[derive(Debug, Clone)]
pub struct Frames(Form);

/// The end of a frame among the bytes of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameEnd {
    /// The frame's seq.
    pub seq: Seq,
    /// The offset behind its last byte.
    pub end: usize,
}

#[derive(Debug, Clone)]
enum Form {
    /// Each on its own.
    Apart(SmallVec<[(Seq, Bytes); 1]>),
    /// One behind the other, for several sessions.
    Joined(Bytes, Arc<[FrameEnd]>),
}

impl Frames {
    /// Takes the frames of entries, about `bytes` bytes in total, at least one frame if there is an
    /// entry.
    pub(super) fn of_entries(
        entries: impl Iterator<Item = Entry>,
        parts: &Parts,
        bytes: usize,
    ) -> Frames {
        let (mut frames, mut gathered) = (SmallVec::new(), 0);
        for entry in entries {
            let frame = parts.frame(entry.part, entry.offset as usize);
            gathered += frame.len();
            frames.push((entry.seq, frame));
            if gathered >= bytes {
                break;
            }
        }
        Frames(Form::Apart(frames))
    }

    /// Joins the frames, so that a further session can have them at little cost.
    pub(super) fn joined(self) -> Frames {
        let Form::Apart(frames) = self.0 else {
            return self;
        };
        if let [_] = frames[..] {
            return Frames(Form::Apart(frames));
        }
        let mut bytes = BytesMut::with_capacity(frames.iter().map(|(_, frame)| frame.len()).sum());
        let places = frames.iter().map(|(seq, frame)| {
            bytes.extend_from_slice(frame);
            FrameEnd {
                seq: *seq,
                end: bytes.len(),
            }
        });
        let places = places.collect();
        Frames(Form::Joined(bytes.freeze(), places))
    }

    /// Returns each frame with its seq.
    pub fn iter(&self) -> impl Iterator<Item = (Seq, &[u8])> {
        let (apart, bytes, places) = match &self.0 {
            Form::Apart(frames) => (&frames[..], &[][..], &[][..]),
            Form::Joined(bytes, places) => (&[][..], &bytes[..], &places[..]),
        };
        let mut start = 0;
        let joined = places.iter().map(move |&FrameEnd { seq, end }| {
            let frame = &bytes[std::mem::replace(&mut start, end)..end];
            (seq, frame)
        });
        let apart = apart.iter().map(|(seq, frame)| (*seq, &frame[..]));
        apart.chain(joined)
    }

    /// Returns the bytes of all frames, and where each one ends, if the frames are joined.
    pub fn as_joined(&self) -> Option<(&[u8], &[FrameEnd])> {
        match &self.0 {
            Form::Apart(_) => None,
            Form::Joined(bytes, places) => Some((bytes, places)),
        }
    }

    /// Returns the seq of the first frame; `None` if there is none.
    pub fn first(&self) -> Option<Seq> {
        match &self.0 {
            Form::Apart(frames) => frames.first().map(|(seq, _)| *seq),
            Form::Joined(_, places) => places.first().map(|place| place.seq),
        }
    }

    /// Returns the seq of the last frame; `None` if there is none.
    pub fn last(&self) -> Option<Seq> {
        match &self.0 {
            Form::Apart(frames) => frames.last().map(|(seq, _)| *seq),
            Form::Joined(_, places) => places.last().map(|place| place.seq),
        }
    }
}

impl From<Vec<(Seq, Bytes)>> for Frames {
    fn from(frames: Vec<(Seq, Bytes)>) -> Frames {
        Frames(Form::Apart(SmallVec::from_vec(frames)))
    }
}

impl PartialEq for Frames {
    fn eq(&self, other: &Frames) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Frames {}
