//! A session's surroundings as plain values: its socket, its output, its work.
//!
//! The output follows `src/actors/session/outlet`: answers first, then broadcasts from the
//! cursor; a reader that has fallen off the log's tail gets one gap. A frame is written whole
//! or not at all.

use arauto::internal::session::effects::Output;
use arauto::{Evidence, Seq};
use smallvec::SmallVec;

use crate::broken::Broken;
use crate::setting::{Frame, ROOM, SOCKET, Setting};
use crate::state::{Answer, Hub};
use crate::witness::{Fault, Witness};

/// Everything of a session but its decisions, and its client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Io {
    /// The frames that were queued for the client, except for the broadcasts.
    pub queue: SmallVec<[Item; 4]>,
    /// How many of these are written.
    pub written: u8,
    pub reader: Option<Reader>,
    /// The value of `reached` when the last answer was queued.
    pub last_answer: Option<u64>,
    /// Nothing more can be written.
    pub is_broken: bool,
    pub sent_before_break: Option<u64>,
    /// The write side is shut: the client sees the end.
    pub is_shut: bool,
    pub client: ClientEnd,
    /// Frames of the client that were received, and those that were served.
    pub received: u8,
    pub served: u8,
    /// Whether the session, as it is parked, would receive more.
    pub wants_input: bool,
    pub jobs: SmallVec<[Job; 2]>,
    pub has_entered: bool,
    pub has_carried_out: bool,
    pub witness: Witness,
}

/// The client's side of the connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ClientEnd {
    /// Frames in the socket that the client has not read.
    pub unread: u8,
    /// The last broadcast that it has read, where it acks.
    pub read_to: u64,
    /// It sends nothing more.
    pub has_ended: bool,
    /// It has closed the connection, having read everything.
    pub has_closed: bool,
    /// The connection is broken.
    pub is_gone: bool,
}

/// The cursor in the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reader {
    pub after: u64,
    pub reached: u64,
    /// The gaps that were written.
    pub gaps: SmallVec<[(u64, u64); 2]>,
}

/// A frame to the client. The numbers are those of the frames that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Item {
    Welcome,
    Answer(u8),
    Refusal(u8),
    Gap(u64, u64),
    Stopping,
    /// An error that ends the session.
    Failure,
    Closing {
        accepted: u64,
        refused: u64,
    },
}

/// A piece of work, of which only the oldest is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Job {
    pub wait: Wait,
    /// The first of the frames that it answers.
    pub first: u8,
    /// How many frames it answers; a login does not count.
    pub frames: usize,
    /// How many of them are in the count of frames in work.
    pub counted: usize,
    pub resume: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wait {
    /// A handler's future: it may be done at any instant.
    Handler,
    Auth,
    Hub,
    /// The hub has handled it, and its answer waits for the disk.
    Journal,
    Supervisor,
    Answer(Answer),
}

/// How an attempt to write ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    One,
    Nothing,
    /// The reader fell off the log's tail, and that is to end it.
    FellOff(u64, u64),
}

impl Io {
    pub fn new(frames: usize) -> Io {
        Io {
            queue: SmallVec::new(),
            written: 0,
            reader: None,
            last_answer: None,
            is_broken: false,
            sent_before_break: None,
            is_shut: false,
            client: ClientEnd::default(),
            received: 0,
            served: 0,
            wants_input: false,
            jobs: SmallVec::new(),
            has_entered: false,
            has_carried_out: false,
            witness: Witness::new(frames),
        }
    }

    pub fn is_clear(&self) -> bool {
        self.unwritten() == 0
    }

    fn unwritten(&self) -> usize {
        self.queue.len() - usize::from(self.written)
    }

    pub fn has_room(&self) -> bool {
        self.unwritten() < ROOM
    }

    pub fn reached(&self) -> u64 {
        self.reader.as_ref().map_or(0, |reader| reader.reached)
    }

    /// The last broadcast that was written whole.
    pub fn sent(&self) -> u64 {
        if let Some(sent) = self.sent_before_break {
            return sent;
        }
        let unwritten = &self.queue[usize::from(self.written)..];
        let gap = unwritten.iter().find_map(|item| match item {
            Item::Gap(from, _) if self.reader.is_some() => Some(from - 1),
            _ => None,
        });
        gap.unwrap_or(self.reached())
    }

    pub fn output(&self) -> Output {
        Output {
            reached: Seq(self.reached()),
            sent: Seq(self.sent()),
            last_answer: self.last_answer.map(Seq),
            follows: self.reader.is_some(),
            is_clear: self.is_clear(),
            is_broken: self.is_broken,
            has_failed: false,
        }
    }

