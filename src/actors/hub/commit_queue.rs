//! Answers that wait for the journal.
//!
//! One batch is in flight to the disk; its publishes and joins are answered when it is there,
//! and later ones gather for the next batch. If a batch cannot be written, the requests of this
//! batch and of the next one fail, and its announcements are repeated before anything else is
//! written.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use actix::Response;
use tokio::sync::oneshot;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::cursors::{CursorRefusal, Cursors, OpenedCursor};
use super::messages::{Joined, Verdicts};
use super::not_published::NotPublished;
use super::presence::{Change, Presence};
use super::producers::Producers;
use crate::accounts::UserName;
use crate::log::{Appender, BatchOutcome, InFlightBytes, JournalWriter, Retention};
use crate::wire::{Millis, Seq};

/// How often an idle hub repeats failed announcements and applies retention.
const TICK: Duration = Duration::from_secs(1);

type Reply<T, E = NotPublished> = oneshot::Sender<Result<T, E>>;

/// The states that change with each batch.
pub(super) struct Batches<'a> {
    pub(super) presence: &'a mut Presence,
    pub(super) producers: &'a mut Producers,
    pub(super) cursors: &'a mut Cursors,
}

/// The requests that are answered once the journal has their broadcasts.
pub(super) struct CommitQueue {
    journal_writer: JournalWriter,
    /// The batch that is being written.
    in_flight: PendingBatch,
    /// The batch after it.
    next: PendingBatch,
    sealing: Option<oneshot::Sender<Seq>>,
    /// Nothing more is accepted: the log is sealed, or will be.
    is_sealed: bool,
    is_failing: bool,
    tick: Option<Interval>,
}

#[derive(Default)]
struct PendingBatch {
    publishes: Vec<(Seq, Reply<Seq>, Option<InFlightBytes>)>,
    /// Messages that were judged. A verdict may rest on a message of an earlier batch that is not
    /// committed, so that even those that publish nothing wait.
    judged: Vec<(Verdicts, Reply<Verdicts>, Option<InFlightBytes>)>,
    joins: Vec<Join>,
    /// The announcements in their order.
    changes: Vec<(UserName, Change)>,
    cursors: Vec<(OpenedCursor, Reply<OpenedCursor, CursorRefusal>)>,
    cursors_removed: Vec<Reply<bool, CursorRefusal>>,
}

impl PendingBatch {
    fn has_broadcasts(&self) -> bool {
        !(self.publishes.is_empty() && self.judged.is_empty() && self.changes.is_empty())
    }
}

struct Join {
    user: UserName,
    /// The session's own `joined`; a second session waits for that of the first.
    own: Option<Seq>,
    reply: Reply<Joined>,
}

impl CommitQueue {
    pub(super) fn new(journal_writer: JournalWriter) -> CommitQueue {
        CommitQueue {
            journal_writer,
            in_flight: PendingBatch::default(),
            next: PendingBatch::default(),
            sealing: None,
            is_sealed: false,
            is_failing: false,
            tick: None,
        }
    }

    /// Changes how much the journal keeps, but for its age.
    pub(super) fn set_retention(&mut self, retention: Retention) {
        self.journal_writer.set_retention(retention);
    }

