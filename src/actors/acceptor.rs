//! The acceptor: one a listener, hands each connection over.
//!
//! It survives every error of an accept: a caller that has gone costs nothing, anything
//! else a pause. Where no place is free, the caller is
//! handed over all the same, to be told so; where even that would be too much, and
//! where a caller could not be told, it waits for a place, where the system keeps it.

use std::io;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, MessageResult};

use super::permits::{KeyedLimit, Permits, SessionLimit};
use super::sentinel::Sentinel;
use super::unauthenticated::Unauthenticated;
use crate::accounts::PeerId;
use crate::framing::Failure;
use crate::link::{Accept, IncomingConnection};

/// How long the first pause after a failed accept is; it doubles up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);

/// Connections taken in a row before others on this thread have their turn.
const BURST: usize = 64;

/// What becomes of a caller.
#[derive(Debug)]
pub enum Admission {
    /// There is a place.
    Welcome(Permits),
    /// There is none: say so.
    Full(Permits),
    /// There is none, and many are being told: say so, and do not wait until it is read.
    FullBriefly(Permits),
    /// The server is stopping: say so.
    Stopping,
}

/// What a caller gets where no place is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It is let in to be told so.
    Refuse,
    /// It is not let in before there is a place.
    Wait,
}

/// Where the callers of one door find their places.
pub struct Venue {
    /// Each caller takes a place in each of these.
    pub rooms: Vec<SessionLimit>,
    /// And one of its peer's.
    pub peers: KeyedLimit<PeerId>,
    /// And one of its peer's network's.
    pub networks: KeyedLimit<PeerId>,
    /// And one of those who have not logged in, where a login is asked for.
    pub before_login: Option<Unauthenticated>,
    /// What becomes of those who find none in the rooms.
    pub when_full: WhenFull,
    /// Callers who are being told that there is no place: all of them.
    pub turned_away: SessionLimit,
    /// Those among them who have the time to read it.
    pub patiently: SessionLimit,
}

/// Accepts at one door.
pub struct Acceptor<D: Accept> {
    door: Option<D>,
    venue: Venue,
    /// A caller who could not even be told, for a moment: nobody is accepted before it.
    held: Option<D::Connection>,
    hand_over: Box<dyn FnMut(D::Connection, Admission)>,
    pause: Duration,
    resting: bool,
    stopping: bool,
    waker: Option<Waker>,
    sentinel: Sentinel,
}

/// Let nobody new in, refuse those who wait, and close the door.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Seal;

impl Venue {
    /// `None`: it could not even be told that it cannot stay. That is over in a moment, as
    /// half of those who are told have no time to read it: a peer that has too many may come
    /// as often as it likes, and keeps nobody else out of the door.
    fn admission(&self, peer: PeerId) -> Option<Admission> {
        if let Some(places) = self.places(peer) {
            return Some(Admission::Welcome(places));
        }
        if let Some(places) = Permits::take([&self.turned_away, &self.patiently]) {
            return Some(Admission::Full(places));
        }
        Permits::take([&self.turned_away]).map(Admission::FullBriefly)
    }

    fn places(&self, peer: PeerId) -> Option<Permits> {
        let places = Permits::take(&self.rooms)?;
        let places = places.of(&self.peers, &self.networks, peer.clone())?;
        match &self.before_login {
            None => Some(places),
            Some(all) => places.before_login(all, peer),
        }
    }

    /// Whether the next caller could neither stay nor be told so. It waits where the
    /// system keeps it; those who are being told are gone in a moment.
    ///
    /// All acceptors are on one thread, so that nobody takes the place in between.
    fn waits_for_place(&self, cx: &TaskContext<'_>) -> bool {
        let is_free = |room: &SessionLimit| room.poll_place(cx);
        let may_stay = self.rooms.iter().all(is_free);
        match self.when_full {
            WhenFull::Wait => !may_stay,
            WhenFull::Refuse => !may_stay && !self.turned_away.poll_place(cx),
        }
    }
}

