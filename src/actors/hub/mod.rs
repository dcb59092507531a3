//! The hub: assigns each broadcast its seq and tracks who is present.
//!
//! It does no work per session. What arrives together is appended together and becomes visible
//! with one wake-up per thread; with a journal, once it is on disk ([`commit_queue`]).

mod bodies;
mod commit_queue;
mod deadline_timer;
mod messages;
mod presence;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

pub use self::bodies::Bodies;
use self::commit_queue::CommitQueue;
use self::deadline_timer::DeadlineTimer;
pub use self::messages::{Join, Joined, Leave, NotPublished, Publish, Seal, Stop, Who};
pub use self::presence::PresenceLimits;
use self::presence::{Change, JoinAnnouncement, Presence};
use super::sentinel::Sentinel;
use crate::accounts::UserName;
use crate::log::{Appender, InFlightBytes, JournalWriter};
use crate::wire::{Millis, Seq};
use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, MessageResult, Response};

/// Owns the log's appender.
pub struct Hub {
    appender: Appender,
    presence: Presence,
    /// Fires when an announcement is due.
    timer: DeadlineTimer,
    clock: Clock,
    /// Broadcasts that are not visible yet, without a journal.
    in_flight: Vec<InFlightBytes>,
    /// With a journal.
    commit_queue: Option<CommitQueue>,
    sentinel: Sentinel,
}

/// Returns the time of a broadcast.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

impl Hub {
    /// Creates the hub, with the writer of its journal if it has one; the sentinel reports its
    /// panic.
    pub fn new(
        appender: Appender,
        journal_writer: Option<JournalWriter>,
        presence: PresenceLimits,
        clock: Clock,
        sentinel: Sentinel,
    ) -> Hub {
        Hub {
            appender,
            presence: Presence::new(presence, Instant::now()),
            timer: DeadlineTimer::default(),
            clock,
            in_flight: Vec::new(),
            commit_queue: journal_writer.map(CommitQueue::new),
            sentinel,
        }
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
    fn next_due(&self) -> Option<Instant> {
        let may = self
            .commit_queue
            .as_ref()
            .is_none_or(CommitQueue::may_announce);
        self.presence.next_due().filter(|_| may)
    }

    /// Makes the announcements that are due.
    fn announce_due(&mut self, now: Instant) {
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
}

impl Actor for Hub {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1 << 12);
        self.commit_queue.iter_mut().for_each(CommitQueue::start);
        ctx.spawn(Commit);
    }
}

/// Runs each time that the mailbox is empty, and commits what was appended.
struct Commit;

impl ActorFuture<Hub> for Commit {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        hub: &mut Hub,
        _ctx: &mut Context<Hub>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        if hub.timer.poll(hub.next_due(), task) {
            hub.announce_due(Instant::now());
            let _ = hub.timer.poll(hub.next_due(), task); // for the next announcement
        }
        let Hub {
            appender,
            presence,
            clock,
            in_flight,
            commit_queue,
            ..
        } = hub;
        match commit_queue {
            None => {
                appender.commit();
                in_flight.clear();
            }
            Some(commit_queue) => commit_queue.poll(appender, presence, || clock(), task),
        }
        Poll::Pending
    }
}

impl Handler<Publish> for Hub {
    type Result = Response<Result<Seq, NotPublished>>;

    fn handle(&mut self, publish: Publish, _ctx: &mut Self::Context) -> Self::Result {
        let (at, from) = ((self.clock)(), publish.from.as_str());
        let Some(commit_queue) = &mut self.commit_queue else {
            let published = self.appender.push_messages(at, from, publish.bodies.iter());
            self.in_flight.extend(publish.in_flight);
            return Response::reply(published.map_err(NotPublished::from));
        };
        let now = Instant::now();
        if let Err(refused) = commit_queue.admit(&mut self.appender, &mut self.presence, at, now) {
            return Response::reply(Err(refused));
        }
        match self.appender.push_messages(at, from, publish.bodies.iter()) {
            Ok(first) => commit_queue.publish(first, publish.in_flight),
            Err(sealed) => Response::reply(Err(sealed.into())),
        }
    }
}

impl Handler<Join> for Hub {
    type Result = Response<Result<Joined, NotPublished>>;

    fn handle(&mut self, Join(user): Join, _ctx: &mut Self::Context) -> Self::Result {
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
}

impl Handler<Leave> for Hub {
    type Result = ();

    fn handle(&mut self, Leave(user): Leave, _ctx: &mut Self::Context) {
        let now = Instant::now();
        if !self.presence.leave(&user, now) {
            return;
        }
        match &self.commit_queue {
            None => drop(self.announce(&user, Change::Left, now)),
            Some(_) => {
                self.presence.postpone(&user, now);
                self.announce_due(now);
            }
        }
    }
}

impl Handler<Who> for Hub {
    type Result = MessageResult<Who>;

    fn handle(&mut self, Who: Who, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.presence.present())
    }
}

impl Handler<Seal> for Hub {
    type Result = Response<Seq>;

    fn handle(&mut self, Seal: Seal, _ctx: &mut Self::Context) -> Self::Result {
        match &mut self.commit_queue {
            None => Response::reply(self.appender.seal()),
            Some(commit_queue) => commit_queue.seal(&self.appender),
        }
    }
}

impl Handler<Stop> for Hub {
    type Result = ();

    fn handle(&mut self, Stop: Stop, ctx: &mut Self::Context) {
        self.sentinel.disarm();
        ctx.stop();
    }
}
