//! A session's surroundings as plain values: its socket, its output, and its work.
//!
//! The output follows `src/actors/session/outlet`: it writes the queued answers first, then
//! broadcasts from the cursor. A reader that has fallen off the log's tail gets one gap. A frame is
//! written completely or not at all.

use arauto::internal::services::CallId;
use arauto::internal::session::effects::Output;
use arauto::{Evidence, Seq, SessionCalls};
use smallvec::SmallVec;

use crate::broken::Broken;
use crate::item::Item;
use crate::reader::{Reader, Upcoming, View};
use crate::setting::{MOST_UNWRITTEN, SOCKET, Setting};
use crate::state::Answer;
use crate::witness::{Expected, Fault, Witness};

/// The parts of a session outside its decisions, and its client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Io {
    /// All frames that were ever queued for the client, except for broadcasts.
    pub queue: SmallVec<[Item; 4]>,
    /// The number of frames in `queue` that are written.
    pub written: u8,
    /// The number of frames in `queue` that the client has read; 0 if it answers no calls.
    pub read_items: u8,
    /// The cursor in the log; `None` until the login.
    pub reader: Option<Reader>,
    /// The seq that the reader had reached when the last answer was queued.
    pub last_answer: Option<u64>,
    /// Whether nothing more can be written.
    pub is_broken: bool,
    /// The last broadcast that was written before the output broke; `None` while it is not broken.
    pub sent_before_break: Option<u64>,
    /// Whether the write side is shut, so that the client sees the end of the stream.
    pub is_shut: bool,
    pub client: ClientEnd,
    /// The number of the client's frames that the session has received.
    pub received: u8,
    /// The number of received frames that the session has served.
    pub served: u8,
    /// Whether the session would receive another frame, as of the end of its last run.
    pub wants_input: bool,
    /// The work that is not finished, oldest first.
    pub jobs: SmallVec<[Job; 2]>,
    /// Whether the session takes part in services.
    pub takes_part: bool,
    /// The session's own calls that are in the count of frames in work.
    pub calls_in_work: SmallVec<[CallId; 1]>,
    /// The counts of the session's calls, once it has left the services.
    pub calls_at_end: Option<SessionCalls>,
    /// Whether the session has a user.
    pub has_entered: bool,
    /// Whether the core has reported that a waiting order is carried out.
    pub has_carried_out: bool,
    pub witness: Witness,
}

/// The client's side of the connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ClientEnd {
    /// The number of frames in the socket that the client has not read.
    pub unread: u8,
    /// The last broadcast that the client has read; 0 if the client sends no acks.
    pub read_to: u64,
    /// Whether the client sends nothing more.
    pub has_ended: bool,
    /// Whether the client has read everything and closed the connection.
    pub has_closed: bool,
    /// Whether the connection is broken.
    pub is_gone: bool,
}

/// A piece of work of a session. Only the oldest one can finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Job {
    /// The actor or the result that the work waits for.
    pub wait: Wait,
    /// The number of the first frame that the work answers.
    pub first: u8,
    /// The number of frames that the work answers; 0 for a login.
    pub frames: usize,
    /// The number of these frames that are in the count of frames in work.
    pub counted: usize,
    /// The seq after which a login resumes.
    pub resume: Option<u64>,
    /// Whether a login asks for the cursor once it is announced.
    pub asks_for_cursor: bool,
    /// Whether the work is a run of messages with numbers.
    pub is_judged: bool,
}

/// The actor or the result that a piece of work waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wait {
    /// A handler's future, which may finish at any instant.
    Handler,
    Auth,
    Hub,
    /// The journal: the hub has handled the message, and its answer waits for the commit.
    Journal,
    Supervisor,
    /// Nothing: the answer has arrived.
    Answered(Answer),
}

/// The outcome of an attempt to write a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    FrameWritten,
    NothingWritten,
    /// The reader fell off the log's tail, and this ends the session. Has the first and the last
    /// missed seq.
    FellOffTail(u64, u64),
}

impl Io {
    pub fn new(frames: usize) -> Io {
        Io {
            queue: SmallVec::new(),
            written: 0,
            read_items: 0,
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
            takes_part: false,
            calls_in_work: SmallVec::new(),
            calls_at_end: None,
            has_entered: false,
            has_carried_out: false,
            witness: Witness::new(frames),
        }
    }

    /// Whether all queued frames are written.
    pub fn is_clear(&self) -> bool {
        self.unwritten() == 0
    }

    fn unwritten(&self) -> usize {
        self.queue.len() - usize::from(self.written)
    }

    pub fn has_room(&self) -> bool {
        self.unwritten() < MOST_UNWRITTEN
    }

    /// Returns the last seq that was written or skipped; 0 before the login.
    pub fn reached(&self) -> u64 {
        self.reader.as_ref().map_or(0, |reader| reader.reached)
    }

    /// Returns the last broadcast that was written, or skipped by a gap that was written.
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

    /// Breaks the output: drops the frames that are not written.
    pub fn give_up(&mut self) {
        if self.is_broken {
            return;
        }
        self.sent_before_break = Some(self.sent());
        self.is_broken = true;
        self.queue.truncate(usize::from(self.written));
    }

