//! The session: one connection's side of the protocol.
//!
//! One future of the actor, the pump, reads, serves and writes; nothing else
//! touches the link. It stops reading while a frame is in work or answers pile up,
//! so that a client's own pace is the only queue there is.
//!
//! - [`listener_context`]: what a session begins with;
//! - [`state`]: where a session is, as one enum;
//! - [`inbound`]: bytes to frames, and when to read;
//! - [`messages`]: the same where the system keeps messages whole;
//! - [`deadlines`]: what the client must send in time;
//! - [`deaf`]: sessions that only speak;
//! - [`gone`]: clients that go while nobody reads what they sent;
//! - [`serve`]: what each frame does;
//! - [`login`]: from the claim to the first broadcast;
//! - [`rate`]: how fast it may ask;
//! - [`park`]: what calls it again;
//! - [`work`]: frames that wait for another actor, or for a handler;
//! - [`outlet`]: answers and broadcasts to bytes;
//! - [`reader`]: the session's place among the broadcasts;
//! - [`past`]: broadcasts that only the journal still holds;
//! - [`record`]: what can be said of a session, and how far its bytes got;
//! - [`orders`]: what a shutdown asks of it;
//! - [`notice`]: what it has been told of the stop;
//! - [`ending`]: the way from the last frame to the end;
//! - [`unread`]: waiting until the client has read `closing`;
//! - [`failing`]: connections that the system fails.

mod deadlines;
mod deaf;
mod ending;
mod failing;
mod gone;
mod inbound;
mod listener_context;
mod login;
mod messages;
mod notice;
mod orders;
mod outlet;
mod park;
mod past;
mod rate;
mod reader;
mod record;
mod serve;
mod state;
mod unread;
mod work;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Instant;

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, ResponseFuture};
use tokio::sync::oneshot;

use self::deadlines::Deadlines;
use self::ending::Ending;
use self::inbound::Inbox;
pub use self::listener_context::{
    ConnectRefusal, ListenerContext, SessionLimits, SlowPolicy, Start,
};
use self::notice::Notice;
use self::outlet::{Opened, Outlet};
use self::park::Wakes;
use self::serve::Batch;
use self::state::{Member, State};
use self::work::Pending;
use super::hub::Leave;
use super::link::Link;
use super::permits::{KeyedPermit, Permits};
use super::supervisor::{Ended, Order, SessionInfo};
use crate::accounts::{PeerId, UserName};
use crate::close::{CloseReason, Evidence, SessionRecord, Times};
use crate::rate::Bucket;
use crate::wire::{ErrorCode, Seq, ServerFrame, VERSION, Welcome};

/// How often the pump goes round before other sessions have their turn.
const ROUNDS: usize = 16;

/// Frames that are served before other sessions have their turn. Publishes are not counted:
/// many of them cost what one other frame does, and they wait for slow readers.
const TURN: u32 = 256;

/// One connection.
pub struct Session<L: Link + 'static> {
    /// First, to be free again before the link is closed: who sees that and comes in
    /// its place finds one.
    places: Permits,
    /// Its place among the user's sessions, once it has logged in.
    user_place: Option<KeyedPermit<UserName>>,
    peer: PeerId,
    state: State,
    inbox: Inbox,
    outlet: Outlet<L>,
    /// The oldest piece of work.
    pending: Option<Pending>,
    /// Runs of publishes behind it, which then is one itself.
    runs: VecDeque<Pending>,
    /// Boxed, as few sessions publish at any moment.
    batch: Option<Box<Batch>>,
    /// Frames that may be served before other sessions have their turn.
    turn: u32,
    wakes: Wakes,
    tally: Tally,
    /// Whoever waits for a login to be answered, as long as the client is there.
    asker: Option<Arc<()>>,
    /// The token bucket: before the login for every frame, after it for the request rate.
    /// Boxed, as few servers have the latter.
    bucket: Option<Box<Bucket>>,
    /// The last seq that the client said it has read.
    acked: Seq,
    /// How far the bytes got, once the session is closed.
    evidence: Option<Evidence>,
    /// Boxed, as they are made only once the server stops.
    times: Option<Box<Times>>,
    /// Whether a timer will ask again if the client has read everything.
    looking: bool,
    /// Boxed, as few sessions are told of a stop at any moment.
    notice: Option<Box<Notice>>,
    info: Arc<SessionInfo>,
    listener: Arc<ListenerContext>,
    is_own_user: bool,
    deadlines: Deadlines,
    /// Whether its place before the login was given to another peer.
    is_given_up: bool,
    /// Whether it says its last word and does not wait until that is read.
    is_brief: bool,
    /// Who waits for the session to be drained, or closed.
    waiting: Option<oneshot::Sender<SessionRecord>>,
    waker: Option<Waker>,
}

