//! The parts that the supervisor stops beside the one session: the hub and auth.

use std::sync::Arc;
use std::time::Instant;

use actix::Addr;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::watch;

use crate::actors::auth::{self, Auth};
use crate::actors::hub::{self, Hub};
use crate::actors::supervisor::{Components, StoreClosed};
use crate::close::{ActorLine, InWork, PhaseLine, RecentCalls, Report, Stopwatch, Trouble};
use crate::log::Log;
use crate::wire::Seq;

/// A server without listeners, store and threads.
pub(super) struct FuzzedComponents {
    pub(super) auth: Addr<Auth>,
    pub(super) hub: Addr<Hub>,
    pub(super) in_work: InWork,
    pub(super) log: Arc<Log>,
    pub(super) stopwatch: Stopwatch,
    pub(super) report: watch::Sender<Option<Report>>,
}

impl Components for FuzzedComponents {
    fn log(&self) -> &Log {
        &self.log
    }

    fn begin_stop(&self, now: Instant) {
        self.stopwatch.begin(now);
    }

    fn seal_listeners(&self) -> LocalBoxFuture<'static, ()> {
        self.auth.send(auth::Seal).map(drop).boxed_local()
    }

    fn requests_idle(&self) -> LocalBoxFuture<'static, ()> {
        let in_work = self.in_work.clone();
        async move { in_work.idle().await }.boxed_local()
    }

    fn seal_log(&self) -> LocalBoxFuture<'static, Option<Seq>> {
        self.hub.send(hub::Seal).map(Result::ok).boxed_local()
    }

    fn stop_actors(&self) -> LocalBoxFuture<'static, ()> {
        let (hub, auth) = (self.hub.send(hub::Stop), self.auth.send(auth::Stop));
        async move {
            let _ = hub.await;
            let _ = auth.await;
        }
        .boxed_local()
    }

    fn limit_store(&self, _deadline: Instant) {}

    fn close_store(&self) -> LocalBoxFuture<'static, StoreClosed> {
        let closed = StoreClosed {
            trouble: Vec::new(),
            has_panicked: false,
        };
        async { closed }.boxed_local()
    }

    fn unclosed(&self) -> Vec<Trouble> {
        Vec::new()
    }

    fn actor_lines(&self) -> Vec<ActorLine> {
        Vec::new()
    }

    fn recent_calls(&self, _began: Instant) -> RecentCalls {
        RecentCalls::default()
    }

    fn phase_over(&self, _line: &PhaseLine) {}

    fn stopped(&self, report: Report) {
        self.report.send_replace(Some(report));
    }
}