    /// Starts the timer; call it within the runtime that polls the queue.
    pub(super) fn start(&mut self) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.tick = Some(tick);
    }

    /// Checks that something can be published now, and makes the announcements that are due.
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

    /// Whether due announcements can be made now.
    pub(super) fn may_announce(&self) -> bool {
        !(self.is_sealed || self.is_failing || self.journal_writer.is_in_doubt())
    }

    /// Announces that a user has joined, after [`CommitQueue::admit`]. Returns the seq.
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
        // The log is not sealed: `admit` has checked that.
        let seq = appender.push_presence(at, change.of(&user));
        presence.made(&user, change, now);
        self.next.changes.push((user, change));
        seq.ok()
    }

    /// Answers a publish, whose first message has this seq, once it is visible.
    pub(super) fn publish(
        &mut self,
        first: Seq,
        in_flight: Option<InFlightBytes>,
    ) -> Response<Result<Seq, NotPublished>> {
        let (reply, answer) = oneshot::channel();
        self.next.publishes.push((first, reply, in_flight));
        later(answer)
    }

    /// Answers messages that were judged once those that are published are visible.
    pub(super) fn publish_judged(
        &mut self,
        verdicts: Verdicts,
        in_flight: Option<InFlightBytes>,
    ) -> Response<Result<Verdicts, NotPublished>> {
        let (reply, answer) = oneshot::channel();
        self.next.judged.push((verdicts, reply, in_flight));
        later(answer)
    }

    /// Answers a login once the user's `joined`, which may be its `own`, is visible.
    pub(super) fn join(
        &mut self,
        user: UserName,
        own: Option<Seq>,
    ) -> Response<Result<Joined, NotPublished>> {
        let (reply, answer) = oneshot::channel();
        self.next.joins.push(Join { user, own, reply });
        later(answer)
    }

    /// Whether nothing can be written before a restart.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.journal_writer.is_in_doubt()
    }

    /// Answers with a cursor once its position is on disk.
    pub(super) fn cursor(
        &mut self,
        opened: OpenedCursor,
    ) -> Response<Result<OpenedCursor, CursorRefusal>> {
        let (reply, answer) = oneshot::channel();
        self.next.cursors.push((opened, reply));
        Response::fut(async move { answer.await.unwrap_or(Err(CursorRefusal::Unwritten)) })
    }

    /// Answers that a cursor was removed once its row is.
    pub(super) fn cursor_removed(&mut self) -> Response<Result<bool, CursorRefusal>> {
        let (reply, answer) = oneshot::channel();
        self.next.cursors_removed.push(reply);
        Response::fut(async move { answer.await.unwrap_or(Err(CursorRefusal::Unwritten)) })
    }

    /// Has the last changes to cursors written, and does not wait for it.
    pub(super) fn write_last(&self, cursors: &mut Cursors) {
        let changes = cursors.begin_last_batch();
        if !(changes.is_empty() || self.is_in_doubt()) {
            self.journal_writer.write_last(changes);
        }
    }

    /// Answers with the head once every pending batch is visible or has failed.
    pub(super) fn seal(&mut self, appender: &Appender) -> Response<Seq> {
        let (reply, answer) = oneshot::channel();
        (self.sealing, self.is_sealed) = (Some(reply), true);
        let log = Arc::clone(appender.log());
        // If the hub fails meanwhile, the visible broadcasts are all there are.
        Response::fut(async move { answer.await.unwrap_or_else(|_| log.head()) })
    }

    /// Answers the requests of a finished batch, and begins to write the next one.
    pub(super) fn poll(
        &mut self,
        appender: &mut Appender,
        batches: Batches<'_>,
        clock: impl Fn() -> Millis,
        cx: &mut TaskContext<'_>,
    ) {
        let Batches {
            presence,
            producers,
            cursors,
        } = batches;
        if self.poll_tick(cx) {
            // An error concerns publishers only.
            let _ = self.admit(appender, presence, clock(), Instant::now());
            self.journal_writer.check_location();
        }
        loop {
            match self.journal_writer.poll(appender, cx) {
                Poll::Pending => return,
                Poll::Ready(None) => {}
                Poll::Ready(Some(BatchOutcome::Committed)) => {
                    producers.commit_batch();
                    cursors.commit_batch();
                    self.complete(appender, presence);
                }
                Poll::Ready(Some(BatchOutcome::RolledBack(error))) => {
                    self.note_failure(&error);
                    producers.discard_pending();
                    cursors.discard_pending(Instant::now());
                    self.fail(presence);
                }
                Poll::Ready(Some(BatchOutcome::InDoubt(error))) => {
                    let error = error.map_or_else(String::new, |error| error.to_string());
                    tracing::error!(
                        %error,
                        "journal commit is in doubt; publishing stops until a restart"
                    );
                    producers.discard_pending();
                    cursors.discard_pending(Instant::now());
                    self.fail(presence);
                }
            }
            self.in_flight = std::mem::take(&mut self.next);
            let is_batch = self.in_flight.has_broadcasts();
            let acks = cursors.begin_batch(is_batch, Instant::now());
            let changes = producers.begin_batch();
            if !self.journal_writer.write(appender, changes, acks, clock()) {
                // Nothing is to be written for them: judged messages of which none is new,
                // and further sessions of a user, which waited for the first.
                self.complete(appender, presence);
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
                // The second poll arms the next tick.
                let _ = tick.poll_tick(cx);
                true
            }
        })
    }

    fn complete(&mut self, appender: &Appender, presence: &mut Presence) {
        let PendingBatch {
            publishes,
            judged,
            joins,
            changes,
            cursors,
            cursors_removed,
        } = std::mem::take(&mut self.in_flight);
        let mut verdicts = judged.iter().flat_map(|(verdicts, ..)| verdicts);
        let has_new = verdicts.any(|verdict| verdict.is_new());
        if self.is_failing && (has_new || !(publishes.is_empty() && changes.is_empty())) {
            self.is_failing = false;
            tracing::info!("journal commits succeed again");
        }
        for (first, reply, _) in publishes {
            let _ = reply.send(Ok(first)); // its session may have ended
        }
        for (verdicts, reply, _) in judged {
            let _ = reply.send(Ok(verdicts));
        }
        for (opened, reply) in cursors {
            let _ = reply.send(Ok(opened));
        }
        for reply in cursors_removed {
            let _ = reply.send(Ok(true));
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

    fn fail(&mut self, presence: &mut Presence) {
        let now = Instant::now();
        let (in_flight, next) = (&mut self.in_flight, &mut self.next);
        for batch in [std::mem::take(in_flight), std::mem::take(next)] {
            for (_, reply, _) in batch.publishes {
                let _ = reply.send(Err(NotPublished::Unwritten));
            }
            for (_, reply, _) in batch.judged {
                let _ = reply.send(Err(NotPublished::Unwritten));
            }
            for (_, reply) in batch.cursors {
                let _ = reply.send(Err(CursorRefusal::Unwritten));
            }
            for reply in batch.cursors_removed {
                let _ = reply.send(Err(CursorRefusal::Unwritten));
            }
            for Join { user, reply, .. } in batch.joins {
                presence.reject(&user, now);
                let _ = reply.send(Err(NotPublished::Unwritten));
            }
            for (user, _) in batch.changes {
                presence.undo(&user, now);
            }
        }
    }

    fn note_failure(&mut self, error: &impl std::fmt::Display) {
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::error!(%error, "journal commit failed; refusing to publish");
        }
    }
}

fn later<T: 'static>(
    answer: oneshot::Receiver<Result<T, NotPublished>>,
) -> Response<Result<T, NotPublished>> {
    Response::fut(async move { answer.await.unwrap_or(Err(NotPublished::Unwritten)) })
}
