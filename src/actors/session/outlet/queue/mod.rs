//! The frames that wait to be written to a client, in their order.
//!
//! In message mode each frame's end is known, as each goes out on its own. Besides,
//! a session that renders the log in another form must know how far it got: a mark
//! gives the broadcast at a position in the queue.

#[cfg(any(test, fuzzing))]
pub(super) mod saved;

use crate::actors::session::lazy_queue::LazyQueue;
use crate::actors::spare;
use crate::framing::Framing;
use crate::log::FrameEnd;
use crate::wire::{Gap, Seq};

/// While more than this waits to be written, the client is not read from.
const ANSWERS: usize = 64 * 1024;

/// A buffer of a client that does not read may have so much room.
const ROOM: usize = 1024;

/// Frames that wait to be written.
#[derive(Debug)]
pub(super) struct Queue {
    framing: Framing,
    bytes: Vec<u8>,
    /// How much of the bytes has been written.
    written: usize,
    marks: LazyQueue<Mark>,
    /// Bytes that were written before the first one here.
    before: u64,
}

/// A place in the queue, and what stands in front of it.
#[derive(Debug)]
struct Mark {
    /// Counted from the queue's beginning.
    end: u64,
    /// Whether it is a frame, or something that this client is not sent.
    is_frame: bool,
    of: Marked,
}

/// The frame that a mark stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Marked {
    /// With the id that an error could answer in its place.
    Answer(Option<u64>),
    Broadcast(Seq),
    Gap(Gap),
}

/// The queue's end at some moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    bytes: usize,
    marks: usize,
}

impl Queue {
    pub(super) fn new(framing: Framing) -> Queue {
        Queue {
            framing,
            bytes: Vec::new(),
            written: 0,
            marks: LazyQueue::default(),
            before: 0,
        }
    }

    pub(super) fn framing(&self) -> Framing {
        self.framing
    }

