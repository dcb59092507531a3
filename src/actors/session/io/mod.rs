//! The outside of a session: its connection, its output, the log and the other actors.
//!
//! It carries out what the core decides ([`Effects`]) and decides nothing itself.

use std::sync::Arc;
use std::task::{Context as TaskContext, Waker};
use std::time::{Duration, Instant};

use tokio_util::sync::{CancellationToken, DropGuard};

use super::core::effects::{Ask, Done, Effects, Event, Identity, Output};
use super::delivery::Registration;
use super::entrance::{self, Entrance, ResumeFrom};
use super::events;
use super::jobs::Jobs;
use super::listener_context::{ListenerContext, Start};
use super::outlet::{Outlet, OutletSetup};
use crate::accounts::{Claim, PeerId, RevocationReason, UserName};
use crate::actors::handler::{Answer, Outcome, Request};
use crate::actors::hub::{
    Bodies, Leave, NotPublished, NumberedBodies, Publish, PublishNumbered, Verdicts, Who,
};
use crate::actors::link::Link;
use crate::actors::permits::Permits;
use crate::actors::supervisor::{Haste, List, SessionInfo, Stop};
use crate::close::{Evidence, Micros, StopReason};
use crate::framing::Failure;
use crate::log::PublishWait;
use crate::topic::{Permissions, RuleKind};
use crate::wire::{Login, Role, Seq, ServerFrame};

/// The connection, the output and the work that a session's decisions act upon.
pub(super) struct SessionIo<L> {
    /// Declared first so that the permits drop before the connection closes.
    permits: Permits,
    /// The user's permit and standing, once the session has entered.
    entrance: Option<Entrance>,
    /// Those of a login that has succeeded, until the session enters.
    entering: Option<Entrance>,
    /// Cancels the login that is in work when it is dropped.
    login_guard: Option<DropGuard>,
    peer: PeerId,
    is_own_user: bool,
    pub(super) link: L,
    pub(super) outlet: Outlet,
    pub(super) jobs: Jobs,
    /// The registration among the publishers that wait for readers.
    publish_wait: PublishWait,
    pub(super) info: Arc<SessionInfo>,
    pub(super) listener: Arc<ListenerContext>,
    waker: Waker,
    /// `None` until the session can be told of broadcasts without a run.
    delivery: Option<Registration>,
    has_carried_out: bool,
}

impl<L: Link> SessionIo<L> {
    pub(super) fn new(start: Start<L>) -> Self {
        let Start {
            link,
            info,
            listener,
            ..
        } = start;
        let outlet = Outlet::new(OutletSetup {
            framing: link.framing(),
            session: info.id,
            dialect: listener.dialect,
            max_frame: listener.limits.max_frame,
            log: Arc::clone(&listener.log),
            shard: start.shard,
        });
        SessionIo {
            permits: start.permits,
            entrance: None,
            entering: None,
            login_guard: None,
            peer: start.peer,
            is_own_user: start.is_own_user,
            link,
            outlet,
            jobs: Jobs::default(),
            publish_wait: PublishWait::default(),
            info,
            listener,
            waker: Waker::noop().clone(),
            delivery: None,
            has_carried_out: false,
        }
    }

    /// Notes the task that the session runs in.
    pub(super) fn set_waker(&mut self, waker: &Waker) {
        if !self.waker.will_wake(waker) {
            self.waker = waker.clone();
        }
    }

    /// Returns what wakes the task that the session runs in.
    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }

    pub(super) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    /// Has broadcasts that begin from now on delivered without a run of the session.
    pub(super) fn set_delivery(&mut self, delivery: Registration) {
        self.delivery = Some(delivery);
    }

    /// Makes the session's wakers do nothing until [`SessionIo::end_run`]: the session reads the
    /// log before its run ends.
    pub(super) fn begin_run(&self) {
        self.delivery.iter().for_each(Registration::begin_run);
    }

    /// Makes the session's wakers work again.
    pub(super) fn end_run(&self) {
        self.delivery.iter().for_each(Registration::end_run);
    }

    /// Notes what a login that has succeeded brings, before the core hears of it.
    pub(super) fn prepare(&mut self, entrance: Option<Entrance>) {
        self.login_guard = None;
        self.entering = entrance;
    }

    /// Whether the permit of a client that has not logged in was given to another peer.
    pub(super) fn poll_permit_withdrawn(&mut self, cx: &mut TaskContext<'_>) -> bool {
        self.permits.poll_preempted(cx)
    }

    /// Whether an order was carried out since this was asked last.
    pub(super) fn take_carried_out(&mut self) -> bool {
        std::mem::take(&mut self.has_carried_out)
    }
}

