//! The hub's state, and the handling of each message.

use std::sync::Arc;
use std::task::Context as TaskContext;
use std::time::Instant;

use actix::Response;

use super::commit_queue::{Batches, CommitQueue};
use super::contents::Contents;
use super::cursors::{
    CursorInfo, CursorRefusal, Cursors, ListCursors, OpenCursor, OpenedCursor, RemoveCursor,
};
use super::judged::JudgedContents;
use super::messages::{HubLimits, Joined, Publish, PublishJudged, Verdicts};
use super::not_published::NotPublished;
use super::presence::{Change, JoinAnnouncement, Presence, PresenceLimits};
use super::producers::Producers;
use crate::accounts::UserName;
use crate::log::{Appender, Content, InFlightBytes, JournalWriter, Sealed};
use crate::wire::{Millis, Seq};

/// Returns the time of a broadcast.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// The parts that a hub is started with.
pub struct HubSetup {
    /// The log's appender.
    pub appender: Appender,
    /// The writer of the journal, if there is one.
    pub journal_writer: Option<JournalWriter>,
    /// The limits of announcements.
    pub presence: PresenceLimits,
    /// The most producers of an account.
    pub producers: usize,
    /// The most cursors of an account.
    pub cursors: usize,
    /// The time of each broadcast.
    pub clock: Clock,
}

/// Owns the log's appender.
pub(super) struct State {
    appender: Appender,
    presence: Presence,
    producers: Producers,
    cursors: Cursors,
    clock: Clock,
    /// Broadcasts that are not visible yet, without a journal.
    in_flight: Vec<InFlightBytes>,
    /// With a journal.
    commit_queue: Option<CommitQueue>,
}

impl State {
    pub(super) fn new(mut setup: HubSetup) -> State {
        let journal_writer = setup.journal_writer.as_mut();
        let known = journal_writer.map_or_else(Vec::new, JournalWriter::take_producers);
        let journal_writer = setup.journal_writer.as_mut();
        let rows = journal_writer.map(JournalWriter::take_cursors);
        State {
            cursors: Cursors::new(setup.cursors, setup.appender.log(), rows),
            appender: setup.appender,
            presence: Presence::new(setup.presence, Instant::now()),
            producers: Producers::new(setup.producers, known),
            clock: setup.clock,
            in_flight: Vec::new(),
            commit_queue: setup.journal_writer.map(CommitQueue::new),
        }
    }

    /// Changes the limits. What is there beyond them stays.
    pub(super) fn set_limits(&mut self, limits: HubLimits) {
        self.presence.set_limits(limits.presence, Instant::now());
        self.producers.set_limit(limits.producers);
        self.cursors.set_limit(limits.cursors);
        self.appender.limit_kept(limits.kept);
        if let (Some(commit_queue), Some(retention)) = (&mut self.commit_queue, limits.retention) {
            commit_queue.set_retention(retention);
        }
    }

    /// Starts the timers; call it within the runtime that polls the hub.
    pub(super) fn start(&mut self) {
        self.commit_queue.iter_mut().for_each(CommitQueue::start);
    }

    /// Whether broadcasts are visible once they are committed, without a wait for the disk.
    pub(super) fn is_immediate(&self) -> bool {
        self.commit_queue.is_none()
    }

    /// Announces a presence change, without a journal. Returns its seq.
    fn announce(&mut self, user: &UserName, change: Change, now: Instant) -> Option<Seq> {
        let at = (self.clock)();
        // A sealed log announces nothing: the shutdown ends the sessions now.
        let seq = self.appender.push_presence(at, change.of(user));
        self.presence.made(user, change, now);
        self.presence.shown(user, change);
        seq.ok()
    }