    /// The buffer, with memory of some length where it had none.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        if self.bytes.capacity() == 0 {
            self.bytes = spare::take();
        }
        &mut self.bytes
    }

    /// Says what was appended last.
    pub(super) fn mark(&mut self, is_frame: bool, of: Marked) {
        let end = self.before + self.bytes.len() as u64;
        self.marks.push_back(Mark { end, is_frame, of });
        self.let_go();
    }

    /// Appends broadcasts of a stream that are joined.
    pub(super) fn push_broadcasts(&mut self, bytes: &[u8], ends: &[FrameEnd]) {
        let begin = self.before + self.bytes.len() as u64;
        self.bytes().extend_from_slice(bytes);
        let marks = ends.iter().map(|&FrameEnd { seq, end }| Mark {
            end: begin + end as u64,
            is_frame: true,
            of: Marked::Broadcast(seq),
        });
        self.marks.extend(marks);
    }

    /// An answer was appended. Nobody asks where one ends in a stream.
    pub(super) fn mark_answer(&mut self, is_frame: bool, id: Option<u64>) {
        if self.framing == Framing::Messages && is_frame {
            self.mark(true, Marked::Answer(id));
        } else {
            self.let_go();
        }
    }

    /// Gives the buffer back if nothing was appended.
    fn let_go(&mut self) {
        if self.bytes.is_empty() {
            spare::give(std::mem::take(&mut self.bytes));
        }
    }

    /// A client that does not read keeps what it has not read, and no more: a buffer with much
    /// room is of more use to others.
    pub(super) fn shrink(&mut self) {
        let room = self.bytes.capacity() - self.bytes.len();
        if room <= ROOM || room <= self.bytes.len() {
            return;
        }
        let waiting = self.unwritten().to_vec();
        self.before += self.written as u64;
        self.written = 0;
        spare::give(std::mem::replace(&mut self.bytes, waiting));
    }

    pub(super) fn end(&self) -> End {
        End {
            bytes: self.bytes.len(),
            marks: self.marks.len(),
        }
    }

    /// How many bytes were appended since.
    pub(super) fn since(&self, end: End) -> usize {
        self.bytes.len() - end.bytes
    }

    /// Takes back what was appended since.
    pub(super) fn take_back(&mut self, end: End) {
        self.bytes.truncate(end.bytes);
        self.marks.truncate(end.marks);
    }

    /// Whether more may be appended.
    pub(super) fn has_room(&self) -> bool {
        let marks = self.marks.len() * size_of::<Mark>(); // an empty message costs too
        self.unwritten().len() + marks < ANSWERS
    }

    pub(super) fn is_clear(&self) -> bool {
        self.unwritten().is_empty() && self.marks.is_empty()
    }

    pub(super) fn unwritten(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// The first message that has not been sent.
    pub(super) fn message(&self) -> Option<&[u8]> {
        let mark = self.marks.iter().find(|mark| mark.is_frame)?;
        let end = usize::try_from(mark.end - self.before).ok()?;
        self.bytes.get(self.written..end)
    }

    /// That message has been sent.
    pub(super) fn message_sent(&mut self) {
        let Some(mark) = self.marks.iter_mut().find(|mark| mark.is_frame) else {
            return;
        };
        mark.is_frame = false;
        let end = mark.end - self.before;
        self.written = usize::try_from(end).unwrap_or(usize::MAX);
        self.tidy();
    }

    /// Returns the mark of the first message that has not been sent.
    pub(super) fn message_mark(&self) -> Option<Marked> {
        let mark = self.marks.iter().find(|mark| mark.is_frame)?;
        Some(mark.of)
    }

    /// Puts another message in place of the first one that has not been sent, or none.
    pub(super) fn replace_message(&mut self, of: Marked, message: Option<&Vec<u8>>) {
        let mut marks = self.marks.iter_mut().skip_while(|mark| !mark.is_frame);
        let Some(replaced) = marks.next() else {
            return;
        };
        let bytes = message.map_or(&[][..], Vec::as_slice);
        let old = replaced.end - (self.before + self.written as u64);
        let end = usize::try_from(old).map_or(self.bytes.len(), |old| self.written + old);
        self.bytes.splice(self.written..end, bytes.iter().copied());
        let move_end = |mark: &mut Mark| mark.end = mark.end - old + bytes.len() as u64;
        move_end(replaced);
        (replaced.of, replaced.is_frame) = (of, message.is_some());
        marks.for_each(move_end);
    }

    /// So many bytes of a stream have been written.
    pub(super) fn wrote(&mut self, length: usize) {
        self.written += length;
        self.tidy();
    }

    /// Returns the marks of what has been written, one at a time.
    pub(super) fn next_done(&mut self) -> Option<Marked> {
        let mark = self.marks.front()?;
        let is_written = match self.framing {
            Framing::Stream => mark.end <= self.before + self.written as u64,
            Framing::Messages => !mark.is_frame,
        };
        if !is_written {
            return None;
        }
        self.marks.pop_front().map(|done| done.of)
    }

    /// The first gap that has not been written.
    pub(super) fn first_gap(&self) -> Option<Gap> {
        self.marks.iter().find_map(|mark| match mark.of {
            Marked::Gap(gap) => Some(gap),
            Marked::Answer(_) | Marked::Broadcast(_) => None,
        })
    }

    /// Whether a broadcast has not been written.
    pub(super) fn holds_broadcasts(&self) -> bool {
        let mut marks = self.marks.iter();
        marks.any(|mark| matches!(mark.of, Marked::Broadcast(_)))
    }

    /// A client that reads slowly and asks on must not make the buffer grow for ever.
    fn tidy(&mut self) {
        if self.written == self.bytes.len() {
            spare::give(std::mem::take(&mut self.bytes));
        } else if self.written > ANSWERS {
            self.bytes.drain(..self.written);
        } else {
            return;
        }
        self.before += self.written as u64;
        self.written = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(queue: &mut Queue, bytes: &[u8], of: Marked) {
        queue.bytes().extend_from_slice(bytes);
        queue.mark(true, of);
    }

    fn done(queue: &mut Queue) -> Vec<String> {
        std::iter::from_fn(|| queue.next_done())
            .map(|done| format!("{done:?}"))
            .collect()
    }

    #[test]
    fn messages_are_sent_one_by_one_even_empty_ones() {
        let mut queue = Queue::new(Framing::Messages);
        append(&mut queue, b"", Marked::Answer(None));
        append(&mut queue, b"bom dia", Marked::Broadcast(Seq(1)));
        queue.mark(false, Marked::Broadcast(Seq(2)));
        assert_eq!(queue.message(), Some(&b""[..]));
        assert_eq!(done(&mut queue), [""; 0]);
        queue.message_sent();
        assert_eq!(done(&mut queue), ["Answer(None)"]);
        assert_eq!(queue.message(), Some(&b"bom dia"[..]));
        assert!(!queue.is_clear());
        queue.message_sent();
        assert_eq!(queue.message(), None);
        assert_eq!(done(&mut queue), ["Broadcast(Seq(1))", "Broadcast(Seq(2))"]);
        assert!(queue.is_clear());
    }

    #[test]
    fn replaced_message_leaves_later_messages_unchanged() {
        let mut queue = Queue::new(Framing::Messages);
        append(&mut queue, b"um", Marked::Answer(None));
        queue.message_sent();
        append(&mut queue, b"a long one", Marked::Broadcast(Seq(1)));
        append(&mut queue, b"dois", Marked::Broadcast(Seq(2)));
        append(&mut queue, b"three", Marked::Broadcast(Seq(3)));
        let gap = Gap {
            from: Seq(1),
            to: Seq(1),
        };
        queue.replace_message(Marked::Gap(gap), Some(&b"gap".to_vec()));
        assert_eq!(queue.message(), Some(&b"gap"[..]));
        queue.message_sent();
        assert_eq!(queue.message(), Some(&b"dois"[..]));
        queue.replace_message(Marked::Broadcast(Seq(2)), None);
        assert_eq!(queue.message(), Some(&b"three"[..]));
        queue.message_sent();
        assert!(queue.unwritten().is_empty());
        assert_eq!(done(&mut queue).len(), 4);
        assert!(queue.is_clear());
    }

    #[test]
    fn broadcast_in_a_stream_is_sent_with_its_last_byte() {
        let mut queue = Queue::new(Framing::Stream);
        append(&mut queue, b"um\n", Marked::Broadcast(Seq(1)));
        append(&mut queue, b"dois\n", Marked::Broadcast(Seq(2)));
        queue.wrote(7);
        assert_eq!(done(&mut queue), ["Broadcast(Seq(1))"]);
        queue.wrote(1);
        assert_eq!(done(&mut queue), ["Broadcast(Seq(2))"]);
        assert!(queue.is_clear());
    }

    #[test]
    fn output_taken_back_leaves_no_trace() {
        let mut queue = Queue::new(Framing::Messages);
        append(&mut queue, b"um", Marked::Answer(None));
        let end = queue.end();
        append(&mut queue, b"dois", Marked::Answer(None));
        assert_eq!(queue.since(end), 4);
        queue.take_back(end);
        assert_eq!(queue.message(), Some(&b"um"[..]));
        queue.message_sent();
        assert_eq!(queue.message(), None);
    }

    #[test]
    fn queue_that_is_never_empty_does_not_grow() {
        let mut queue = Queue::new(Framing::Stream);
        append(&mut queue, &[0; 1000], Marked::Broadcast(Seq(1)));
        for seq in 2..1000 {
            append(&mut queue, &[0; 1000], Marked::Broadcast(Seq(seq)));
            queue.wrote(1000);
            assert_eq!(done(&mut queue).len(), 1);
        }
        assert!(queue.bytes.len() < 2 * ANSWERS);
    }
}
