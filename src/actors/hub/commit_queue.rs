//! What the hub has promised while the journal is written.
//!
//! A batch is on its way to the disk; who waits for it is answered when it is
//! there, and what comes meanwhile gathers for the next. Where a batch cannot be
//! written, the sessions that wait for it, or for a later one, are told so, and its
//! announcements are made again before anything else is written.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use actix::Response;
use tokio::sync::oneshot;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::messages::{Joined, NotPublished};
use super::presence::{Change, Presence};
use crate::accounts::UserName;
use crate::log::{Appender, BatchOutcome, InFlightBytes, JournalWriter};
use crate::wire::{Millis, Seq};

/// How often a quiet hub tries what it owes again, and lets retention work.
const TICK: Duration = Duration::from_secs(1);

type Reply<T> = oneshot::Sender<Result<T, NotPublished>>;

/// Keeps the hub's promises with a journal.
pub(super) struct CommitQueue {
    journal_writer: JournalWriter,
    /// For the batch on its way.
    sent: PendingBatch,
    /// For the batch after it.
    gathered: PendingBatch,
    sealing: Option<oneshot::Sender<Seq>>,
    /// Nothing is taken any more: the log is sealed, or will be.
    is_sealed: bool,
    is_failing: bool,
    tick: Option<Interval>,
}

#[derive(Default)]
struct PendingBatch {
    publishes: Vec<(Seq, Reply<Seq>, Option<InFlightBytes>)>,
    joins: Vec<Join>,
    /// The announcements, in order.
    changes: Vec<(UserName, Change)>,
}

struct Join {
    user: UserName,
    /// Its own `joined`; a second session waits for that of the first.
    own: Option<Seq>,
    reply: Reply<Joined>,
}

impl CommitQueue {
    pub(super) fn new(journal_writer: JournalWriter) -> CommitQueue {
        CommitQueue {
            journal_writer,
            sent: PendingBatch::default(),
            gathered: PendingBatch::default(),
            sealing: None,
            is_sealed: false,
            is_failing: false,
            tick: None,
        }
    }

