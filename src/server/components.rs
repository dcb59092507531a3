//! The parts of a server beside its sessions, and how each is stopped: acceptors,
//! auth, the hub, the store, the threads.

use std::sync::Arc;
use std::time::Instant;

use actix::{Addr, Arbiter};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join, join_all};
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use super::contexts::Contexts;
use super::stop_timeline::StopTimeline;
use super::thread::on_thread;
use crate::accounts::Accounts;
use crate::actors::acceptor::{self, Acceptor};
use crate::actors::auth::{self, Auth};
use crate::actors::draining::Draining;
use crate::actors::hub::{self, Hub};
use crate::actors::supervisor::{Components, PhaseObserver, StoreClosed};
use crate::close::{
    ActorLine, ActorName, Component, InWork, PhaseLine, RecentCalls, Report, Stopwatch, Trouble,
};
use crate::log::Log;
use crate::services::Services;
use crate::store::{FolderLock, JournalReaders, StoreError, StoreThread, WaitLimit};
use crate::transport::Listener;
use crate::wire::Seq;

/// Everything that runs, except for the supervisor and the sessions.
pub(super) struct ServerComponents {
    /// Each acceptor, with the endpoint that it accepts at.
    pub(super) acceptors: Vec<(String, Addr<Acceptor<Listener>>)>,
    pub(super) auth: Addr<Auth>,
    pub(super) hub: Addr<Hub>,
    /// To check at the end that no session holds one.
    pub(super) contexts: Arc<Contexts>,
    pub(super) arbiters: Arc<Mutex<Vec<Arbiter>>>,
    pub(super) accounts: Arc<Mutex<Option<Arc<Accounts>>>>,
    pub(super) data: Arc<Mutex<Option<Data>>>,
    pub(super) store_limit: Option<WaitLimit>,
    pub(super) unclosed: Unclosed,
    pub(super) stop_timeline: StopTimeline,
    pub(super) in_work: InWork,
    pub(super) log: Arc<Log>,
    pub(super) services: Arc<Services>,
    pub(super) stopwatch: Stopwatch,
    pub(super) on_phase: PhaseObserver,
    pub(super) draining: Draining,
    pub(super) report: watch::Sender<Option<Report>>,
}

/// The trouble of each part that is still closing; clones share the list.
#[derive(Clone, Default)]
pub(super) struct Unclosed(Arc<Mutex<Vec<Trouble>>>);

impl Unclosed {
    fn add(&self, trouble: Trouble) {
        self.0.lock().push(trouble);
    }

    fn remove(&self, trouble: &Trouble) {
        self.0.lock().retain(|open| open != trouble);
    }

    fn list(&self) -> Vec<Trouble> {
        self.0.lock().clone()
    }
}

/// The data folder, while the server has it.
pub(super) struct Data {
    pub(super) store: StoreThread,
    pub(super) readers: Arc<JournalReaders>,
    pub(super) lock: FolderLock,
}

impl Components for ServerComponents {
    fn log(&self) -> &Log {
        &self.log
    }

    fn begin_stop(&self, now: Instant) {
        self.stopwatch.begin(now);
    }