    /// Nothing more can be written, as the client is gone.
    pub fn give_up(&mut self) {
        if self.is_broken {
            return;
        }
        self.sent_before_break = Some(self.sent());
        self.is_broken = true;
        self.queue.truncate(usize::from(self.written));
    }

    /// Whether a written frame is there to be had, or room for one more.
    pub fn has_more(&self, until: Option<u64>, hub: &Hub) -> bool {
        let last = until.unwrap_or(hub.head).min(hub.head);
        let follows = self.reader.is_some() && self.reached() < last;
        !self.is_broken && (!self.is_clear() || follows)
    }

    /// Writes one frame: an answer, or the next broadcast up to `until`.
    pub fn write(
        &mut self,
        setting: &Setting,
        hub: &Hub,
        until: Option<u64>,
        ends_on_gap: bool,
    ) -> Written {
        if self.is_broken {
            return Written::Nothing;
        }
        if let Some(fell_off) = self.pass_gap(setting, hub, until, ends_on_gap) {
            return fell_off;
        }
        if !self.has_more(until, hub) {
            return Written::Nothing;
        }
        if self.client.is_gone || self.client.has_closed {
            self.give_up();
            return Written::Nothing;
        }
        if self.client.unread >= SOCKET {
            return Written::Nothing;
        }
        self.client.unread += 1;
        self.write_next();
        Written::One
    }

    fn write_next(&mut self) {
        if self.is_clear() {
            if let Some(reader) = &mut self.reader {
                reader.reached += 1;
                self.witness.note_broadcast(reader.reached);
            }
            let has_said_closing = self.queue.iter().any(|item| item.is_closing());
            self.witness.find(has_said_closing, Fault::BehindClosing);
            return;
        }
        let item = self.queue[usize::from(self.written)];
        self.written += 1;
        if let Item::Gap(from, to) = item {
            self.witness.note_gap(from, to);
            if let Some(reader) = self.reader.as_mut().filter(|reader| reader.after < from) {
                reader.gaps.push((from, to));
            }
        }
    }

    /// Moves a reader that has fallen off the log's tail to it.
    fn pass_gap(
        &mut self,
        setting: &Setting,
        hub: &Hub,
        until: Option<u64>,
        ends_on_gap: bool,
    ) -> Option<Written> {
        let reader = self.reader.as_mut()?;
        let (reached, tail) = (reader.reached, hub.tail);
        if setting.is_journaled || reached >= tail || until.is_some_and(|until| reached >= until) {
            return None;
        }
        let is_fresh = reached == reader.after;
        if ends_on_gap && !is_fresh {
            return Some(Written::FellOff(reached + 1, tail));
        }
        reader.reached = tail;
        if !setting.is(Broken::GapUntold) {
            self.queue.push(Item::Gap(reached + 1, tail));
        }
        None
    }

    /// How far the written bytes are known to have got.
    pub fn evidence(&self, setting: &Setting) -> Evidence {
        let is_read = self.client.unread == 0 || setting.is(Broken::WrittenIsRead);
        match is_read && !self.client.is_gone {
            true => Evidence::Read,
            false => Evidence::Written,
        }
    }

    /// Whether frames were received that are not served.
    pub fn holds_frame(&self) -> bool {
        self.received > self.served
    }

    /// The frames that the client has still to send.
    pub fn unsent<'a>(&self, frames: &'a [Frame]) -> &'a [Frame] {
        match self.client.has_ended || self.client.is_gone {
            true => &[],
            false => &frames[usize::from(self.received)..],
        }
    }

    /// Gives an answer to the oldest piece of work that waits for the actor that gives it.
    pub fn take_answer(&mut self, answer: Answer) {
        let waits = |job: &&mut Job| match answer {
            Answer::Stopping => job.wait == Wait::Auth,
            Answer::Status(_) => job.wait == Wait::Supervisor,
            _ => matches!(job.wait, Wait::Hub | Wait::Journal),
        };
        if let Some(job) = self.jobs.iter_mut().find(waits) {
            job.wait = Wait::Answer(answer);
        }
    }
}

impl Item {
    pub fn is_closing(self) -> bool {
        matches!(self, Item::Closing { .. })
    }

    /// The frame that it answers.
    pub fn answers(self) -> Option<u8> {
        match self {
            Item::Answer(frame) | Item::Refusal(frame) => Some(frame),
            _ => None,
        }
    }
}
