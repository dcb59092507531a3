//! The hub: gives each broadcast its seq, knows who is present.
//!
//! It does no work a session. What arrives together is appended together and
//! shown with one wake-up a thread; with a journal, once it is on disk ([`keeper`]).

mod keeper;
mod present;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use actix::fut::ActorFuture;
use actix::{
    Actor, ActorContext, AsyncContext, Context, Handler, Message, MessageResult, Response,
};
use smallvec::SmallVec;

use self::keeper::Keeper;
use self::present::Present;
use super::sentinel::Sentinel;
use super::spare;
use crate::accounts::UserName;
use crate::log::{Appender, Presented, Scribe};
use crate::wire::{Body, Millis, Seq, cbor};

/// Owns the log's appender.
pub struct Hub {
    appender: Appender,
    present: Present,
    clock: Clock,
    /// Where there is a journal.
    keeper: Option<Keeper>,
    sentinel: Sentinel,
}

/// Why something was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPublished {
    /// The log takes nothing more.
    Sealed,
    /// The journal could not be written.
    Unwritten,
}

/// Tells the time of a broadcast.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Publish these, in this order, next to one another.
#[derive(Message)]
#[rtype(result = "Result<Seq, NotPublished>")]
pub struct Publish {
    /// Who publishes.
    pub from: UserName,
    /// What.
    pub bodies: Bodies,
}

/// Bodies on their way to the hub, as CBOR items in one piece of memory.
#[derive(Debug)]
pub struct Bodies {
    items: Vec<u8>,
    /// Where each ends.
    ends: SmallVec<[usize; 4]>,
}

impl Default for Bodies {
    fn default() -> Self {
        Bodies {
            items: spare::take(),
            ends: SmallVec::new(),
        }
    }
}

impl Drop for Bodies {
    fn drop(&mut self) {
        spare::give(std::mem::take(&mut self.items));
    }
}

impl Bodies {
    /// Adds one.
    pub fn push(&mut self, body: &Body<'_>) {
        cbor::encode_body(body, &mut self.items);
        self.ends.push(self.items.len());
    }

    /// Their bytes in all.
    pub fn bytes(&self) -> usize {
        self.items.len()
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends
            .iter()
            .map(move |end| &self.items[std::mem::replace(&mut start, *end)..*end])
    }
}

/// A session of this user has logged in.
#[derive(Message)]
#[rtype(result = "Result<Joined, NotPublished>")]
pub struct Join(pub UserName);

/// Where the log was when a session joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// The newest seq before the login's own `joined`.
    pub before: Seq,
    /// The newest seq with it.
    pub head: Seq,
}

impl Joined {
    /// Of a session that nothing announces.
    fn silently(head: Seq) -> Joined {
        Joined { before: head, head }
    }
}

/// A session of this user has ended.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Leave(pub UserName);

/// Who is present?
#[derive(Message)]
#[rtype(result = "Vec<UserName>")]
pub struct Who;

/// Take nothing more; the answer is the head that stays.
#[derive(Message)]
#[rtype(result = "Seq")]
pub struct Seal;

/// Stop.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Stop;

impl Hub {
    /// A hub, and what writes its journal where it has one; the sentinel tells of
    /// its panic.
    pub fn new(
        appender: Appender,
        scribe: Option<Scribe>,
        clock: Clock,
        sentinel: Sentinel,
    ) -> Hub {
        Hub {
            appender,
            present: Present::default(),
            clock,
            keeper: scribe.map(Keeper::new),
            sentinel,
        }
    }

    fn join_shown_at_once(&mut self, user: &UserName, is_first: bool) -> Joined {
        if !is_first {
            return Joined::silently(self.appender.log().head());
        }
        let joined = Presented::Joined(user.as_str());
        // A sealed log announces nobody: the shutdown ends the sessions now.
        let own = self.appender.push_presence((self.clock)(), joined);
        // Shown now: the session's cursor starts behind it.
        self.appender.commit();
        self.present.announce(user);
        let head = self.appender.log().head();
        own.map_or(Joined::silently(head), |own| Joined {
            before: Seq(own.0 - 1),
            head,
        })
    }
}

impl Actor for Hub {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1 << 12);
        self.keeper.iter_mut().for_each(Keeper::start);
        ctx.spawn(Commit);
    }
}

/// Runs each time that the mailbox has been emptied: shows what has gathered.
struct Commit;

impl ActorFuture<Hub> for Commit {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        hub: &mut Hub,
        _ctx: &mut Context<Hub>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let Hub {
            appender,
            present,
            clock,
            keeper,
            ..
        } = hub;
        match keeper {
            None => appender.commit(),
            Some(keeper) => keeper.turn(appender, present, || clock(), task),
        }
        Poll::Pending
    }
}

impl Handler<Publish> for Hub {
    type Result = Response<Result<Seq, NotPublished>>;

    fn handle(&mut self, publish: Publish, _ctx: &mut Self::Context) -> Self::Result {
        let (at, from) = ((self.clock)(), publish.from.as_str());
        let Some(keeper) = &mut self.keeper else {
            let published = self.appender.push_messages(at, from, publish.bodies.iter());
            return Response::reply(published.map_err(NotPublished::from));
        };
        if let Err(refused) = keeper.admit(&mut self.appender, at) {
            return Response::reply(Err(refused));
        }
        match self.appender.push_messages(at, from, publish.bodies.iter()) {
            Ok(first) => keeper.publish(first),
            Err(sealed) => Response::reply(Err(sealed.into())),
        }
    }
}

impl Handler<Join> for Hub {
    type Result = Response<Result<Joined, NotPublished>>;

    fn handle(&mut self, Join(user): Join, _ctx: &mut Self::Context) -> Self::Result {
        let is_first = self.present.enter(&user);
        let Some(keeper) = &mut self.keeper else {
            return Response::reply(Ok(self.join_shown_at_once(&user, is_first)));
        };
        if self.present.is_announced(&user) {
            return Response::reply(Ok(Joined::silently(self.appender.log().head())));
        }
        let mut own = None;
        if is_first {
            let at = (self.clock)();
            match keeper.admit(&mut self.appender, at) {
                Ok(()) => {
                    let joined = Presented::Joined(user.as_str());
                    // It is not sealed: that was just looked at.
                    own = self.appender.push_presence(at, joined).ok();
                }
                // The shutdown ends the session now: nobody is told of it.
                Err(NotPublished::Sealed) => {
                    return Response::reply(Ok(Joined::silently(self.appender.log().head())));
                }
                Err(refused) => {
                    self.present.leave(&user);
                    return Response::reply(Err(refused));
                }
            }
        }
        keeper.join(user, own)
    }
}

impl Handler<Leave> for Hub {
    type Result = ();

    fn handle(&mut self, Leave(user): Leave, _ctx: &mut Self::Context) {
        if !self.present.leave(&user) {
            return;
        }
        let at = (self.clock)();
        match &mut self.keeper {
            None => {
                // A sealed log announces nobody: the shutdown ends the sessions now.
                let left = Presented::Left(user.as_str());
                let _ = self.appender.push_presence(at, left);
            }
            Some(keeper) => keeper.leave(&mut self.appender, at, user),
        }
    }
}

impl Handler<Who> for Hub {
    type Result = MessageResult<Who>;

    fn handle(&mut self, Who: Who, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.present.announced())
    }
}

impl Handler<Seal> for Hub {
    type Result = Response<Seq>;

    fn handle(&mut self, Seal: Seal, _ctx: &mut Self::Context) -> Self::Result {
        match &mut self.keeper {
            None => Response::reply(self.appender.seal()),
            Some(keeper) => keeper.seal(&self.appender),
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
