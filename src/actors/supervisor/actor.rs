//! The actor: feeds messages and timers to the stop machine, and carries out its effects.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, MessageResult, SpawnHandle};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::task::JoinHandle;

use super::began::Began;
use super::live_sessions::LiveSessions;
use super::messages::{
    ActorFailed, Count, Dismiss, Ended, GetStatus, Happened, List, Opened, Revoked, SetStopLimit,
    Stop, Superseded, Supervise, WaitFor,
};
use super::recent_routes::recent_routes;
use super::server_state::ServerState;
use crate::actors::ping::Ping;
use crate::close::stop::{
    Contract, Effect, Input, Moment, Order, Status, StopMachine, StopOutcome, Surroundings,
};
use crate::close::{Phase, PhaseLine, StopReason};
use crate::wire::{Seq, SessionId};

/// Knows every session, and stops the server in order.
pub struct Supervisor {
    machine: StopMachine<Contract>,
    sessions: LiveSessions,
    server: ServerState,
    began: Option<Began>,
    timer: Option<Timer>,
    /// The task that the present phase waits for; aborted when the phase is over.
    phase_work: Option<JoinHandle<()>>,
}

/// The timer for the machine's deadline.
struct Timer {
    deadline: Duration,
    handle: SpawnHandle,
}

type SupervisorContext = Context<Supervisor>;

impl Supervisor {
    /// A supervisor without sessions, whose stop takes `total` at most.
    pub fn new(total: Duration) -> Supervisor {
        Supervisor {
            machine: StopMachine::new(total, Contract),
            sessions: LiveSessions::default(),
            server: ServerState::Starting(VecDeque::new()),
            began: None,
            timer: None,
            phase_work: None,
        }
    }

    /// Returns the live sessions.
    pub(super) fn sessions(&self) -> &LiveSessions {
        &self.sessions
    }

    fn feed(&mut self, input: Input, ctx: &mut SupervisorContext) {
        let now = self.now();
        let effects = self.machine.handle(input, now);
        for effect in effects {
            self.perform(effect, ctx);
        }
        self.set_timer(ctx);
    }

    fn now(&self) -> Moment {
        let head = match &self.server {
            ServerState::Running(components) => components.log().head(),
            ServerState::Starting(_) | ServerState::Stopped => Seq::ZERO,
        };
        Moment {
            time: self.time(),
            head,
        }
    }

    /// The time since the stop began.
    fn time(&self) -> Duration {
        self.began
            .map_or(Duration::ZERO, |began| began.at.elapsed())
    }

    fn perform(&mut self, effect: Effect, ctx: &mut SupervisorContext) {
        let components = match &mut self.server {
            ServerState::Starting(waiting) => return waiting.push_back(effect),
            ServerState::Running(components) => components,
            ServerState::Stopped => return,
        };
        match effect {
            Effect::Begin(reason) => self.begin(reason, ctx),
            Effect::LimitStore(until) => {
                if let Some(began) = self.began {
                    components.limit_store(began.at + until);
                }
            }
            Effect::SealListeners => {
                let sealed = components.seal_listeners().map(|()| Input::ListenersSealed);
                drop(report_to(ctx, sealed)); // runs on after the phase
            }
            Effect::AwaitRequests => {
                let idle = components.requests_idle().map(|()| Input::RequestsIdle);
                self.phase_work = Some(report_to(ctx, idle));
            }
            Effect::SealLog => {
                let sealed = components.seal_log().map(Input::LogSealed);
                self.phase_work = Some(report_to(ctx, sealed));
            }
            Effect::StopActors => {
                let stopped = components.stop_actors().map(|()| Input::ActorsStopped);
                self.phase_work = Some(report_to(ctx, stopped));
            }
            Effect::CloseStore => {
                let closed = components.close_store().map(Input::StoreClosed);
                self.phase_work = Some(report_to(ctx, closed));
            }
            Effect::Order { order, sessions } => self.order(order, &sessions, ctx),
            Effect::PhaseOver(line) => self.end_phase(&line),
            Effect::Observe => {
                let unclosed = components.unclosed();
                let routes = recent_routes(components.log());
                let sessions = self.sessions.observe();
                let observed = Input::Observed {
                    sessions,
                    unclosed,
                    routes,
                };
                self.feed(observed, ctx);
            }
            Effect::Finish(outcome) => self.finish(outcome),
        }
    }