    /// Begins to look after what is owed; within the runtime that polls it.
    pub(super) fn start(&mut self) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.tick = Some(tick);
    }

    /// Whether something can be published now. If so, the announcements that are due
    /// come first.
    pub(super) fn admit(
        &mut self,
        appender: &mut Appender,
        presence: &mut Presence,
        at: Millis,
        now: Instant,
    ) -> Result<(), NotPublished> {
        if self.is_sealed {
            return Err(NotPublished::Sealed);
        }
        if self.journal_writer.is_in_doubt() {
            return Err(NotPublished::Unwritten);
        }
        while let Some((user, change)) = presence.due(now) {
            self.push(appender, presence, (at, now), user, change);
        }
        Ok(())
    }

    /// Whether announcements that are due can be made now.
    pub(super) fn may_announce(&self) -> bool {
        !(self.is_sealed || self.is_failing || self.journal_writer.is_in_doubt())
    }

    /// Announces a user's coming, behind what [`CommitQueue::admit`] has announced; with which
    /// seq.
    pub(super) fn announce(
        &mut self,
        appender: &mut Appender,
        presence: &mut Presence,
        at: Millis,
        now: Instant,
        user: &UserName,
    ) -> Option<Seq> {
        self.push(appender, presence, (at, now), user.clone(), Change::Joined)
    }

    fn push(
        &mut self,
        appender: &mut Appender,
        presence: &mut Presence,
        (at, now): (Millis, Instant),
        user: UserName,
        change: Change,
    ) -> Option<Seq> {
        // It is not sealed: that was just looked at.
        let seq = appender.push_presence(at, change.of(&user));
        presence.made(&user, change, now);
        self.gathered.changes.push((user, change));
        seq.ok()
    }

    /// Answers a publish whose first message has this seq, once it is shown.
    pub(super) fn publish(
        &mut self,
        first: Seq,
        in_flight: Option<InFlightBytes>,
    ) -> Response<Result<Seq, NotPublished>> {
        let (reply, answer) = oneshot::channel();
        self.gathered.publishes.push((first, reply, in_flight));
        later(answer)
    }

    /// Answers a login once the user's `joined`, which may be its `own`, is shown.
    pub(super) fn join(
        &mut self,
        user: UserName,
        own: Option<Seq>,
    ) -> Response<Result<Joined, NotPublished>> {
        let (reply, answer) = oneshot::channel();
        self.gathered.joins.push(Join { user, own, reply });
        later(answer)
    }

    /// Answers with the head once everything that was promised is shown, or not.
    pub(super) fn seal(&mut self, appender: &Appender) -> Response<Seq> {
        let (reply, answer) = oneshot::channel();
        (self.sealing, self.is_sealed) = (Some(reply), true);
        let log = Arc::clone(appender.log());
        // Where the hub fails meanwhile, what is shown is all that there is.
        Response::fut(async move { answer.await.unwrap_or_else(|_| log.head()) })
    }

    /// Keeps what can be kept now, and sends the next batch on its way.
    pub(super) fn turn(
        &mut self,
        appender: &mut Appender,
        presence: &mut Presence,
        clock: impl Fn() -> Millis,
        cx: &mut TaskContext<'_>,
    ) {
        if self.poll_tick(cx) {
            // What it says is said to publishers; here it is a try.
            let _ = self.admit(appender, presence, clock(), Instant::now());
            self.journal_writer.check_location();
        }
        loop {
            match self.journal_writer.poll(appender, cx) {
                Poll::Pending => return,
                Poll::Ready(None) => {}
                Poll::Ready(Some(BatchOutcome::Committed)) => self.keep(appender, presence),
                Poll::Ready(Some(BatchOutcome::RolledBack(error))) => {
                    self.note_failure(&error);
                    self.give_up(presence);
                }
                Poll::Ready(Some(BatchOutcome::InDoubt(error))) => {
                    let error = error.map_or_else(String::new, |error| error.to_string());
                    tracing::error!(
                        %error,
                        "the journal is in doubt: nothing is published before a restart"
                    );
                    self.give_up(presence);
                }
            }
            self.sent = std::mem::take(&mut self.gathered);
            if !self.journal_writer.write(appender, clock()) {
                self.keep(appender, presence); // second sessions, who waited for the first
                break;
            }
        }
        if let Some(reply) = self.sealing.take() {
            let _ = reply.send(appender.seal()); // or the deadline has passed
        }
    }

    fn poll_tick(&mut self, cx: &mut TaskContext<'_>) -> bool {
        let tick = self.tick.as_mut();
        tick.is_some_and(|tick| {
            tick.poll_tick(cx).is_ready() && {
                // The first look arms the next tick.
                let _ = tick.poll_tick(cx);
                true
            }
        })
    }

    fn keep(&mut self, appender: &Appender, presence: &mut Presence) {
        let PendingBatch {
            publishes,
            joins,
            changes,
        } = std::mem::take(&mut self.sent);
        if self.is_failing && !(publishes.is_empty() && changes.is_empty()) {
            self.is_failing = false;
            tracing::info!("the journal is written again");
        }
        for (first, reply, _) in publishes {
            let _ = reply.send(Ok(first)); // its session may have ended
        }
        for (user, change) in changes {
            presence.shown(&user, change);
        }
        let head = appender.log().head();
        for Join { user, own, reply } in joins {
            presence.admit(&user);
            let _ = reply.send(Ok(Joined::behind(own, head)));
        }
    }

    fn give_up(&mut self, presence: &mut Presence) {
        let now = Instant::now();
        let (sent, gathered) = (&mut self.sent, &mut self.gathered);
        for promises in [std::mem::take(sent), std::mem::take(gathered)] {
            for (_, reply, _) in promises.publishes {
                let _ = reply.send(Err(NotPublished::Unwritten));
            }
            for Join { user, reply, .. } in promises.joins {
                presence.reject(&user, now);
                let _ = reply.send(Err(NotPublished::Unwritten));
            }
            for (user, _) in promises.changes {
                presence.undo(&user, now);
            }
        }
    }

    fn note_failure(&mut self, error: &impl std::fmt::Display) {
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::error!(%error, "the journal cannot be written, nothing is published");
        }
    }
}

fn later<T: 'static>(
    answer: oneshot::Receiver<Result<T, NotPublished>>,
) -> Response<Result<T, NotPublished>> {
    Response::fut(async move { answer.await.unwrap_or(Err(NotPublished::Unwritten)) })
}
