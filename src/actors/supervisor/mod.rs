//! The supervisor: knows every session, and takes them all down in order.
//!
//! The console, the signals and an admin's `shutdown` only send it [`Stop`]. It
//! imports no other actor: sessions are [`Order`]ed through recipients, and what
//! else must be stopped is its [`Crew`].

mod clock;
mod drive;
mod failed;
mod roster;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Handler, Message, MessageResult, Recipient};
use futures_util::future::LocalBoxFuture;
use tokio::sync::{oneshot, watch};

use self::clock::StopClock;
use self::drive::Drive;
use self::roster::Roster;
use crate::accounts::UserName;
use crate::close::{
    ActorLine, InWork, LAST_WORD, Phase, PhaseLine, Report, SessionRecord, StopReason, Stopwatch,
};
use crate::log::Log;
use crate::wire::Seq;

pub use roster::SessionInfo;

/// What the supervisor can ask of the actors that it does not know.
pub trait Crew {
    /// Let nobody new in, refuse half-done logins.
    fn seal_doors(&self) -> LocalBoxFuture<'static, ()>;
    /// Take no more broadcasts; the head that stays. `None` if the hub is gone.
    fn seal_log(&self) -> LocalBoxFuture<'static, Option<Seq>>;
    /// Stop the hub, then auth; each confirms.
    fn stop_actors(&self) -> LocalBoxFuture<'static, ()>;
    /// Sets until when the store waits for other processes.
    fn limit_store(&self) -> Box<dyn Fn(Instant)>;
    /// The last checkpoint, and the end of every thread.
    fn close_store(&self) -> LocalBoxFuture<'static, Closed>;
    /// What [`Crew::close_store`] still waits for, each in a sentence.
    fn unclosed(&self) -> Vec<String>;
    /// When each of them was sealed and has stopped.
    fn lines(&self) -> Vec<ActorLine>;
}

/// How the store, and the threads of the sessions, ended.
#[derive(Debug)]
pub struct Closed {
    /// The problems, one sentence each.
    pub trouble: Vec<String>,
    /// Whether the store's thread has panicked.
    pub has_panicked: bool,
}

/// The store's name where it is told of a panic.
pub const STORE: &str = "the store";

/// Owns the roster of sessions and the phases of the shutdown.
pub struct Supervisor {
    roster: Rc<RefCell<Roster>>,
    clock: Rc<StopClock>,
    plan: Option<Plan>,
    reason: Option<StopReason>,
}

/// Hears of each phase of the shutdown when it is over.
pub type PhaseObserver = Arc<dyn Fn(&PhaseLine) + Send + Sync>;

/// What a shutdown is made with.
pub struct Plan {
    /// What must be stopped beside the sessions.
    pub crew: Box<dyn Crew + Send>,
    /// Frames that were accepted and not yet answered.
    pub in_work: InWork,
    /// The broadcasts.
    pub log: Arc<Log>,
    /// Runs from the stop's beginning, for all who are told to note when they ended.
    pub stopwatch: Stopwatch,
    /// Hears of each phase when it is over.
    pub on_phase: PhaseObserver,
    /// Gets the report.
    pub done: watch::Sender<Option<Report>>,
}

/// Here is what a shutdown is made with: the supervisor's first message.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Begin(pub Plan);

/// A session has been handed its connection.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Opened {
    /// What can be known of it from outside.
    pub info: Arc<SessionInfo>,
    /// Where it takes orders.
    pub orders: Recipient<Order>,
}

/// A session has ended by itself.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Ended {
    /// Its last word.
    pub record: SessionRecord,
    /// Whether the system failed its connection, for reasons of this side.
    pub has_failed: bool,
}

/// Which sessions are there?
#[derive(Message)]
#[rtype(result = "Vec<Arc<SessionInfo>>")]
pub struct List;

/// Tell once there are so many sessions. Whoever waits holds the receiver, so that
/// nothing is kept here for those who have stopped waiting.
#[derive(Message)]
#[rtype(result = "()")]
pub struct WaitFor {
    /// How many.
    pub count: usize,
    /// Told then; dropped where the server goes before.
    pub reached: oneshot::Sender<()>,
}

/// Stop the server. The answer tells the phase and the time left.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct Stop {
    /// Why. The first reason counts.
    pub reason: StopReason,
    /// How patiently.
    pub haste: Haste,
}

/// Time for all phases together after a second signal.
const INSISTED: Duration = Duration::from_secs(1);

/// How patiently a server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// As planned. A second time it changes nothing.
    AsPlanned,
    /// As planned the first time; the second time everything is over after 1 s.
    Insist,
    /// Skip the drain.
    Now,
}

