//! Starts a session for each accepted connection, on the arbiters in turn.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix::{Actor, Addr};
use actix_rt::ArbiterHandle;

use crate::actors::admission::Admission;
use crate::actors::permits::Permits;
use crate::actors::session::{ConnectRefusal, ListenerContext, Session, Start};
use crate::actors::supervisor::{Opened, SessionInfo, Supervisor};
use crate::transport::{AcceptedConnection, Connection};
use crate::wire::SessionId;

/// Starts sessions, and gives each its number and its thread.
#[derive(Clone)]
pub(super) struct SessionSpawner {
    arbiters: Rc<[ArbiterHandle]>,
    /// Sessions started on this thread: the next arbiter follows from it.
    started: Rc<Cell<usize>>,
    sessions: Arc<AtomicU64>,
    supervisor: Addr<Supervisor>,
}

impl SessionSpawner {
    pub(super) fn new(arbiters: Rc<[ArbiterHandle]>, supervisor: Addr<Supervisor>) -> Self {
        SessionSpawner {
            arbiters,
            started: Rc::default(),
            sessions: Arc::default(),
            supervisor,
        }
    }

    /// Starts a session for the connection, or one that only tells the client why it is
    /// refused.
    pub(super) fn spawn(
        &self,
        accepted: AcceptedConnection,
        admission: Admission,
        listener: &Arc<ListenerContext>,
    ) {
        let AcceptedConnection {
            connection,
            peer,
            is_admitted,
        } = accepted;
        let (permits, refusal) = match admission {
            Admission::Admitted(permits) if !is_admitted => {
                (permits, Some(ConnectRefusal::Forbidden))
            }
            Admission::Admitted(permits) => (permits, None),
            Admission::Full(permits) => (permits, Some(ConnectRefusal::Full)),
            Admission::FullBriefly(permits) => (permits, Some(ConnectRefusal::FullBriefly)),
            Admission::Draining(permits) => (permits, Some(ConnectRefusal::Draining)),
            Admission::Stopping => (Permits::default(), Some(ConnectRefusal::Stopping)),
        };
        let id = SessionId(self.sessions.fetch_add(1, Ordering::Relaxed) + 1);
        let info = SessionInfo::new(id, Arc::clone(&listener.endpoint), peer.to_string());
        let info = Arc::new(info);
        tracing::debug!(session = %id, endpoint = %info.endpoint, %peer, ?refusal, "connected");
        let shard = self.started.replace(self.started.get() + 1) % self.arbiters.len();
        let (listener, its_info) = (Arc::clone(listener), Arc::clone(&info));
        let (is_own_user, peer) = (peer.is_same_user(), peer.id());
        let head = listener.log.head();
        let start = move || {
            let link = connection.attach()?;
            Ok::<_, std::io::Error>(Session::new(Start {
                link,
                info: its_info,
                listener,
                shard,
                is_own_user,
                head,
                peer,
                permits,
                refusal,
            }))
        };
        self.start(shard, info, start);
    }

    fn start(
        &self,
        shard: usize,
        info: Arc<SessionInfo>,
        start: impl FnOnce() -> std::io::Result<Session<Connection>> + Send + 'static,
    ) {
        let supervisor = self.supervisor.clone();
        self.arbiters[shard].spawn_fn(move || match start() {
            Ok(session) => {
                let address = session.start();
                supervisor.do_send(Opened {
                    info,
                    orders: address.recipient(),
                });
            }
            Err(error) => tracing::warn!(session = %info.id, %error, "session not started"),
        });
    }
}
