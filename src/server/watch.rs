//! Tells the supervisor when an actor or thread that the server depends on has panicked.

use std::sync::Arc;

use actix::{Addr, Arbiter};

use super::components::Data;
use crate::actors::sentinel::Sentinel;
use crate::actors::supervisor::{ActorFailed, Supervisor};
use crate::close::Component;
use crate::log::Log;

/// Returns a sentinel for an actor, which tells the supervisor when that actor panics.
pub(super) fn sentinel(component: Component, supervisor: &Addr<Supervisor>) -> Sentinel {
    let supervisor = supervisor.clone();
    Sentinel::new(move || supervisor.do_send(ActorFailed(component)))
}

/// Starts each thread's relay, which wakes the sessions that wait for broadcasts. A relay
/// that panics stops the server: its sessions would wait for ever.
pub(super) fn start_relays(arbiters: &[Arbiter], log: &Arc<Log>, supervisor: &Addr<Supervisor>) {
    for (shard, arbiter) in arbiters.iter().enumerate() {
        let (log, supervisor) = (Arc::clone(log), supervisor.clone());
        arbiter.spawn_fn(move || {
            // The sentinel is also dropped with the thread, in a phase of the stop in which the
            // supervisor ignores it.
            let sentinel = sentinel(Component::Relay, &supervisor);
            actix_rt::spawn(async move {
                let to_subscribers = log.relay_to_subscribers(shard);
                let passed = log.relay_passed(shard);
                futures_util::future::join3(log.relay(shard), to_subscribers, passed).await;
                drop(sentinel);
            });
        });
    }
}

/// Stops the server when the store's thread panics, because nothing is durable without it.
pub(super) fn watch_store(data: Option<&mut Data>, supervisor: &Addr<Supervisor>) {
    if let Some(panicked) = data.and_then(|data| data.store.panicked()) {
        let supervisor = supervisor.clone();
        actix_rt::spawn(async move {
            if panicked.await.is_ok() {
                supervisor.do_send(ActorFailed(Component::Store));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use actix::Actor;
    use futures_util::FutureExt;
    use futures_util::future::{LocalBoxFuture, ready};
    use tokio::sync::watch;

    use super::*;
    use crate::actors::supervisor::{Components, StoreClosed, Supervise};
    use crate::close::{ActorLine, PhaseLine, RecentCalls, Report, StopReason, Trouble};
    use crate::log::{BackpressureLimits, LogLimits};
    use crate::store::{DataFolder, Db, JournalReaders, Store};
    use crate::wire::Seq;

    /// A server that has nothing to stop.
    struct NoComponents {
        log: Arc<Log>,
        report: watch::Sender<Option<Report>>,
    }

    impl Components for NoComponents {
        fn log(&self) -> &Log {
            &self.log
        }

        fn begin_stop(&self, _now: Instant) {}

        fn seal_listeners(&self) -> LocalBoxFuture<'static, ()> {
            ready(()).boxed_local()
        }

        fn requests_idle(&self) -> LocalBoxFuture<'static, ()> {
            ready(()).boxed_local()
        }

        fn seal_log(&self) -> LocalBoxFuture<'static, Option<Seq>> {
            ready(Some(Seq::ZERO)).boxed_local()
        }

        fn stop_actors(&self) -> LocalBoxFuture<'static, ()> {
            ready(()).boxed_local()
        }

        fn limit_store(&self, _deadline: Instant) {}

        fn close_store(&self) -> LocalBoxFuture<'static, StoreClosed> {
            let (trouble, has_panicked) = (Vec::new(), false);
            let closed = StoreClosed {
                trouble,
                has_panicked,
            };
            ready(closed).boxed_local()
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

    #[actix::test]
    async fn store_that_panics_stops_the_server_with_exit_70() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
        let path = folder.database().expect("writable");
        let db = Db::open(&path).expect("a db");
        let readers = JournalReaders::new(&db);
        let (store, thread) = Store::start(db).expect("a thread");
        let mut data = Data {
            store: thread,
            readers,
            lock: folder.lock().expect("nobody has it"),
        };
        let supervisor = Supervisor::new(Duration::from_secs(5)).start();
        watch_store(Some(&mut data), &supervisor);
        let limits = LogLimits {
            bytes: 1 << 20,
            backpressure: BackpressureLimits::default(),
        };
        let (log, _appender) = Log::new("s".to_owned(), limits, 1);
        let (done, mut report) = watch::channel(None);
        supervisor.do_send(Supervise(Box::new(NoComponents { log, report: done })));

        store.ask::<()>(|_| panic!("on purpose")).await.ok();
        let report = report.wait_for(Option::is_some).await;
        let report = report
            .expect("it stops")
            .clone()
            .expect("it was waited for");
        assert_eq!((report.exit, report.reason), (70, StopReason::Panic));
        assert_eq!(report.trouble, [Trouble::Panicked(Component::Store)]);
    }
}
