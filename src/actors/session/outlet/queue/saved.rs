//! Frames that wait to be written, written down.

use serde::{Deserialize, Serialize};

use super::{Mark, Marked, Queue};
use crate::actors::session::saved::error::RestoreError;
use crate::actors::session::saved::plain::{SavedBytes, list};
use crate::framing::Framing;
use crate::wire::{Gap, Seq};

/// The state of a [`Queue`]. Its bytes begin with the first that is not written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedQueue {
    bytes: SavedBytes,
    #[serde(deserialize_with = "list")]
    marks: Vec<SavedMark>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedMark {
    /// Counted from the first of the bytes.
    end: u64,
    is_frame: bool,
    of: SavedMarked,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum SavedMarked {
    Answer(Option<u64>),
    Broadcast(Seq),
    Gap(Gap),
}

impl Queue {
    pub(in super::super) fn save(&self) -> SavedQueue {
        let Queue {
            framing: _, // of the connection
            bytes: _,   // of these three only what is not written counts
            written,
            before,
            marks,
        } = self;
        let begin = before + *written as u64;
        let marks = marks.iter().map(|mark| {
            let Mark { end, is_frame, of } = mark;
            SavedMark {
                end: end.saturating_sub(begin),
                is_frame: *is_frame,
                of: match *of {
                    Marked::Answer(id) => SavedMarked::Answer(id),
                    Marked::Broadcast(seq) => SavedMarked::Broadcast(seq),
                    Marked::Gap(gap) => SavedMarked::Gap(gap),
                },
            }
        });
        SavedQueue {
            marks: marks.collect(),
            bytes: SavedBytes(self.unwritten().to_vec()),
        }
    }

    /// Returns the queue that was saved, for a connection of the same framing.
    pub(in super::super) fn restore(
        saved: SavedQueue,
        framing: Framing,
    ) -> Result<Queue, RestoreError> {
        let mut queue = Queue::new(framing);
        queue.bytes = saved.bytes.0;
        let (length, mut last, mut last_frame) = (queue.bytes.len() as u64, 0, 0);
        for SavedMark { end, is_frame, of } in saved.marks {
            if end < last || end > length {
                return Err(RestoreError::Impossible(
                    "a frame of the output is not there",
                ));
            }
            last = end;
            if is_frame {
                last_frame = end;
            }
            let of = match of {
                SavedMarked::Answer(id) => Marked::Answer(id),
                SavedMarked::Broadcast(seq) => Marked::Broadcast(seq),
                SavedMarked::Gap(gap) if gap.from > Seq::ZERO && gap.from <= gap.to => {
                    Marked::Gap(gap)
                }
                SavedMarked::Gap(_) => {
                    return Err(RestoreError::Impossible("a gap holds no broadcast"));
                }
            };
            queue.marks.push_back(Mark { end, is_frame, of });
        }
        // Where each frame goes out on its own, bytes without one would never go out.
        if framing == Framing::Messages && last_frame < length {
            return Err(RestoreError::Impossible(
                "a message of the output has no end",
            ));
        }
        Ok(queue)
    }
}