impl<L: Link> Effects for SessionIo<L> {
    fn output(&self) -> Output {
        self.outlet.state()
    }

    fn has_room(&self) -> bool {
        self.outlet.has_room()
    }

    fn identity(&self) -> Identity {
        let (gaps, gaps_unlisted_to) = self.outlet.gaps();
        Identity {
            session: self.info.id,
            user: self.info.user().map(|user| user.to_string()),
            endpoint: self.info.endpoint.to_string(),
            after: self.info.after(),
            gaps: gaps.to_vec(),
            gaps_unlisted_to,
        }
    }

    fn answer(&mut self, frame: &ServerFrame<'_>) {
        self.outlet.answer(frame);
    }

    fn answer_within(&mut self, frame: &ServerFrame<'_>) -> bool {
        self.outlet.answer_within(frame)
    }

    fn follow(&mut self, after: Seq) {
        // No user name holds a space.
        let reader = match self.info.user() {
            Some(user) => user.shared(),
            None => Arc::from(format!("peer {}", self.peer)),
        };
        let sends_files = self.link.sends_files();
        self.outlet.follow(after, reader, sends_files);
        if let Some(delivery) = &self.delivery {
            self.outlet.set_broadcast_waker(delivery.waker(&self.waker));
        }
        self.info.follow(after);
    }

    fn stop_following(&mut self) {
        self.outlet.stop_following();
    }

    fn shut_output(&mut self) {
        let mut cx = TaskContext::from_waker(&self.waker);
        self.outlet.shut(&mut self.link, &mut cx);
    }

    fn abandon_output(&mut self) {
        self.outlet.give_up(Failure::PeerGone);
    }

    fn is_open(&self) -> bool {
        self.link.is_open()
    }

    fn half_closes(&self) -> bool {
        self.link.half_closes()
    }

    fn is_hung_up(&self) -> bool {
        self.link.is_hung_up()
    }

    fn has_input(&self) -> bool {
        self.link.has_input()
    }

    fn evidence(&self) -> Evidence {
        self.link.evidence()
    }

    fn best_evidence(&self) -> Evidence {
        self.link.best_evidence()
    }

    fn head(&self) -> Seq {
        self.listener.log.head()
    }

    fn stop_time(&self) -> Option<Micros> {
        self.listener.stopwatch.now()
    }

    fn may_publish(&mut self) -> Result<(), Duration> {
        let log = &self.listener.log;
        let wait = &mut self.publish_wait;
        match log
            .backpressure()
            .may_publish(log.written(), wait, &self.waker)
        {
            true => Ok(()),
            false => Err(log.backpressure().retry_interval()),
        }
    }

    fn may_list(&mut self, user: &UserName) -> Result<(), Duration> {
        self.listener.lists.take(user, Instant::now())
    }

    fn role(&self) -> Option<Role> {
        let entrance = self.entrance.as_ref()?;
        Some(entrance.authorization.role())
    }

    fn permissions(&self, kind: RuleKind) -> Option<Arc<Permissions>> {
        match &self.entrance {
            Some(entrance) => entrance.authorization.permissions(kind),
            None => self.listener.nameless.of_kind(kind),
        }
    }

    fn revoked(&self) -> Option<RevocationReason> {
        self.entrance.as_ref()?.authorization.revoked()
    }

    fn is_own_user(&self) -> bool {
        self.is_own_user
    }

    fn identify(&mut self) -> bool {
        if self.peer != PeerId::Local {
            return true;
        }
        let Some(late) = self.link.late_peer() else {
            return true;
        };
        let is_known = late.id == PeerId::Local;
        if !is_known
            && !self
                .permits
                .change_peer(&self.listener.peers, late.id.clone())
        {
            return false;
        }
        (self.peer, self.is_own_user) = (late.id, late.is_own_user);
        self.info.set_peer(late.name);
        true
    }

