//! What the supervisor stops beside the sessions: doors, hub, auth, threads.

use std::sync::{Arc, Weak};

use actix::{Addr, Arbiter};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join_all};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::ledger::Ledger;
use super::link::ListenerDoor;
use crate::accounts::Accounts;
use crate::actors::acceptor::{self, Acceptor};
use crate::actors::auth::{self, Auth};
use crate::actors::hub::{self, Hub};
use crate::actors::session::Desk;
use crate::actors::supervisor::Crew;
use crate::close::ActorLine;
use crate::store::{FolderLock, Readers, StoreThread};
use crate::wire::Seq;

/// The names of the two in the report.
const AUTH: &str = "auth";
const HUB: &str = "hub";

/// Everything that runs, but for the supervisor and the sessions.
pub(super) struct Staff {
    /// Each with the endpoint that it accepts at.
    pub(super) acceptors: Vec<(String, Addr<Acceptor<ListenerDoor>>)>,
    pub(super) auth: Addr<Auth>,
    pub(super) hub: Addr<Hub>,
    /// Kept to see that nobody holds one at the end.
    pub(super) desks: Vec<Weak<Desk>>,
    pub(super) arbiters: Arc<Mutex<Vec<Arbiter>>>,
    pub(super) accounts: Arc<Mutex<Option<Arc<Accounts>>>>,
    pub(super) data: Arc<Mutex<Option<Data>>>,
    pub(super) ledger: Ledger,
}

/// The data folder, while the server has it.
pub(super) struct Data {
    pub(super) store: StoreThread,
    pub(super) readers: Arc<Readers>,
    pub(super) lock: FolderLock,
}

impl Crew for Staff {
    fn seal_doors(&self) -> LocalBoxFuture<'static, ()> {
        let (auth, ledger) = (self.auth.send(auth::Seal), self.ledger.clone());
        let doors = self.acceptors.iter().map(|(endpoint, door)| {
            let (sealed, ledger) = (door.send(acceptor::Seal), self.ledger.clone());
            let name = format!("acceptor {endpoint}");
            async move {
                // It stops with that. Whoever is gone needs no seal.
                if sealed.await.is_ok() {
                    ledger.sealed(&name);
                    ledger.stopped(&name);
                }
            }
        });
        let doors = join_all(doors.collect::<Vec<_>>());
        let arbiters = Arc::clone(&self.arbiters);
        async move {
            if auth.await.is_ok() {
                ledger.sealed(AUTH);
            }
            doors.await;
            settle(&arbiters).await;
        }
        .boxed_local()
    }

    fn seal_log(&self) -> LocalBoxFuture<'static, Option<Seq>> {
        let (sealed, ledger) = (self.hub.send(hub::Seal), self.ledger.clone());
        async move {
            let head = sealed.await.ok()?;
            ledger.sealed(HUB);
            Some(head)
        }
        .boxed_local()
    }

    fn stop_actors(&self) -> LocalBoxFuture<'static, ()> {
        let (hub, auth) = (self.hub.clone(), self.auth.clone());
        let (accounts, ledger) = (Arc::clone(&self.accounts), self.ledger.clone());
        async move {
            if hub.send(hub::Stop).await.is_ok() {
                ledger.stopped(HUB);
            }
            if let Ok(handed_over) = auth.send(auth::Stop).await {
                ledger.stopped(AUTH);
                *accounts.lock() = Some(handed_over);
            }
        }
        .boxed_local()
    }

    fn close_store(&self) -> LocalBoxFuture<'static, Vec<String>> {
        let accounts = Arc::clone(&self.accounts);
        let arbiters = Arc::clone(&self.arbiters);
        let data = Arc::clone(&self.data);
        let desks = self.desks.clone();
        async move {
            let (mut trouble, mut held) = (Vec::new(), None);
            drop(accounts.lock().take());
            let data = data.lock().take();
            if let Some(Data {
                store,
                readers,
                lock,
            }) = data
            {
                readers.close(); // the last connection tidies up, and these cannot
                // It waits for the store's thread.
                match tokio::task::spawn_blocking(|| store.close()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => trouble.push(error.to_string()),
                    Err(_) => trouble.push("closing the database panicked".to_owned()),
                }
                held = Some(lock);
            }
            let threads = std::mem::take(&mut *arbiters.lock());
            // Joining blocks, and a thread of this system must not; nor one of its
            // blocking threads, which its end would wait for.
            let (joined, outcome) = oneshot::channel();
            std::thread::spawn(move || joined.send(join_threads(threads)));
            trouble.extend(outcome.await.unwrap_or_default());
            let alive = desks.iter().filter(|desk| desk.upgrade().is_some()).count();
            if alive > 0 {
                trouble.push(format!("sessions of {alive} listeners are still alive"));
            }
            drop(held);
            trouble
        }
        .boxed_local()
    }

    fn lines(&self) -> Vec<ActorLine> {
        self.ledger.lines()
    }
}

/// Sessions that were on their way to a thread have started there after this.
async fn settle(arbiters: &Mutex<Vec<Arbiter>>) {
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