    /// Returns when the next announcement is due. A failing journal is tried by publishes and
    /// by the queue's own timer instead.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let may = self
            .commit_queue
            .as_ref()
            .is_none_or(CommitQueue::may_announce);
        let presence = self.presence.next_due().filter(|_| may);
        presence.into_iter().chain(self.cursors.next_due()).min()
    }

    /// Makes the announcements that are due.
    pub(super) fn announce_due(&mut self, now: Instant) {
        match &mut self.commit_queue {
            Some(commit_queue) => {
                // An error concerns publishers only.
                let at = (self.clock)();
                let _ = commit_queue.admit(&mut self.appender, &mut self.presence, at, now);
            }
            None => {
                while let Some((user, change)) = self.presence.due(now) {
                    self.announce(&user, change, now);
                }
            }
        }
    }

    /// Commits what was appended.
    pub(super) fn commit(&mut self, task: &mut TaskContext<'_>) {
        match &mut self.commit_queue {
            None => {
                self.appender.commit();
                self.in_flight.clear();
            }
            Some(commit_queue) => {
                let clock = &self.clock;
                let batches = Batches {
                    presence: &mut self.presence,
                    producers: &mut self.producers,
                    cursors: &mut self.cursors,
                };
                commit_queue.poll(&mut self.appender, batches, || clock(), task);
            }
        }
    }

    pub(super) fn publish(&mut self, publish: Publish) -> Response<Result<Seq, NotPublished>> {
        let (at, from) = ((self.clock)(), publish.from.as_str());
        let Some(commit_queue) = &mut self.commit_queue else {
            let published = self
                .appender
                .push_messages(at, from, publish.contents.iter());
            self.in_flight.extend(publish.in_flight);
            return Response::reply(published.map_err(NotPublished::from));
        };
        let now = Instant::now();
        if let Err(refused) = commit_queue.admit(&mut self.appender, &mut self.presence, at, now) {
            return Response::reply(Err(refused));
        }
        match self
            .appender
            .push_messages(at, from, publish.contents.iter())
        {
            Ok(first) => commit_queue.publish(first, publish.in_flight),
            Err(sealed) => Response::reply(Err(sealed.into())),
        }
    }

    /// Publishes and commits, without a journal, on the thread with this shard. Returns the
    /// first seq, and whether the thread's readers are to be woken.
    pub(super) fn publish_now(
        &mut self,
        from: &UserName,
        contents: &Contents,
        shard: usize,
    ) -> (Result<Seq, NotPublished>, bool) {
        let at = (self.clock)();
        let published = self
            .appender
            .push_messages(at, from.as_str(), contents.iter());
        let is_wake_due = self.appender.commit_here(shard);
        (published.map_err(NotPublished::from), is_wake_due)
    }

    /// Judges messages, and pushes those that are new. Without a journal their numbers are known
    /// from now on, else once they are committed.
    fn push_judged(
        &mut self,
        from: &UserName,
        messages: &JudgedContents,
    ) -> Result<Verdicts, Sealed> {
        let at = (self.clock)();
        if self.appender.log().is_sealed() {
            return Err(Sealed);
        }
        let next = self.appender.next_seq();
        let (appender, name) = (&mut self.appender, from.as_str());
        let admit = |seq, content: Content<'_>| appender.admit_kept(at, name, seq, content);
        let verdicts = self.producers.judge(from, messages, next, admit);
        appender.push_messages(at, name, messages.published(&verdicts))?;
        if self.is_immediate() {
            self.producers.begin_batch();
            self.producers.commit_batch();
        }
        Ok(verdicts)
    }

    pub(super) fn publish_judged(
        &mut self,
        publish: PublishJudged,
    ) -> Response<Result<Verdicts, NotPublished>> {
        let PublishJudged {
            from,
            messages,
            in_flight,
        } = publish;
        if let Some(commit_queue) = &mut self.commit_queue {
            let (at, now) = ((self.clock)(), Instant::now());
            let admitted = commit_queue.admit(&mut self.appender, &mut self.presence, at, now);
            if let Err(refused) = admitted {
                return Response::reply(Err(refused));
            }
        }
        let verdicts = match self.push_judged(&from, &messages) {
            Ok(verdicts) => verdicts,
            Err(sealed) => return Response::reply(Err(sealed.into())),
        };
        match &mut self.commit_queue {
            Some(commit_queue) => commit_queue.publish_judged(verdicts, in_flight),
            None => {
                self.in_flight.extend(in_flight);
                Response::reply(Ok(verdicts))
            }
        }
    }

    /// As [`State::publish_now`], for messages that are judged.
    pub(super) fn publish_judged_now(
        &mut self,
        from: &UserName,
        messages: &JudgedContents,
        shard: usize,
    ) -> (Result<Verdicts, NotPublished>, bool) {
        let judged = self.push_judged(from, messages);
        let is_wake_due = self.appender.commit_here(shard);
        (judged.map_err(NotPublished::from), is_wake_due)
    }

    /// Forgets the producers and cursors of these accounts.
    pub(super) fn forget(&mut self, users: &[UserName]) {
        for user in users {
            self.producers.forget(user);
            self.cursors.forget(user);
        }
    }

    /// Notes acks that are to be stored; the task is woken when there are more.
    pub(super) fn poll_cursors(&mut self, task: &TaskContext<'_>) {
        self.cursors.poll_unstored(task.waker(), Instant::now());
    }

    pub(super) fn check_cursor(&self, user: &UserName, name: &str) -> Result<(), CursorRefusal> {
        self.cursors.check(user, name)
    }

    pub(super) fn open_cursor(
        &mut self,
        open: OpenCursor,
    ) -> Response<Result<OpenedCursor, CursorRefusal>> {
        let commit_queue = self.commit_queue.as_ref();
        if commit_queue.is_some_and(CommitQueue::is_in_doubt) {
            return Response::reply(Err(CursorRefusal::Unwritten));
        }
        let outcome = self.cursors.open(open, self.appender.log(), Instant::now());
        match (outcome, &mut self.commit_queue) {
            (Ok((opened, true)), Some(commit_queue)) => commit_queue.cursor(opened),
            (outcome, _) => Response::reply(outcome.map(|(opened, _)| opened)),
        }
    }

    pub(super) fn list_cursors(&self, list: &ListCursors) -> (Vec<CursorInfo>, bool) {
        self.cursors.list(list.after.as_ref(), list.most)
    }

    pub(super) fn remove_cursor(
        &mut self,
        remove: &RemoveCursor,
    ) -> Response<Result<bool, CursorRefusal>> {
        let RemoveCursor { account, name } = remove;
        if !self.cursors.remove(account, name, Instant::now()) {
            return Response::reply(Ok(false));
        }
        match &mut self.commit_queue {
            Some(commit_queue) => commit_queue.cursor_removed(),
            None => Response::reply(Ok(true)),
        }
    }

    /// Has the acks that were not stored yet written before the store closes.
    pub(super) fn store_last_acks(&mut self) {
        if let Some(commit_queue) = &self.commit_queue {
            commit_queue.write_last(&mut self.cursors);
        }
    }

    pub(super) fn join(&mut self, user: UserName) -> Response<Result<Joined, NotPublished>> {
        let now = Instant::now();
        let entered = self.presence.enter(&user, now);
        let Some(commit_queue) = &mut self.commit_queue else {
            let mut own = None;
            if entered == JoinAnnouncement::Needed {
                own = self.announce(&user, Change::Joined, now);
                // Commit now: the session's cursor starts behind it.
                self.appender.commit();
            }
            self.presence.admit(&user);
            return Response::reply(Ok(Joined::behind(own, self.appender.log().head())));
        };
        let at = (self.clock)();
        let admitted = match entered {
            JoinAnnouncement::NotNeeded => Err(NotPublished::Sealed),
            JoinAnnouncement::InFlight => Ok(None),
            JoinAnnouncement::Needed => commit_queue
                .admit(&mut self.appender, &mut self.presence, at, now)
                .map(|()| {
                    commit_queue.announce(&mut self.appender, &mut self.presence, at, now, &user)
                }),
        };
        match admitted {
            Ok(own) => commit_queue.join(user, own),
            // There is nothing to announce, or the shutdown ends the session now.
            Err(NotPublished::Sealed) => {
                self.presence.admit(&user);
                Response::reply(Ok(Joined::behind(None, self.appender.log().head())))
            }
            Err(refused) => {
                self.presence.reject(&user, now);
                Response::reply(Err(refused))
            }
        }
    }

    pub(super) fn leave(&mut self, user: &UserName) {
        let now = Instant::now();
        if !self.presence.leave(user, now) {
            return;
        }
        match &self.commit_queue {
            None => drop(self.announce(user, Change::Left, now)),
            Some(_) => {
                self.presence.postpone(user, now);
                self.announce_due(now);
            }
        }
    }

    pub(super) fn present(&self) -> Vec<UserName> {
        self.presence.present()
    }

    pub(super) fn seal(&mut self) -> Response<Seq> {
        match &mut self.commit_queue {
            None => Response::reply(self.appender.seal()),
            Some(commit_queue) => commit_queue.seal(&self.appender),
        }
    }
}
