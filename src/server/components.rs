//! The parts of a server beside its sessions, and how each is stopped: acceptors,
//! auth, the hub, the store, the threads.

use std::sync::{Arc, Weak};
use std::time::Instant;

use actix::{Addr, Arbiter};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join, join_all};
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use super::stop_timeline::StopTimeline;
use super::thread::on_thread;
use crate::accounts::Accounts;
use crate::actors::acceptor::{self, Acceptor};
use crate::actors::auth::{self, Auth};
use crate::actors::hub::{self, Hub};
use crate::actors::session::ListenerContext;
use crate::actors::supervisor::{Components, PhaseObserver, StoreClosed};
use crate::close::{ActorLine, InWork, PhaseLine, Report, Stopwatch};
use crate::log::Log;
use crate::store::{FolderLock, JournalReaders, StoreError, StoreThread, WaitLimit};
use crate::transport::Listener;
use crate::wire::Seq;

/// The names of these actors in the report.
const AUTH: &str = "auth";
const HUB: &str = "hub";

/// The report's sentences about what did not close in time.
const DATABASE: &str = "the database did not close in time; all acknowledged changes are in it or \
                        in its write-ahead log";
const THREADS: &str = "a session's thread did not end in time";

/// Everything that runs, except for the supervisor and the sessions.
pub(super) struct ServerComponents {
    /// Each acceptor, with the endpoint that it accepts at.
    pub(super) acceptors: Vec<(String, Addr<Acceptor<Listener>>)>,
    pub(super) auth: Addr<Auth>,
    pub(super) hub: Addr<Hub>,
    /// To check at the end that no session holds one.
    pub(super) listeners: Vec<Weak<ListenerContext>>,
    pub(super) arbiters: Arc<Mutex<Vec<Arbiter>>>,
    pub(super) accounts: Arc<Mutex<Option<Arc<Accounts>>>>,
    pub(super) data: Arc<Mutex<Option<Data>>>,
    pub(super) store_limit: Option<WaitLimit>,
    pub(super) unclosed: Unclosed,
    pub(super) stop_timeline: StopTimeline,
    pub(super) in_work: InWork,
    pub(super) log: Arc<Log>,
    pub(super) stopwatch: Stopwatch,
    pub(super) on_phase: PhaseObserver,
    pub(super) report: watch::Sender<Option<Report>>,
}

/// The parts that are still closing, as the report's sentences; clones share the list.
#[derive(Clone, Default)]
pub(super) struct Unclosed(Arc<Mutex<Vec<&'static str>>>);

impl Unclosed {
    fn add(&self, what: &'static str) {
        self.0.lock().push(what);
    }

    fn remove(&self, what: &'static str) {
        self.0.lock().retain(|open| *open != what);
    }

    fn names(&self) -> Vec<String> {
        let open = self.0.lock();
        open.iter().map(|what| (*what).to_owned()).collect()
    }
}

/// Why the database was not closed as it should be.
#[derive(Debug, thiserror::Error)]
enum StoreFault {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the database was not closed: cannot start a thread for it")]
    CloserGone,
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
            let name = format!("acceptor {endpoint}");
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
                stop_timeline.sealed(AUTH);
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
            stop_timeline.sealed(HUB);
            Some(head)
        }
        .boxed_local()
    }

    fn stop_actors(&self) -> LocalBoxFuture<'static, ()> {
        let (hub, auth) = (self.hub.clone(), self.auth.clone());
        let (accounts, stop_timeline) = (Arc::clone(&self.accounts), self.stop_timeline.clone());
        async move {
            if hub.send(hub::Stop).await.is_ok() {
                stop_timeline.stopped(HUB);
            }
            if let Ok(handed_over) = auth.send(auth::Stop).await {
                stop_timeline.stopped(AUTH);
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
            self.unclosed.add(DATABASE);
            on_thread("arauto-close", move || close(data))
        });
        self.unclosed.add(THREADS);
        let threads = std::mem::take(&mut *self.arbiters.lock());
        // Joining blocks, and the threads of the actor system must not.
        let joined = on_thread("arauto-join", move || join_threads(threads));
        let (listeners, unclosed) = (self.listeners.clone(), self.unclosed.clone());
        async move {
            let closing = async {
                let Some(database) = database else {
                    return Ok(());
                };
                let closed = database.await;
                unclosed.remove(DATABASE);
                closed.unwrap_or_else(|_| Err(StoreFault::CloserGone))
            };
            let joining = async {
                let joined = joined.await;
                unclosed.remove(THREADS);
                joined.unwrap_or_else(|_| vec!["the session threads were not joined".to_owned()])
            };
            let (closed, mut trouble) = join(closing, joining).await;
            let has_panicked =
                matches!(closed, Err(StoreFault::Store(StoreError::Panicked { .. })));
            trouble.extend(closed.err().map(|fault| fault.to_string()));
            let alive = listeners
                .iter()
                .filter(|listener| listener.upgrade().is_some())
                .count();
            if alive > 0 {
                trouble.push(format!("sessions of {alive} listeners are still alive"));
            }
            StoreClosed {
                trouble,
                has_panicked,
            }
        }
        .boxed_local()
    }

    fn unclosed(&self) -> Vec<String> {
        self.unclosed.names()
    }

    fn actor_lines(&self) -> Vec<ActorLine> {
        self.stop_timeline.lines()
    }

    fn phase_over(&self, line: &PhaseLine) {
        (self.on_phase)(line);
    }

    fn stopped(&self, report: Report) {
        self.report.send_replace(Some(report));
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
fn close(data: Data) -> Result<(), StoreFault> {
    let Data {
        store,
        readers,
        lock,
    } = data;
    readers.close(); // the last connection makes the last checkpoint, and these cannot
    let closed = store.close();
    drop(lock);
    Ok(closed?)
}

fn join_threads(arbiters: Vec<Arbiter>) -> Vec<String> {
    arbiters.iter().for_each(|arbiter| {
        arbiter.stop();
    });
    let joined = arbiters.into_iter().map(Arbiter::join);
    joined
        .filter(Result::is_err)
        .map(|_| "a session thread panicked".to_owned())
        .collect()
}