    fn seal_listeners(&self) -> LocalBoxFuture<'static, ()> {
        let (auth, stop_timeline) = (self.auth.send(auth::Seal), self.stop_timeline.clone());
        let acceptors = self.acceptors.iter().map(|(endpoint, acceptor)| {
            let sealed = acceptor.send(acceptor::Seal);
            let stop_timeline = self.stop_timeline.clone();
            let name = ActorName::Acceptor(endpoint.clone());
            async move {
                // It stops once it is sealed; one that has panicked needs no seal.
                if sealed.await.is_ok() {
                    stop_timeline.sealed(&name);
                    stop_timeline.stopped(&name);
                }
            }
        });
        let acceptors = join_all(acceptors.collect::<Vec<_>>());
        let arbiters = Arc::clone(&self.arbiters);
        async move {
            if auth.await.is_ok() {
                stop_timeline.sealed(&ActorName::Auth);
            }
            acceptors.await;
            start_handed_over(&arbiters).await;
        }
        .boxed_local()
    }

    fn requests_idle(&self) -> LocalBoxFuture<'static, ()> {
        let in_work = self.in_work.clone();
        async move { in_work.idle().await }.boxed_local()
    }

    fn seal_log(&self) -> LocalBoxFuture<'static, Option<Seq>> {
        let (sealed, stop_timeline) = (self.hub.send(hub::Seal), self.stop_timeline.clone());
        async move {
            let head = sealed.await.ok()?;
            stop_timeline.sealed(&ActorName::Hub);
            Some(head)
        }
        .boxed_local()
    }

    fn stop_actors(&self) -> LocalBoxFuture<'static, ()> {
        let (hub, auth) = (self.hub.clone(), self.auth.clone());
        let (accounts, stop_timeline) = (Arc::clone(&self.accounts), self.stop_timeline.clone());
        async move {
            if hub.send(hub::Stop).await.is_ok() {
                stop_timeline.stopped(&ActorName::Hub);
            }
            if let Ok(handed_over) = auth.send(auth::Stop).await {
                stop_timeline.stopped(&ActorName::Auth);
                *accounts.lock() = Some(handed_over);
            }
        }
        .boxed_local()
    }

    fn limit_store(&self, deadline: Instant) {
        if let Some(limit) = &self.store_limit {
            limit.set(deadline);
        }
    }

    fn close_store(&self) -> LocalBoxFuture<'static, StoreClosed> {
        drop(self.accounts.lock().take());
        let database = self.data.lock().take().map(|data| {
            self.unclosed.add(Trouble::DatabaseUnclosed);
            on_thread("arauto-close", move || close(data))
        });
        self.unclosed.add(Trouble::SessionThreadUnended);
        let threads = std::mem::take(&mut *self.arbiters.lock());
        // Joining blocks, and the threads of the actor system must not.
        let joined = on_thread("arauto-join", move || join_threads(threads));
        let (contexts, unclosed) = (Arc::clone(&self.contexts), self.unclosed.clone());
        async move {
            // `None`: the database was not closed.
            let closing = async {
                let Some(database) = database else {
                    return Some(Ok(()));
                };
                let closed = database.await;
                unclosed.remove(&Trouble::DatabaseUnclosed);
                closed.ok()
            };
            let joining = async {
                let joined = joined.await;
                unclosed.remove(&Trouble::SessionThreadUnended);
                joined.unwrap_or_else(|_| vec![Trouble::SessionThreadsUnjoined])
            };
            let (closed, mut trouble) = join(closing, joining).await;
            let has_panicked = matches!(closed, Some(Err(StoreError::Panicked { .. })));
            trouble.extend(match closed {
                Some(Ok(())) => None,
                Some(Err(error)) => Some(Trouble::Database(error.to_string())),
                None => Some(Trouble::DatabaseCloserMissing),
            });
            let listeners = contexts.count_held();
            if listeners > 0 {
                trouble.push(Trouble::SessionsAlive { listeners });
            }
            StoreClosed {
                trouble,
                has_panicked,
            }
        }
        .boxed_local()
    }

    fn unclosed(&self) -> Vec<Trouble> {
        self.unclosed.list()
    }

    fn actor_lines(&self) -> Vec<ActorLine> {
        self.stop_timeline.lines()
    }

    fn recent_calls(&self, began: Instant) -> RecentCalls {
        self.services.recent_calls(began)
    }

    fn phase_over(&self, line: &PhaseLine) {
        (self.on_phase)(line);
    }

    fn stopped(&self, report: Report) {
        let drained = self.draining.is_on();
        self.report.send_replace(Some(Report { drained, ..report }));
    }
}

/// Resolves when the sessions that were handed to a thread have started there.
async fn start_handed_over(arbiters: &Mutex<Vec<Arbiter>>) {
    let reached: Vec<_> = arbiters
        .lock()
        .iter()
        .map(|arbiter| {
            let (reply, reached) = oneshot::channel::<()>();
            arbiter.spawn_fn(move || drop(reply));
            reached
        })
        .collect();
    join_all(reached).await;
}

/// Closes the database, however long the disk takes. The folder stays locked meanwhile.
fn close(data: Data) -> Result<(), StoreError> {
    let Data {
        store,
        readers,
        lock,
    } = data;
    readers.close(); // the last connection makes the last checkpoint, and these cannot
    let closed = store.close();
    drop(lock);
    closed
}

fn join_threads(arbiters: Vec<Arbiter>) -> Vec<Trouble> {
    arbiters.iter().for_each(|arbiter| {
        arbiter.stop();
    });
    let joined = arbiters.into_iter().map(Arbiter::join);
    joined
        .filter(Result::is_err)
        .map(|_| Trouble::Panicked(Component::SessionThread))
        .collect()
}
