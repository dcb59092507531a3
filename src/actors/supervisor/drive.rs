//! The shutdown itself, phase by phase.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix::Addr;
use futures_util::future::{LocalBoxFuture, Shared};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::time::timeout;

use super::clock::StopClock;
use super::roster::Roster;
use super::{Order, Plan, STORE, Settle, Supervisor};
use crate::close::{ExitCode, Micros, Phase, PhaseLine, Report, StopReason};
use crate::wire::{Millis, Seq};

/// How long the hub and auth have to stop where sessions took all the time.
const STOPPING: Duration = Duration::from_millis(200);

/// The doors are being sealed, and the roster completed.
type Settling = Shared<LocalBoxFuture<'static, ()>>;

pub(super) struct Drive {
    plan: Plan,
    reason: StopReason,
    roster: Rc<RefCell<Roster>>,
    clock: Rc<StopClock>,
    supervisor: Addr<Supervisor>,
    began: Millis,
    /// Done when the roster is known to be complete.
    settling: Option<Settling>,
    phases: Vec<PhaseLine>,
    trouble: Vec<String>,
}

impl Drive {
    pub(super) fn new(
        plan: Plan,
        reason: StopReason,
        roster: &Rc<RefCell<Roster>>,
        clock: &Rc<StopClock>,
        supervisor: Addr<Supervisor>,
    ) -> Self {
        Drive {
            plan,
            reason,
            roster: Rc::clone(roster),
            clock: Rc::clone(clock),
            supervisor,
            began: Millis::now(),
            settling: None,
            phases: Vec::new(),
            trouble: Vec::new(),
        }
    }

    pub(super) async fn run(mut self) {
        self.phase(Phase::Trigger, async {}).await;
        self.seal().await;
        self.clock.enter(Phase::Announce); // what it is told is where it is
        let status = self.clock.status(self.reason);
        self.announce(Order::Announce(status)).await;
        self.requests().await;
        let head = self.hub().await;
        self.note_unsettled();
        self.order(Phase::Drain, Order::Drain(head)).await;
        let linger = Phase::Close.budget(self.clock.total());
        self.order(Phase::Close, Order::Close(linger)).await;
        self.actors().await;
        self.store().await;
        let report = self.report(head);
        let Drive { plan, .. } = self;
        plan.done.send_replace(Some(report));
    }

    async fn seal(&mut self) {
        let sealed = self.plan.crew.seal_doors();
        let supervisor = self.supervisor.clone();
        // A task of its own: a deadline does not end it, and a later phase waits for it.
        let settling = actix_rt::spawn(async move {
            sealed.await;
            // Sessions that were handed over before the seal are on the roster
            // only once this mailbox has been emptied.
            let _ = supervisor.send(Settle).await;
        });
        let settling: Settling = settling.map(drop).boxed_local().shared();
        self.settling = Some(settling.clone());
        self.phase(Phase::Seal, settling).await;
    }

    /// The deadline ends the waiting and not the announcement: an order that nobody
    /// waits for any more is dropped by its mailbox, and the session would go on to its
    /// end without a word.
    async fn announce(&mut self, order: Order) {
        let announced = actix_rt::spawn(self.ordered(order));
        self.phase(Phase::Announce, announced).await;
    }

    async fn requests(&mut self) {
        let in_work = self.plan.in_work.clone();
        self.phase(Phase::Requests, async move { in_work.idle().await })
            .await;
    }

    /// The log's head, sealed; where the hub is gone, as far as it got. What has come by now
    /// is drained to it: who was handed over must be on the roster.
    async fn hub(&mut self) -> Seq {
        let (sealed, settling) = (self.plan.crew.seal_log(), self.settling.clone());
        let found = Rc::new(Cell::new(None));
        let head = Rc::clone(&found);
        self.phase(Phase::Hub, async move {
            head.set(sealed.await);
            if let Some(settling) = settling {
                settling.await;
            }
        })
        .await;
        found.get().unwrap_or_else(|| {
            let trouble = "the log was not sealed: there may be broadcasts behind its head";
            self.trouble.push(trouble.to_owned());
            self.plan.log.head()
        })
    }

