//! Many clients on one thread.
//!
//! They send and receive bytes on non-blocking sockets, and record what they sent and received. A
//! broadcast has the same bytes for every client, so it is decoded once and then compared.

mod client;
mod received;
mod socket;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use arauto::Endpoint;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, LocalSet};

pub(super) use client::{Work, body_of};
pub(super) use received::{Broadcasts, Received};
pub(super) use socket::Socket;

use socket::ReceiveBuffer;

/// The clients of one server.
pub(super) struct Swarm {
    shared: Rc<Shared>,
    clients: Vec<JoinHandle<Received>>,
}

/// The state that the clients of a server share.
pub(super) struct Shared {
    receive_buffer: ReceiveBuffer,
    broadcasts: RefCell<Broadcasts>,
    logged_in: Cell<usize>,
    answers: Cell<u64>,
    moved: Notify,
}

/// The results of all clients.
pub(super) struct SwarmResult {
    pub(super) received: Vec<Received>,
    pub(super) broadcasts: Broadcasts,
}

/// Runs a future that uses a swarm, on a new runtime of this thread.
pub(super) fn run<T>(work: impl Future<Output = T>) -> T {
    raise_descriptor_limit();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    LocalSet::new().block_on(&runtime, work)
}

/// Raises the descriptor limit to the hard limit: a thousand sockets exceed the usual soft limit.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("the hard limit allows it");
}

impl Swarm {
    pub(super) fn new() -> Swarm {
        let shared = Shared {
            receive_buffer: ReceiveBuffer::default(),
            broadcasts: RefCell::default(),
            logged_in: Cell::new(0),
            answers: Cell::new(0),
            moved: Notify::new(),
        };
        Swarm {
            shared: Rc::new(shared),
            clients: Vec::new(),
        }
    }

    /// Adds a client, which lives until the server closes it.
    pub(super) fn join(&mut self, endpoint: &Endpoint, user: &str, work: Work) {
        let socket = Socket::connect(endpoint);
        let name = self.clients.len();
        let client_run =
            client::run_client(socket, name, user.to_owned(), work, self.shared.clone());
        self.clients.push(tokio::task::spawn_local(client_run));
    }

    /// Waits until this many clients are logged in.
    pub(super) async fn until_logged_in(&self, count: usize) {
        self.until(|shared| shared.logged_in.get() >= count).await;
    }

    /// Waits for this many more answers.
    pub(super) async fn until_answered(&self, more: u64) {
        let enough = self.shared.answers.get() + more;
        self.until(|shared| shared.answers.get() >= enough).await;
    }

    async fn until(&self, come: impl Fn(&Shared) -> bool) {
        loop {
            let moved = self.shared.moved.notified();
            if come(&self.shared) {
                return;
            }
            // Without this check, the wait for a client that failed would never end.
            assert!(
                self.clients.iter().all(|client| !client.is_finished()),
                "a client has ended before the stop"
            );
            moved.await;
        }
    }

    /// Waits for the end of every client.
    pub(super) async fn ended(self) -> SwarmResult {
        let mut received = Vec::new();
        for client in self.clients {
            received.push(client.await.expect("a client's checks passed"));
        }
        let broadcasts = self.shared.broadcasts.take();
        SwarmResult {
            received,
            broadcasts,
        }
    }
}

impl Shared {
    fn note_login(&self) {
        self.logged_in.set(self.logged_in.get() + 1);
        self.moved.notify_waiters();
    }

    fn note_answer(&self) {
        self.answers.set(self.answers.get() + 1);
        self.moved.notify_waiters();
    }
}