    fn begin(&mut self, reason: StopReason, ctx: &mut SupervisorContext) {
        let began = Began::now();
        self.began = Some(began);
        if let ServerState::Running(components) = &self.server {
            components.begin_stop(began.at);
        }
        tracing::info!(%reason, "stopping");
        ctx.address().do_send(Happened(Input::Begun));
    }

    /// Sends the order, and hands each answer to the machine.
    fn order(&mut self, order: Order, sessions: &[SessionId], ctx: &mut SupervisorContext) {
        let phase = self.machine.phase().unwrap_or(Phase::Trigger);
        let mut answers: FuturesUnordered<_> = sessions
            .iter()
            .filter_map(|session| Some((*session, self.sessions.orders(*session)?)))
            .map(|(session, orders)| orders.send(order).map(move |answer| (session, answer.ok())))
            .collect();
        let supervisor = ctx.address();
        let answered = actix_rt::spawn(async move {
            while let Some((session, record)) = answers.next().await {
                supervisor.do_send(Happened(Input::Answered {
                    session,
                    phase,
                    record,
                }));
            }
        });
        // The announcement outlives its phase: a mailbox drops an order that nobody waits for
        // any more, and the session would end without a word.
        if !matches!(order, Order::Announce(_)) {
            self.phase_work = Some(answered);
        }
    }

    fn end_phase(&mut self, line: &PhaseLine) {
        if let Some(work) = self.phase_work.take() {
            work.abort();
        }
        let PhaseLine { phase, took_us, .. } = line;
        let took = Duration::from_micros(took_us.0);
        if line.in_time {
            tracing::debug!(%phase, ?took, "phase over");
        } else {
            tracing::warn!(%phase, ?took, "phase ended by its deadline");
        }
        let ServerState::Running(components) = &self.server else {
            return;
        };
        let told = catch_unwind(AssertUnwindSafe(|| components.phase_over(line)));
        if told.is_err() {
            tracing::error!(%phase, "observer of the phases panicked");
        }
    }

    fn finish(&mut self, outcome: StopOutcome) {
        let server = std::mem::replace(&mut self.server, ServerState::Stopped);
        let (ServerState::Running(components), Some(began)) = (server, self.began) else {
            return;
        };
        self.sessions.stop_waiting();
        let stream = components.log().stream().to_owned();
        let actors = components.actor_lines();
        let surroundings = Surroundings {
            began: began.wall_clock,
            stream,
            actors,
            calls: components.recent_calls(began.at),
        };
        components.stopped(outcome.into_report(surroundings));
    }

    fn set_timer(&mut self, ctx: &mut SupervisorContext) {
        let deadline = self.machine.deadline();
        let is_set = self.timer.as_ref().map(|timer| timer.deadline) == deadline;
        if is_set {
            return;
        }
        if let Some(timer) = self.timer.take() {
            ctx.cancel_future(timer.handle);
        }
        if let Some(deadline) = deadline {
            let left = deadline.saturating_sub(self.time());
            let handle = ctx.run_later(left, |supervisor, ctx| {
                supervisor.timer = None;
                supervisor.feed(Input::Tick, ctx);
            });
            self.timer = Some(Timer { deadline, handle });
        }
    }

    fn status(&self, reason: StopReason) -> Status {
        let begins = Status {
            reason,
            phase: Phase::Trigger,
            remaining: Duration::ZERO,
        };
        self.machine.status(self.time()).unwrap_or(begins)
    }
}

/// Runs `work`, and sends what it leads to into the supervisor's own mailbox.
fn report_to(
    ctx: &SupervisorContext,
    work: impl Future<Output = Input> + 'static,
) -> JoinHandle<()> {
    let supervisor = ctx.address();
    actix_rt::spawn(async move { supervisor.do_send(Happened(work.await)) })
}

impl Actor for Supervisor {
    type Context = SupervisorContext;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1 << 12);
    }
}

