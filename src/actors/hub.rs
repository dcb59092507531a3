//! The hub: gives each broadcast its seq, knows who is present.
//!
//! It does no work a session. What arrives together is appended together and
//! shown with one wake-up a thread.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, MessageResult};
use smallvec::SmallVec;

use super::sentinel::Sentinel;
use super::spare;
use crate::accounts::UserName;
use crate::log::{Appender, Presented, Sealed};
use crate::wire::{Body, Millis, Seq, cbor};

/// Owns the log's appender.
pub struct Hub {
    appender: Appender,
    present: BTreeMap<UserName, usize>,
    clock: Clock,
    sentinel: Sentinel,
}

/// Tells the time of a broadcast.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Publish these, in this order, next to one another.
#[derive(Message)]
#[rtype(result = "Result<Seq, Sealed>")]
pub struct Publish {
    /// Who publishes.
    pub from: UserName,
    /// What.
    pub bodies: Bodies,
}

/// What a message frame holds beside its body and its sender's name, at most:
/// names of keys, numbers, heads.
const MESSAGE_OVERHEAD: usize = 64;

/// Whether a message's frame will be one that clients take.
pub fn fits(body: &Body<'_>, from: &UserName, max_frame: usize) -> bool {
    body.as_bytes().len() + from.as_str().len() + MESSAGE_OVERHEAD <= max_frame
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

/// A session of this user has logged in; the answer is the newest seq after that.
#[derive(Message)]
#[rtype(result = "Seq")]
pub struct Join(pub UserName);

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
    /// A hub; the sentinel tells of its panic.
    pub fn new(appender: Appender, clock: Clock, sentinel: Sentinel) -> Hub {
        Hub {
            appender,
            present: BTreeMap::new(),
            clock,
            sentinel,
        }
    }

    fn announce(&mut self, who: Presented<'_>) {
        // A sealed log announces nobody: the shutdown ends the sessions now.
        let _ = self.appender.push_presence((self.clock)(), who);
    }
}

impl Actor for Hub {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1 << 12);
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
        _task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        hub.appender.commit();
        Poll::Pending
    }
}

impl Handler<Publish> for Hub {
    type Result = MessageResult<Publish>;

    fn handle(&mut self, publish: Publish, _ctx: &mut Self::Context) -> Self::Result {
        let (at, from) = ((self.clock)(), publish.from.as_str());
        MessageResult(self.appender.push_messages(at, from, publish.bodies.iter()))
    }
}

impl Handler<Join> for Hub {
    type Result = MessageResult<Join>;

    fn handle(&mut self, Join(user): Join, _ctx: &mut Self::Context) -> Self::Result {
        let sessions = self.present.entry(user.clone()).or_default();
        *sessions += 1;
        if *sessions == 1 {
            self.announce(Presented::Joined(user.as_str()));
            // Shown now: the session's cursor starts behind it.
            self.appender.commit();
        }
        MessageResult(self.appender.log().head())
    }
}

impl Handler<Leave> for Hub {
    type Result = ();

    fn handle(&mut self, Leave(user): Leave, _ctx: &mut Self::Context) {
        let Some(sessions) = self.present.get_mut(&user) else {
            return;
        };
        *sessions -= 1;
        if *sessions == 0 {
            self.present.remove(&user);
            self.announce(Presented::Left(user.as_str()));
        }
    }
}

impl Handler<Who> for Hub {
    type Result = MessageResult<Who>;

    fn handle(&mut self, Who: Who, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.present.keys().cloned().collect())
    }
}

impl Handler<Seal> for Hub {
    type Result = MessageResult<Seal>;

    fn handle(&mut self, Seal: Seal, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.appender.seal())
    }
}

impl Handler<Stop> for Hub {
    type Result = ();

    fn handle(&mut self, Stop: Stop, ctx: &mut Self::Context) {
        self.sentinel.disarm();
        ctx.stop();
    }
}