/// Counts of a session's frames since its login.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    accepted: u64,
    answered: u64,
    refused: u64,
    bad_credentials: u32,
}

impl<L: Link + 'static> Session<L> {
    /// A session that begins with its welcome.
    pub fn new(start: Start<L>) -> Self {
        let listener = start.listener;
        let outlet = Outlet::new(Opened {
            link: start.link,
            session: start.info.id,
            dialect: listener.dialect,
            max_frame: listener.limits.max_frame,
            log: Arc::clone(&listener.log),
            shard: start.shard,
        });
        // Where closing takes back what is unread, even a brief word is waited for.
        let is_brief =
            start.refusal == Some(ConnectRefusal::FullBriefly) && outlet.link_ref().half_closes();
        let rate = match listener.dialect.raw() {
            Some(_) => listener.limits.request_rate,
            None => Some(listener.limits.rate_before_login),
        };
        let bucket = rate.map(|rate| Box::new(Bucket::full(rate, Instant::now())));
        let mut session = Session {
            places: start.places,
            user_place: None,
            peer: start.peer,
            state: State::Greeting,
            inbox: Inbox::default(),
            outlet,
            pending: None,
            runs: VecDeque::new(),
            batch: None,
            turn: TURN,
            wakes: Wakes::default(),
            tally: Tally::default(),
            asker: None,
            bucket,
            acked: Seq::ZERO,
            evidence: None,
            times: None,
            looking: false,
            notice: None,
            info: start.info,
            listener,
            is_own_user: start.is_own_user,
            deadlines: Deadlines::default(),
            is_given_up: false,
            is_brief,
            waiting: None,
            waker: None,
        };
        session.greet();
        if let Some(why) = start.refusal {
            session.fail(why.code(), why.message());
        } else if session.listener.dialect.raw().is_some() {
            session.state = State::Ready(Member::Nameless);
            if session.listener.dialect.is_outbound() {
                // No user name holds a space.
                let peer = Arc::from(format!("peer {}", session.peer));
                session.follow(start.head, peer);
            }
        }
        session
    }

    fn greet(&mut self) {
        let listener = Arc::clone(&self.listener);
        self.outlet.answer(&ServerFrame::Welcome(Welcome {
            version: VERSION,
            server: listener.server.as_str().into(),
            session: self.info.id,
            max_frame: listener.limits.max_frame as u64,
            max_body: Some(listener.limits.max_body() as u64),
            idle_timeout: listener.limits.idle_timeout_millis(),
            features: Vec::new(),
            limits: None,
        }));
    }

    /// Reads, serves and writes until there is nothing to do, or others must have
    /// their turn.
    fn pump(&mut self, ctx: &mut Context<Self>, cx: &mut TaskContext<'_>) {
        if !self
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            self.waker = Some(cx.waker().clone());
        }
        (self.turn, self.wakes) = (TURN, Wakes::default());
        for _ in 0..ROUNDS {
            let served = self.poll_work(cx);
            if served {
                self.note_login(ctx);
            }
            self.poll_place(cx);
            let read = self.poll_input(ctx, cx);
            let written = self.poll_output(cx);
            let moved = self.move_on(ctx, cx);
            if !(served || read || written || moved) && self.turn > 0 {
                if self.judge_deadline(ctx) {
                    continue; // it has something to say
                }
                self.park(ctx);
                return;
            }
        }
        self.judge_deadline(ctx);
        cx.waker().wake_by_ref();
    }

    /// A panic in here, be it a handler's or our own, ends this session only.
    fn pump_guarded(&mut self, ctx: &mut Context<Self>, cx: &mut TaskContext<'_>) {
        let pumped = catch_unwind(AssertUnwindSafe(|| self.pump(ctx, cx)));
        if pumped.is_err() {
            tracing::error!(session = %self.info.id, "a session panicked, it ends");
            (self.pending, self.batch) = (None, None);
            self.runs.clear();
            if self.is_saying_goodbye() {
                self.close(CloseReason::Error(ErrorCode::Internal));
            } else {
                self.fail(
                    ErrorCode::Internal,
                    "the server failed while it served this session",
                );
            }
            cx.waker().wake_by_ref();
        }
    }

    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Ends a session that waits in vain for its login. A login that is in work may still
    /// succeed; one that fails was the last.
    fn check_login(&mut self) {
        if matches!(self.state, State::Greeting) && self.is_given_up {
            let message = "others need this place: log in sooner, or open fewer connections";
            self.fail(ErrorCode::TooManySessions, message);
        } else {
            self.deadlines.look_at_login();
        }
    }

    /// A place of those who have not logged in may be given to another peer.
    fn poll_place(&mut self, cx: &mut TaskContext<'_>) {
        if !self.is_given_up && self.places.poll_given_up(cx) {
            self.is_given_up = true;
            self.check_login();
        }
    }
}