/// Accounts of these users were removed, or have another password.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Revoked(pub Vec<UserName>);

/// A part of the server is gone though nobody stopped it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ActorFailed(pub &'static str);

/// Where a shutdown is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status {
    /// Why the server stops.
    pub reason: StopReason,
    /// The phase that it is in.
    pub phase: Phase,
    /// When it is gone at the latest.
    pub remaining: Duration,
}

/// What the supervisor tells a session. The answer comes when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Message)]
#[rtype(result = "SessionRecord")]
pub enum Order {
    /// Make the cut: what comes after it is refused.
    Announce(Status),
    /// Get to this seq, say `closing`, and see it read.
    Drain(Seq),
    /// Shut the write side and read the input to its end; of a client that has
    /// read everything and does not close, for this long.
    Close(Duration),
    /// End the session if its account grants it nothing any more.
    CheckStanding,
    /// Stop.
    Finish,
}

/// Everything sent before has been handled: a barrier for this mailbox.
#[derive(Message)]
#[rtype(result = "()")]
struct Settle;

impl Supervisor {
    /// A supervisor without sessions.
    pub fn new(total: Duration) -> Supervisor {
        Supervisor {
            roster: Rc::default(),
            clock: Rc::new(StopClock::new(total)),
            plan: None,
            reason: None,
        }
    }

    fn stop(&mut self, reason: StopReason, haste: Haste, ctx: &mut Context<Self>) -> Status {
        let first = self.reason.is_none();
        let reason = *self.reason.get_or_insert(reason);
        if first {
            let now = Instant::now();
            self.clock.start(now);
            if let Some(plan) = self.plan.take() {
                self.clock.limit(plan.crew.limit_store());
                plan.stopwatch.begin(now);
                tracing::info!(%reason, "stopping");
                let settle = ctx.address();
                let drive = Drive::new(plan, reason, &self.roster, &self.clock, settle);
                actix_rt::spawn(drive.run());
            }
        }
        match haste {
            Haste::Now => self.clock.hurry(LAST_WORD),
            Haste::Insist if !first => self.clock.hurry(INSISTED),
            Haste::Insist | Haste::AsPlanned => {}
        }
        self.clock.status(reason)
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1 << 12);
    }
}

impl Handler<Begin> for Supervisor {
    type Result = ();

    fn handle(&mut self, Begin(plan): Begin, _ctx: &mut Self::Context) {
        self.plan = Some(plan);
    }
}

impl Handler<Opened> for Supervisor {
    type Result = ();

    fn handle(&mut self, opened: Opened, _ctx: &mut Self::Context) {
        self.roster.borrow_mut().open(opened.info, opened.orders);
    }
}

impl Handler<Ended> for Supervisor {
    type Result = ();

    fn handle(&mut self, ended: Ended, _ctx: &mut Self::Context) {
        let keep = self.reason.is_some();
        self.roster.borrow_mut().end(ended, keep);
    }
}

impl Handler<List> for Supervisor {
    type Result = MessageResult<List>;

    fn handle(&mut self, List: List, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.roster.borrow().infos())
    }
}

impl Handler<Revoked> for Supervisor {
    type Result = ();

    fn handle(&mut self, Revoked(users): Revoked, _ctx: &mut Self::Context) {
        for session in self.roster.borrow().of_users(&users) {
            session.do_send(Order::CheckStanding); // one for each change that another process makes
        }
    }
}

impl Handler<WaitFor> for Supervisor {
    type Result = ();

    fn handle(&mut self, wait: WaitFor, _ctx: &mut Self::Context) {
        self.roster.borrow_mut().wait_for(wait.count, wait.reached);
    }
}

impl Handler<Stop> for Supervisor {
    type Result = MessageResult<Stop>;

    fn handle(&mut self, stop: Stop, ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.stop(stop.reason, stop.haste, ctx))
    }
}

impl Handler<ActorFailed> for Supervisor {
    type Result = ();

    fn handle(&mut self, ActorFailed(what): ActorFailed, ctx: &mut Self::Context) {
        if self.reason.is_some() && self.clock.phase() >= Phase::Actors {
            return; // they are being taken down, the hard way where it must be
        }
        tracing::error!(what, "a part of the server panicked, stopping");
        self.clock.note_panic(what);
        self.stop(StopReason::Panic, Haste::AsPlanned, ctx);
    }
}

impl Handler<Settle> for Supervisor {
    type Result = ();

    fn handle(&mut self, Settle: Settle, _ctx: &mut Self::Context) {}
}
