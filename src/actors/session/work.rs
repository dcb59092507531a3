//! Frames that wait for another actor, or for a handler.
//!
//! A session has one piece of work at a time: that is what keeps its answers in
//! the order of its frames. Publishes that stand next to one another are one piece,
//! a run. With a journal a run waits for the disk, so that more of them may be on
//! their way behind it: they are answered in their order, and no other frame is
//! served before.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use actix::MailboxError;
use smallvec::SmallVec;

use super::Session;
use crate::accounts::{Admitted, Refusal, UserName};
use crate::actors::handler::Outcome as HandlerOutcome;
use crate::actors::hub::NotPublished;
use crate::actors::link::Link;
use crate::actors::permits::KeyedPermit;
use crate::actors::supervisor::Status;
use crate::close::Work;
use crate::wire::{
    BodyFrame, ErrorCode, Present, Published, Seq, ServerFrame, SessionLine, SessionList,
};

/// The ids of a run of publishes.
pub(super) type Ids = SmallVec<[u64; 4]>;

/// A piece of work, and the frames that it counts for.
pub(super) struct Pending {
    pub(super) future: Pin<Box<dyn Future<Output = Done>>>,
    /// Keeps the frames in the server's count until they are answered.
    pub(super) work: Option<Work>,
    /// How many frames of the session's own count are answered by it.
    pub(super) frames: u64,
    /// Whether it is a run of publishes: others may be behind it.
    pub(super) is_run: bool,
}

/// What came of a piece of work.
pub(super) enum Done {
    Login {
        id: u64,
        outcome: Result<Entry, LoginFailure>,
    },
    Published {
        ids: Ids,
        first: Result<Seq, NotPublished>,
    },
    Replied {
        id: u64,
        outcome: HandlerOutcome,
    },
    Present {
        id: u64,
        users: Vec<UserName>,
    },
    Sessions {
        id: u64,
        sessions: Vec<SessionLine<'static>>,
    },
    Stopping {
        id: u64,
        status: Status,
    },
    /// The actor that was asked is gone.
    Gone {
        ids: Ids,
    },
}

/// Why a login came to nothing.
pub(super) enum LoginFailure {
    /// Auth did not agree to it.
    Refused(Refusal),
    /// The user has as many sessions as it may.
    NoPlace,
    /// Its `joined` could not be published.
    Unannounced,
}

/// A login that auth and the hub have agreed to.
pub(super) struct Entry {
    pub(super) admitted: Admitted,
    /// Its place among the user's sessions.
    pub(super) place: KeyedPermit<UserName>,
    /// Where its broadcasts begin.
    pub(super) after: Seq,
    /// What a resume cannot give: named before anything else.
    pub(super) gap: Option<Seq>,
}

impl<L: Link + 'static> Session<L> {
    /// Whether a piece of work is done now.
    pub(super) fn poll_work(&mut self, cx: &mut TaskContext<'_>) -> bool {
        let Some(pending) = &mut self.pending else {
            return false;
        };
        let Poll::Ready(done) = pending.future.as_mut().poll(cx) else {
            self.wakes.work = true;
            return false;
        };
        let frames = pending.frames;
        let work = pending.work.take();
        self.pending = self.runs.pop_front();
        if self.pending.is_none() {
            self.runs = VecDeque::new(); // an idle session holds no buffer
            self.inbox.waits_for_runs = false;
        }
        self.note_answered(frames);
        self.deadlines.note_input(); // what it waited for is not its idleness
        self.conclude(done);
        // Only now is it answered as far as the shutdown is concerned.
        drop(work);
        true
    }

    fn conclude(&mut self, done: Done) {
        match done {
            Done::Login { id, outcome } => self.conclude_login(id, outcome),
            Done::Published { ids, first } => self.conclude_publish(&ids, first),
            Done::Replied { id, outcome } => self.reply(id, outcome),
            Done::Present { id, users } => {
                let users = users.iter().map(|user| Cow::Borrowed(user.as_str()));
                let users = users.collect();
                self.answer_within(id, &ServerFrame::Present(Present { id, users }));
            }
            Done::Sessions { id, sessions } => {
                self.answer_within(id, &ServerFrame::Sessions(SessionList { id, sessions }));
            }
            Done::Stopping { id, status } => self.answer_shutdown(id, status),
            Done::Gone { ids } => {
                for id in ids {
                    self.refuse(id, ErrorCode::Internal, "a part of the server has failed");
                }
            }
        }
    }

    fn conclude_publish(&mut self, ids: &Ids, first: Result<Seq, NotPublished>) {
        match first {
            Ok(first) => {
                for (id, seq) in ids.iter().zip(first.0..) {
                    let (id, seq) = (*id, Seq(seq));
                    self.outlet
                        .answer(&ServerFrame::Published(Published { id, seq }));
                }
            }
            // They were accepted, and the log's deadline passed before their turn:
            // they are refused after all, and counted so.
            Err(NotPublished::Sealed) => {
                let frames = ids.len() as u64;
                self.tally.accepted -= frames;
                self.tally.answered -= frames;
                self.tally.refused += frames;
                for id in ids {
                    self.refuse(*id, ErrorCode::Stopping, "the server is stopping");
                }
            }
            Err(NotPublished::Unwritten) => {
                let message = "the message was not published: the server's journal could not \
                               be written";
                for id in ids {
                    self.refuse(*id, ErrorCode::Internal, message);
                }
            }
        }
    }
}

/// What came of an ask, or that nobody is there to answer it.
pub(super) fn asked<T>(
    answer: Result<T, MailboxError>,
    id: u64,
    done: impl FnOnce(T) -> Done,
) -> Done {
    match answer {
        Ok(answer) => done(answer),
        Err(_) => Done::Gone {
            ids: Ids::from_elem(id, 1),
        },
    }
}

/// A reply as a frame.
pub(super) fn reply_frame(id: u64, body: crate::wire::Body<'_>) -> ServerFrame<'_> {
    ServerFrame::Reply(BodyFrame { id, body })
}
