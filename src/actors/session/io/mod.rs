//! The outside of a session: its connection, its output, the log and the other actors.
//!
//! It carries out what the core decides ([`Effects`](super::core::effects::Effects)) and decides nothing itself.

mod effects;
mod services;

use std::sync::Arc;
use std::task::{Context as TaskContext, Waker};

use tokio_util::sync::DropGuard;

use super::delivery::Registration;
use super::entrance::Entrance;
use super::jobs::Jobs;
use super::listener_context::{ListenerContext, Start};
use super::outlet::{Outlet, OutletSetup};
use super::services_io::ServicesIo;
use crate::accounts::{PeerId, UserName};
use crate::actors::link::Link;
use crate::actors::permits::Permits;
use crate::actors::supervisor::SessionInfo;
use crate::log::PublishWait;

/// The connection, the output and the work that a session's decisions act upon.
pub(super) struct SessionIo<L> {
    /// Declared first so that the permits drop before the connection closes.
    permits: Permits,
    /// The user's permit and standing, once the session has entered.
    entrance: Option<Entrance>,
    /// The login that the session has not entered by. Boxed, as it lasts a moment.
    login: Option<Box<PendingLogin>>,
    peer: PeerId,
    /// The name that the last login has claimed, for the audit log.
    claimed: Option<UserName>,
    is_own_user: bool,
    pub(super) link: L,
    pub(super) outlet: Outlet,
    pub(super) jobs: Jobs,
    /// Its part in services, once it has one.
    pub(super) services: ServicesIo,
    /// The registration among the publishers that wait for readers.
    publish_wait: PublishWait,
    pub(super) info: Arc<SessionInfo>,
    pub(super) listener: Arc<ListenerContext>,
    waker: Waker,
    /// `None` until the session can be told of broadcasts without a run.
    delivery: Option<Registration>,
    has_carried_out: bool,
}

/// A login before the session enters.
enum PendingLogin {
    /// It is in work; dropping this cancels it.
    InWork { _guard: DropGuard },
    /// It has succeeded.
    Admitted(Entrance),
}

impl<L: Link> SessionIo<L> {
    pub(super) fn new(start: Start<L>) -> Self {
        let Start {
            link,
            info,
            listener,
            ..
        } = start;
        listener.counters.session_began();
        let outlet = Outlet::new(OutletSetup {
            framing: link.framing(),
            session: info.id,
            dialect: listener.dialect,
            max_frame: listener.limits.max_frame,
            log: Arc::clone(&listener.log),
            shard: start.shard,
            counters: Arc::clone(&listener.counters),
        });
        SessionIo {
            permits: start.permits,
            entrance: None,
            login: None,
            peer: start.peer,
            claimed: None,
            is_own_user: start.is_own_user,
            link,
            outlet,
            jobs: Jobs::default(),
            services: ServicesIo::default(),
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
        self.login = entrance.map(|entrance| Box::new(PendingLogin::Admitted(entrance)));
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