    /// Whether a queued frame or a broadcast up to `until` is not written yet.
    pub fn has_more(&self, until: Option<u64>, view: View<'_>) -> bool {
        let next = self
            .reader
            .as_ref()
            .map(|reader| reader.upcoming(until, view));
        let follows = next.is_some_and(|next| next != Upcoming::Nothing);
        !self.is_broken && (!self.is_clear() || follows)
    }

    /// Writes one frame: the next queued frame, or else the next broadcast up to `until`. If
    /// `ends_on_gap` is set, a gap ends the session, unless the reader is still where it began.
    pub fn write(&mut self, view: View<'_>, until: Option<u64>, ends_on_gap: bool) -> WriteOutcome {
        if self.is_broken {
            return WriteOutcome::NothingWritten;
        }
        if let Some(fell_off) = self.pass_gap(view, until, ends_on_gap) {
            return fell_off;
        }
        if !self.has_more(until, view) {
            if let Some(reader) = &mut self.reader {
                reader.note_nothing(view.world.hub.head);
            }
            return WriteOutcome::NothingWritten;
        }
        if self.is_clear() && self.skip(until, view) {
            return WriteOutcome::FrameWritten;
        }
        if self.client.is_gone || self.client.has_closed {
            self.give_up();
            return WriteOutcome::NothingWritten;
        }
        if self.client.unread >= SOCKET {
            return WriteOutcome::NothingWritten;
        }
        self.client.unread += 1;
        self.write_next(until, view);
        WriteOutcome::FrameWritten
    }

    /// Moves the reader over broadcasts that are not for the client, which is not told so. Returns
    /// whether there were any.
    fn skip(&mut self, until: Option<u64>, view: View<'_>) -> bool {
        let Some(reader) = &mut self.reader else {
            return false;
        };
        let Upcoming::Skipped(to) = reader.upcoming(until, view) else {
            return false;
        };
        reader.move_to(to);
        if !view.setting.is(Broken::PassedUntold) {
            self.witness.record_passed(to, Expected::of(view));
        }
        true
    }

    fn write_next(&mut self, until: Option<u64>, view: View<'_>) {
        if self.is_clear() {
            if let Some(reader) = &mut self.reader {
                let expected = Expected::of(view);
                match reader.upcoming(until, view) {
                    Upcoming::Broadcast(seq) => {
                        reader.move_to(seq);
                        self.witness.record_broadcast(seq, expected);
                    }
                    Upcoming::Passed(to) => {
                        reader.move_to(to);
                        self.witness.record_passed(to, expected);
                        reader.note_nothing(to);
                    }
                    Upcoming::Nothing | Upcoming::Skipped(_) => {}
                }
            }
            let has_said_closing = self.queue.iter().any(|item| item.is_closing());
            self.witness
                .record_fault(has_said_closing, Fault::SentAfterClosing);
            return;
        }
        let item = self.queue[usize::from(self.written)];
        self.written += 1;
        if let Item::Gap(from, to) = item {
            self.witness.record_gap(from, to, Expected::of(view));
            if let Some(reader) = self.reader.as_mut().filter(|reader| reader.after < from) {
                reader.gaps.push((from, to));
            }
        }
    }

    /// Moves a reader that has fallen off the log's tail to the tail, and queues a gap. Returns an
    /// outcome only if the gap ends the session.
    fn pass_gap(
        &mut self,
        view: View<'_>,
        until: Option<u64>,
        ends_on_gap: bool,
    ) -> Option<WriteOutcome> {
        let reader = self.reader.as_mut()?;
        let reached = reader.reached;
        if view.setting.is_journaled || until.is_some_and(|until| reached >= until) {
            return None;
        }
        let (from, to) = reader.fallen(view)?;
        let is_fresh = reached == reader.after;
        if ends_on_gap && !is_fresh {
            return Some(WriteOutcome::FellOffTail(from, to));
        }
        reader.move_to(to);
        if !view.setting.is(Broken::GapUntold) {
            self.queue.push(Item::Gap(from, to));
        }
        None
    }

    /// Returns how far the written bytes are known to have got.
    pub fn evidence(&self, setting: &Setting) -> Evidence {
        let is_read = self.client.unread == 0 || setting.is(Broken::WrittenIsRead);
        match is_read && !self.client.is_gone {
            true => Evidence::Read,
            false => Evidence::Written,
        }
    }

    /// Whether a received frame is not served yet.
    pub fn holds_frame(&self) -> bool {
        self.received > self.served
    }

    /// Returns the login in work that asks for the cursor next.
    pub fn login_for_cursor(&mut self) -> Option<&mut Job> {
        let mut jobs = self.jobs.iter_mut();
        let login = jobs.find(|job| matches!(job.wait, Wait::Hub | Wait::Journal))?;
        std::mem::take(&mut login.asks_for_cursor).then_some(login)
    }

    /// Gives an answer to the oldest piece of work that waits for the answering actor.
    pub fn take_answer(&mut self, answer: Answer) {
        let waits = |job: &&mut Job| match answer {
            Answer::LoginRefused => job.wait == Wait::Auth,
            Answer::StopStatus(_) => job.wait == Wait::Supervisor,
            _ => matches!(job.wait, Wait::Hub | Wait::Journal),
        };
        if let Some(job) = self.jobs.iter_mut().find(waits) {
            job.wait = Wait::Answered(answer);
        }
    }
}