impl<D: Accept> Acceptor<D> {
    /// An acceptor at `door`, for callers who find their places.
    pub fn new(
        door: D,
        venue: Venue,
        hand_over: impl FnMut(D::Connection, Admission) + 'static,
        sentinel: Sentinel,
    ) -> Self {
        Acceptor {
            door: Some(door),
            venue,
            held: None,
            hand_over: Box::new(hand_over),
            pause: SHORTEST,
            resting: false,
            stopping: false,
            waker: None,
            sentinel,
        }
    }

    /// Hands a caller over, or keeps it where it could neither stay nor be told so.
    fn admit(&mut self, caller: D::Connection) {
        let admission = match self.stopping {
            true => Some(Admission::Stopping),
            false => self.venue.admission(caller.peer_id()),
        };
        match admission {
            Some(admission) => (self.hand_over)(caller, admission),
            None => self.held = Some(caller),
        }
    }

    /// Whether a caller is still held.
    fn holds(&mut self, cx: &TaskContext<'_>) -> bool {
        let Some(caller) = self.held.take() else {
            return false;
        };
        if self.venue.turned_away.poll_place(cx) {
            self.admit(caller);
        } else {
            self.held = Some(caller);
        }
        self.held.is_some()
    }

    fn accept(&mut self, ctx: &mut Context<Self>, cx: &mut TaskContext<'_>) {
        let mut gone = 0;
        for _ in 0..BURST {
            if self.resting || self.holds(cx) || self.venue.waits_for_place(cx) {
                return;
            }
            let Some(door) = &mut self.door else { return };
            match door.poll_accept(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(caller)) => {
                    self.pause = SHORTEST;
                    self.admit(caller);
                }
                // The caller has gone before its accept.
                Poll::Ready(Err(error)) if door.failure_of(&error) == Failure::PeerGone => {
                    gone += 1;
                    if gone == BURST {
                        self.rest(&error, ctx); // or it would go on without a pause for ever
                    }
                }
                Poll::Ready(Err(error)) => self.rest(&error, ctx),
            }
        }
        cx.waker().wake_by_ref();
    }

    /// No descriptor or no memory is free: others must end before this helps.
    fn rest(&mut self, error: &io::Error, ctx: &mut Context<Self>) {
        tracing::warn!(%error, pause = ?self.pause, "accepting failed, trying again");
        self.resting = true;
        ctx.run_later(self.pause, |acceptor, _| {
            acceptor.resting = false;
            if let Some(waker) = &acceptor.waker {
                waker.wake_by_ref();
            }
        });
        self.pause = (self.pause * 2).min(LONGEST);
    }

    /// Tells those who have connected but were not accepted yet.
    fn refuse_waiting(&mut self) {
        let Some(mut door) = self.door.take() else {
            return;
        };
        self.stopping = true;
        door.close_to_new();
        if let Some(caller) = self.held.take() {
            self.admit(caller);
        }
        while let Some(caller) = door.accept_waiting() {
            self.admit(caller);
        }
    }
}

impl<D: Accept> Actor for Acceptor<D> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Accepting);
    }
}

struct Accepting;

impl<D: Accept> ActorFuture<Acceptor<D>> for Accepting {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        acceptor: &mut Acceptor<D>,
        ctx: &mut Context<Acceptor<D>>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        acceptor.waker = Some(task.waker().clone());
        if let Some(door) = &mut acceptor.door {
            door.poll_watch(task);
        }
        acceptor.accept(ctx, task);
        Poll::Pending
    }
}

impl<D: Accept> Handler<Seal> for Acceptor<D> {
    type Result = MessageResult<Seal>;

    fn handle(&mut self, Seal: Seal, ctx: &mut Self::Context) -> Self::Result {
        self.refuse_waiting();
        self.sentinel.disarm();
        ctx.stop();
        MessageResult(())
    }
}