    /// Who starts behind the orders to drain is told nothing.
    fn note_unsettled(&mut self) {
        let is_settled = |settling: &Settling| settling.peek().is_some();
        if !self.settling.as_ref().is_some_and(is_settled) {
            let trouble = "the doors were not sealed: who came last may not be listed";
            self.trouble.push(trouble.to_owned());
        }
    }

    async fn actors(&mut self) {
        let sessions = self.ordered(Order::Finish);
        let actors = self.plan.crew.stop_actors();
        let stopped = self.phase(Phase::Actors, async move {
            sessions.await;
            actors.await;
        });
        if stopped.await.is_none() {
            // A session that is stuck is no reason to drop the hub and the accounts.
            let _ = timeout(STOPPING, self.plan.crew.stop_actors()).await;
        }
    }

    async fn store(&mut self) {
        let closed = self.plan.crew.close_store();
        match self.phase(Phase::Store, closed).await {
            Some(closed) => {
                self.trouble.extend(closed.trouble);
                if closed.has_panicked {
                    self.clock.note_panic(STORE);
                }
            }
            None => self.trouble.extend(self.plan.crew.unclosed()),
        }
    }

    async fn order(&mut self, phase: Phase, order: Order) {
        let ordered = self.ordered(order);
        self.phase(phase, ordered).await;
    }

    /// Gives every session the order and notes what each says when it is done.
    fn ordered(&self, order: Order) -> impl Future<Output = ()> + use<> {
        let roster = Rc::clone(&self.roster);
        let recipients = roster.borrow().recipients();
        let mut answers: FuturesUnordered<_> = recipients
            .into_iter()
            .map(|session| session.send(order))
            .collect();
        async move {
            while let Some(answer) = answers.next().await {
                // A session that ends meanwhile tells it by `Ended`.
                match (answer, order) {
                    // It may come late, and is no later word than any other.
                    (Ok(record), Order::Announce(_)) => roster.borrow_mut().note_first(record),
                    (Ok(record), _) => roster.borrow_mut().note(record),
                    (Err(_), _) => {}
                }
            }
        }
    }

    /// Runs a phase until its deadline and writes its line.
    async fn phase<T>(&mut self, phase: Phase, work: impl Future<Output = T>) -> Option<T> {
        let (began, began_us) = (Instant::now(), self.passed());
        self.clock.enter(phase);
        let done = self.clock.within(phase, began, work).await;
        let took = began.elapsed();
        if done.is_none() {
            tracing::warn!(%phase, ?took, "a phase of the shutdown did not end in time");
        } else {
            tracing::debug!(%phase, ?took, "phase over");
        }
        let line = PhaseLine {
            phase,
            budget_ms: millis(phase.budget(self.clock.total())),
            took_ms: millis(took),
            in_time: done.is_some(),
            began_us,
            took_us: Micros(u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
        };
        let told = catch_unwind(AssertUnwindSafe(|| (self.plan.on_phase)(&line)));
        if told.is_err() {
            tracing::error!(%phase, "the observer of the phases panicked");
        }
        self.phases.push(line);
        done
    }

    /// Time since the stop began.
    fn passed(&self) -> Micros {
        self.plan.stopwatch.now().unwrap_or_default()
    }

    fn report(&mut self, head: Seq) -> Report {
        let sessions = self.roster.borrow_mut().take_records(head);
        self.trouble.extend(self.roster.borrow().trouble());
        if let Some(what) = self.clock.fallen() {
            self.trouble.push(format!("{what} panicked"));
        }
        let exit = if self.clock.fallen().is_some() {
            ExitCode::Panicked
        } else if self.clock.is_forced() {
            ExitCode::Forced
        } else if sessions.iter().all(|session| session.is_whole()) && self.trouble.is_empty() {
            ExitCode::Clean
        } else {
            ExitCode::Deadline
        };
        Report {
            version: 1,
            reason: self.reason,
            exit: exit.code(),
            began: self.began,
            stream: self.plan.log.stream().to_owned(),
            head,
            phases: std::mem::take(&mut self.phases),
            actors: self.plan.crew.lines(),
            sessions,
            trouble: std::mem::take(&mut self.trouble),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