    fn log_in(&mut self, login: &Login<'_>) {
        let cancel = CancellationToken::new();
        let claim = Claim {
            cancel: cancel.clone(),
            user: login.user.clone().into_owned(),
            password: login.password.clone().into_owned(),
            certified_user: self.link.vouched_name(),
            may_register: self.listener.may_register,
            peer: self.peer.clone(),
        };
        self.login_guard = Some(cancel.drop_guard());
        let listener = Arc::clone(&self.listener);
        let job = entrance::log_in(listener, claim, ResumeFrom::of(login));
        self.jobs.push(None, job);
    }

    fn abandon_login(&mut self) {
        self.login_guard = None;
    }

    fn enter(&mut self, user: &UserName) {
        self.entrance = self.entering.take();
        self.permits.release_unauthenticated();
        self.info.set_user(user.clone());
    }

    fn request(&mut self, request: Request<'_>) -> Option<Outcome> {
        match self.listener.handler.handle(request) {
            Answer::Now(outcome) => Some(outcome),
            Answer::Later(answer) => {
                let work = self.listener.in_work.admit(1);
                let job = async move { Done::Replied(answer.await) };
                self.jobs.push_done(work, job);
                None
            }
        }
    }

    fn publish_now(
        &mut self,
        user: &UserName,
        bodies: &Bodies,
    ) -> Option<Result<Seq, NotPublished>> {
        let ListenerContext { hub, log, .. } = &*self.listener;
        hub.publish_now(log, self.outlet.shard(), user, bodies)
    }

    fn publish(&mut self, user: &UserName, bodies: Bodies, frames: usize) {
        let in_flight = Some(
            self.listener
                .log
                .backpressure()
                .count_in_flight(bodies.bytes()),
        );
        let answer = self.listener.hub.addr().send(Publish {
            from: user.clone(),
            bodies,
            in_flight,
        });
        let work = self.listener.in_work.admit(frames);
        let job = async move { answer.await.map_or(Done::Gone, Done::Published) };
        self.jobs.push_done(work, job);
    }

    fn publish_numbered_now(
        &mut self,
        user: &UserName,
        messages: &NumberedBodies,
    ) -> Option<Result<Verdicts, NotPublished>> {
        let ListenerContext { hub, log, .. } = &*self.listener;
        hub.publish_numbered_now(log, self.outlet.shard(), user, messages)
    }

    fn publish_numbered(&mut self, user: &UserName, messages: NumberedBodies, frames: usize) {
        let backpressure = self.listener.log.backpressure();
        let in_flight = Some(backpressure.count_in_flight(messages.bytes()));
        let answer = self.listener.hub.addr().send(PublishNumbered {
            from: user.clone(),
            numbered: messages,
            in_flight,
        });
        let work = self.listener.in_work.admit(frames);
        let job = async move { answer.await.map_or(Done::Gone, Done::Judged) };
        self.jobs.push_done(work, job);
    }

    fn ask(&mut self, ask: Ask) {
        let work = self.listener.in_work.admit(1);
        match ask {
            Ask::Users => {
                let answer = self.listener.hub.addr().send(Who);
                let job = async move { answer.await.map_or(Done::Gone, Done::Users) };
                self.jobs.push_done(work, job);
            }
            Ask::Sessions => {
                let answer = self.listener.supervisor.send(List);
                self.jobs.push_done(work, async move {
                    answer.await.map_or(Done::Gone, |infos| {
                        Done::Sessions(infos.iter().map(|info| info.line()).collect())
                    })
                });
            }
            Ask::Stop { now } => {
                let haste = if now { Haste::Now } else { Haste::AsPlanned };
                let reason = StopReason::Admin;
                let answer = self.listener.supervisor.send(Stop { reason, haste });
                let job = async move { answer.await.map_or(Done::Gone, Done::Stopping) };
                self.jobs.push_done(work, job);
            }
        }
    }

    fn leave(&mut self, user: &UserName) {
        self.listener.hub.addr().do_send(Leave(user.clone()));
    }

    fn carried_out(&mut self) {
        self.has_carried_out = true;
    }

    fn log(&mut self, event: Event<'_>) {
        events::log(&event, &self.info, &self.peer, &self.listener.log_limit);
    }
}
