//! The acceptor: one a listener, hands each connection over.
//!
//! It survives every error of an accept. Where no place is free, the caller is
//! handed over all the same, to be told so; where even that would be too much, and
//! where a caller could not be told, it waits for a place, where the system keeps it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, MessageResult};
use parking_lot::Mutex;

use super::sentinel::Sentinel;

/// How long the first pause after a failed accept is; it doubles up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);

/// Connections taken in a row before others on this thread have their turn.
const BURST: usize = 64;

/// What is listened on, without what it is.
pub trait Door: Unpin + 'static {
    /// A connection.
    type Caller;

    /// The next connection.
    fn poll_accept(&mut self, cx: &mut TaskContext<'_>) -> Poll<io::Result<Self::Caller>>;

    /// Lets nobody new in; those who wait can still be accepted.
    fn close_to_new(&mut self);

    /// The next of those who have connected and wait, asking the system itself:
    /// what the runtime has been told of may be older.
    fn next_waiting(&mut self) -> Option<Self::Caller>;
}

/// What becomes of a caller.
#[derive(Debug)]
pub enum Admission {
    /// There is a place.
    Welcome(Places),
    /// There is none: say so.
    Full(Places),
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

/// Counts places, at an endpoint or in the whole server.
#[derive(Debug, Clone)]
pub struct Room {
    places: Arc<Count>,
    most: usize,
}

#[derive(Debug, Default)]
struct Count {
    taken: AtomicUsize,
    /// Acceptors that wait for a free place.
    waiting: Mutex<Vec<Waker>>,
}

/// Places that are taken; dropping it frees them.
#[derive(Debug, Default)]
pub struct Places(Vec<Room>);

impl Room {
    /// A room with so many places.
    pub fn new(most: usize) -> Room {
        Room {
            places: Arc::default(),
            most,
        }
    }

    fn enter(&self) -> bool {
        let entered = self.places.taken.fetch_add(1, Ordering::AcqRel) < self.most;
        if !entered {
            self.places.taken.fetch_sub(1, Ordering::AcqRel);
        }
        entered
    }

    fn leave(&self) {
        self.places.taken.fetch_sub(1, Ordering::AcqRel);
        let waiting = std::mem::take(&mut *self.places.waiting.lock());
        waiting.into_iter().for_each(Waker::wake);
    }

    fn is_full(&self) -> bool {
        self.places.taken.load(Ordering::Acquire) >= self.most
    }

    /// Whether there is a place; where there is none, the task is woken by the next.
    fn poll_place(&self, cx: &TaskContext<'_>) -> bool {
        if !self.is_full() {
            return true;
        }
        let mut waiting = self.places.waiting.lock();
        if !waiting.iter().any(|known| known.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        drop(waiting);
        !self.is_full() // one may have left between the two
    }
}

impl Places {
    /// One place in each of the rooms, or none at all.
    fn take<'a>(rooms: impl IntoIterator<Item = &'a Room>) -> Option<Places> {
        let mut places = Places::default();
        for room in rooms {
            if !room.enter() {
                return None;
            }
            places.0.push(room.clone());
        }
        Some(places)
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        self.0.iter().for_each(Room::leave);
    }
}

/// Accepts at one door.
pub struct Acceptor<D: Door> {
    door: Option<D>,
    rooms: Vec<Room>,
    when_full: WhenFull,
    /// Callers who are being told that there is no place.
    turned_away: Room,
    hand_over: Box<dyn FnMut(D::Caller, Admission)>,
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

impl<D: Door> Acceptor<D> {
    /// An acceptor at `door`, for callers who find a place in each of `rooms`.
    pub fn new(
        door: D,
        (rooms, when_full): (Vec<Room>, WhenFull),
        turned_away: Room,
        hand_over: impl FnMut(D::Caller, Admission) + 'static,
        sentinel: Sentinel,
    ) -> Self {
        Acceptor {
            door: Some(door),
            rooms,
            when_full,
            turned_away,
            hand_over: Box::new(hand_over),
            pause: SHORTEST,
            resting: false,
            stopping: false,
            waker: None,
            sentinel,
        }
    }

    fn admit(&mut self, caller: D::Caller) {
        let admission = if self.stopping {
            Some(Admission::Stopping)
        } else if let Some(places) = Places::take(&self.rooms) {
            Some(Admission::Welcome(places))
        } else {
            Places::take([&self.turned_away]).map(Admission::Full)
        };
        match admission {
            Some(admission) => (self.hand_over)(caller, admission),
            // It was looked at before the accept, and this is the one thread that takes any.
            None => tracing::error!("a caller was dropped: there was a place, and is none"),
        }
    }

    fn accept(&mut self, ctx: &mut Context<Self>, cx: &mut TaskContext<'_>) {
        for _ in 0..BURST {
            if self.resting || self.waits_for_place(cx) {
                return;
            }
            let Some(door) = &mut self.door else { return };
            match door.poll_accept(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(caller)) => {
                    self.pause = SHORTEST;
                    self.admit(caller);
                }
                // The caller has gone before its accept: the next one, please.
                Poll::Ready(Err(error))
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionAborted
                            | io::ErrorKind::ConnectionReset
                            | io::ErrorKind::NotConnected
                            | io::ErrorKind::Interrupted
                    ) => {}
                Poll::Ready(Err(error)) => self.rest(&error, ctx),
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Whether the next caller could neither stay nor be told so. It waits where the
    /// system keeps it; those who are being told are gone in a moment.
    ///
    /// All acceptors are on one thread, so that nobody takes the place in between.
    fn waits_for_place(&self, cx: &TaskContext<'_>) -> bool {
        let is_free = |room: &Room| room.poll_place(cx);
        let may_stay = self.rooms.iter().all(is_free);
        match self.when_full {
            WhenFull::Wait => !may_stay,
            WhenFull::Refuse => !may_stay && !self.turned_away.poll_place(cx),
        }
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
        while let Some(caller) = door.next_waiting() {
            self.admit(caller);
        }
    }
}

impl<D: Door> Actor for Acceptor<D> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Accepting);
    }
}

struct Accepting;

impl<D: Door> ActorFuture<Acceptor<D>> for Accepting {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        acceptor: &mut Acceptor<D>,
        ctx: &mut Context<Acceptor<D>>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        acceptor.waker = Some(task.waker().clone());
        acceptor.accept(ctx, task);
        Poll::Pending
    }
}

impl<D: Door> Handler<Seal> for Acceptor<D> {
    type Result = MessageResult<Seal>;

    fn handle(&mut self, Seal: Seal, ctx: &mut Self::Context) -> Self::Result {
        self.refuse_waiting();
        self.sentinel.disarm();
        ctx.stop();
        MessageResult(())
    }
}