impl<L: Link + 'static> Actor for Session<L> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Pump);
        self.begin_deadlines(ctx);
    }

    /// Also runs when a panic drops the actor: nobody waits for the dead.
    fn stopped(&mut self, _ctx: &mut Self::Context) {
        if let Some(user) = self.state.member().and_then(Member::user) {
            self.listener.hub.do_send(Leave(user.clone()));
        }
        let record = self.record();
        tracing::debug!(
            session = %record.session,
            user = record.user,
            reason = record.reason,
            accepted = record.accepted,
            refused = record.refused,
            sent = %record.sent,
            "session over"
        );
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.send(record.clone());
        }
        let has_failed = self.has_failed();
        self.listener
            .supervisor
            .do_send(Ended { record, has_failed });
    }
}

struct Pump;

impl<L: Link + 'static> ActorFuture<Session<L>> for Pump {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        session: &mut Session<L>,
        ctx: &mut Context<Session<L>>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        session.pump_guarded(ctx, task);
        if session.state.is_closed() && session.waiting.is_none() {
            ctx.stop();
        }
        Poll::Pending
    }
}

impl<L: Link + 'static> Handler<Order> for Session<L> {
    type Result = ResponseFuture<SessionRecord>;

    // The pump runs after the mailbox, in the same poll: it acts on the order.
    fn handle(&mut self, order: Order, ctx: &mut Self::Context) -> Self::Result {
        let done = match order {
            Order::Announce(status) => {
                self.announce(status);
                None
            }
            Order::Drain(cut) => self.begin_drain(cut, ctx),
            Order::Close(linger) => self.begin_close(linger, ctx),
            Order::CheckStanding => {
                self.check_standing();
                None
            }
            Order::Finish => {
                self.close(CloseReason::Shutdown);
                ctx.stop();
                None
            }
        };
        match done {
            None => {
                let record = self.record();
                Box::pin(async move { record })
            }
            Some(done) => {
                let at_once = self.record();
                Box::pin(async move { done.await.unwrap_or(at_once) })
            }
        }
    }
}

impl<L: Link + 'static> Session<L> {
    fn ending(&mut self) -> Option<&mut Ending> {
        match &mut self.state {
            State::Ending(ending) => Some(ending),
            _ => None,
        }
    }
}