impl Handler<Supervise> for Supervisor {
    type Result = ();

    fn handle(&mut self, Supervise(components): Supervise, ctx: &mut Self::Context) {
        let running = ServerState::Running(components);
        if let ServerState::Starting(waiting) = std::mem::replace(&mut self.server, running) {
            for effect in waiting {
                self.perform(effect, ctx);
            }
            self.set_timer(ctx);
        }
    }
}

impl Handler<Happened> for Supervisor {
    type Result = ();

    fn handle(&mut self, Happened(input): Happened, ctx: &mut Self::Context) {
        self.feed(input, ctx);
    }
}

impl Handler<Opened> for Supervisor {
    type Result = ();

    fn handle(&mut self, opened: Opened, ctx: &mut Self::Context) {
        let session = opened.info.id;
        self.sessions.open(opened.info, opened.orders);
        self.feed(Input::Opened(session), ctx);
    }
}

impl Handler<Ended> for Supervisor {
    type Result = ();

    fn handle(&mut self, ended: Ended, ctx: &mut Self::Context) {
        let Ended { record, has_failed } = ended;
        self.sessions.end(record.session);
        self.feed(Input::Ended { record, has_failed }, ctx);
    }
}

impl Handler<List> for Supervisor {
    type Result = MessageResult<List>;

    fn handle(&mut self, List: List, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.sessions.infos())
    }
}

impl Handler<Count> for Supervisor {
    type Result = usize;

    fn handle(&mut self, Count: Count, _ctx: &mut Self::Context) -> Self::Result {
        self.sessions.count()
    }
}

impl Handler<Revoked> for Supervisor {
    type Result = ();

    fn handle(&mut self, Revoked(users): Revoked, _ctx: &mut Self::Context) {
        for session in self.sessions.of_users(&users) {
            session.do_send(Order::CheckStanding); // one for each change by another process
        }
    }
}

impl Handler<Superseded> for Supervisor {
    type Result = ();

    fn handle(&mut self, Superseded(session): Superseded, _ctx: &mut Self::Context) {
        if let Some(session) = self.sessions.orders(session) {
            session.do_send(Order::CheckStanding); // at most one for each login with a cursor
        }
    }
}

impl Handler<Ping> for Supervisor {
    type Result = ();

    fn handle(&mut self, Ping: Ping, _ctx: &mut Self::Context) {}
}

impl Handler<Dismiss> for Supervisor {
    type Result = bool;

    fn handle(&mut self, dismiss: Dismiss, _ctx: &mut Self::Context) -> Self::Result {
        let orders = self.sessions.dismiss(dismiss.session, dismiss.why);
        if let Some(orders) = orders {
            orders.do_send(Order::CheckStanding); // one for each act of an operator
        }
        orders.is_some()
    }
}

impl Handler<WaitFor> for Supervisor {
    type Result = ();

    fn handle(&mut self, wait: WaitFor, _ctx: &mut Self::Context) {
        self.sessions.wait_for(wait.count, wait.reached);
    }
}

impl Handler<Stop> for Supervisor {
    type Result = MessageResult<Stop>;

    fn handle(&mut self, stop: Stop, ctx: &mut Self::Context) -> Self::Result {
        let Stop { reason, haste } = stop;
        self.feed(Input::Stop { reason, haste }, ctx);
        MessageResult(self.status(reason))
    }
}

impl Handler<SetStopLimit> for Supervisor {
    type Result = bool;

    fn handle(&mut self, SetStopLimit(total): SetStopLimit, _ctx: &mut Self::Context) -> bool {
        self.machine.set_total(total)
    }
}

impl Handler<GetStatus> for Supervisor {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, GetStatus: GetStatus, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.machine.status(self.time()))
    }
}

impl Handler<ActorFailed> for Supervisor {
    type Result = ();

    fn handle(&mut self, ActorFailed(component): ActorFailed, ctx: &mut Self::Context) {
        if self.machine.phase() < Some(Phase::Actors) {
            let what = component.as_str();
            tracing::error!(what, "actor or thread panicked, stopping");
        }
        self.feed(Input::Failed(component), ctx);
    }
}
