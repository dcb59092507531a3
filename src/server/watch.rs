//! Tells the supervisor when a part that the server cannot do without has panicked.

use std::sync::Arc;

use actix::{Addr, Arbiter};

use super::crew::Data;
use crate::actors::sentinel::Sentinel;
use crate::actors::supervisor::{ActorFailed, STORE, Supervisor};
use crate::log::Log;

/// Tells of the panic of the actor that holds it.
pub(super) fn sentinel(what: &'static str, supervisor: &Addr<Supervisor>) -> Sentinel {
    let supervisor = supervisor.clone();
    Sentinel::new(move || supervisor.do_send(ActorFailed(what)))
}

/// Each thread's relay wakes the sessions that wait for broadcasts: without it nobody would.
pub(super) fn start_relays(arbiters: &[Arbiter], log: &Arc<Log>, supervisor: &Addr<Supervisor>) {
    for (shard, arbiter) in arbiters.iter().enumerate() {
        let (log, supervisor) = (Arc::clone(log), supervisor.clone());
        arbiter.spawn_fn(move || {
            // It goes with its thread, which is stopped when panics no longer count.
            let sentinel = sentinel("a relay of broadcasts", &supervisor);
            actix_rt::spawn(async move {
                log.relay(shard).await;
                drop(sentinel);
            });
        });
    }
}

/// Stops the server when the store's thread panics: nothing would be durable any more.
pub(super) fn watch_store(data: Option<&mut Data>, supervisor: &Addr<Supervisor>) {
    if let Some(panicked) = data.and_then(|data| data.store.panicked()) {
        let supervisor = supervisor.clone();
        actix_rt::spawn(async move {
            if panicked.await.is_ok() {
                supervisor.do_send(ActorFailed(STORE));
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
    use crate::actors::supervisor::{Begin, Closed, Crew, Plan};
    use crate::close::{ActorLine, InWork, StopReason, Stopwatch};
    use crate::log::{LogLimits, PaceLimits};
    use crate::store::{DataFolder, Db, Readers, Store};
    use crate::wire::Seq;

    /// There is nobody else to stop.
    struct Nobody;

    impl Crew for Nobody {
        fn seal_doors(&self) -> LocalBoxFuture<'static, ()> {
            ready(()).boxed_local()
        }

        fn seal_log(&self) -> LocalBoxFuture<'static, Option<Seq>> {
            ready(Some(Seq::ZERO)).boxed_local()
        }

        fn stop_actors(&self) -> LocalBoxFuture<'static, ()> {
            ready(()).boxed_local()
        }

        fn limit_store(&self) -> Box<dyn Fn(Instant)> {
            Box::new(|_| ())
        }

        fn close_store(&self) -> LocalBoxFuture<'static, Closed> {
            let (trouble, has_panicked) = (Vec::new(), false);
            let closed = Closed {
                trouble,
                has_panicked,
            };
            ready(closed).boxed_local()
        }

        fn unclosed(&self) -> Vec<String> {
            Vec::new()
        }

        fn lines(&self) -> Vec<ActorLine> {
            Vec::new()
        }
    }

    #[actix::test]
    async fn store_that_panics_stops_the_server_with_exit_70() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
        let path = folder.database().expect("writable");
        let db = Db::open(&path).expect("a db");
        let readers = Readers::new(&db);
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
            pace: PaceLimits::default(),
        };
        let (log, _appender) = Log::new("s".to_owned(), limits, 1);
        let (done, mut report) = watch::channel(None);
        supervisor.do_send(Begin(Plan {
            crew: Box::new(Nobody),
            in_work: InWork::default(),
            log,
            stopwatch: Stopwatch::default(),
            on_phase: Arc::new(|_| {}),
            done,
        }));

        store.ask::<()>(|_| panic!("on purpose")).await.ok();
        let report = report.wait_for(Option::is_some).await;
        let report = report
            .expect("it stops")
            .clone()
            .expect("it was waited for");
        assert_eq!((report.exit, report.reason), (70, StopReason::Panic));
        assert_eq!(report.trouble, ["the store panicked"]);
    }
}
