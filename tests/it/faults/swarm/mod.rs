//! Many clients on one thread.
//!
//! They send and receive bytes on non-blocking sockets, and record what they sent and received. A
//! broadcast has the same bytes for every client, so it is decoded once and then compared.

mod client;
mod heard;
mod socket;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use arauto::Endpoint;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, LocalSet};

pub(super) use client::{Work, said};
pub(super) use heard::{Heard, Told};
pub(super) use socket::Socket;

use socket::Room;

/// The clients of one server.
pub(super) struct Swarm {
    shared: Rc<Shared>,
    clients: Vec<JoinHandle<Heard>>,
}

/// The knowledge that the clients of a server share.
pub(super) struct Shared {
    room: Room,
    told: RefCell<Told>,
    logged_in: Cell<usize>,
    answers: Cell<u64>,
    moved: Notify,
}

/// The results of all of them.
pub(super) struct Swarmed {
    pub(super) heard: Vec<Heard>,
    pub(super) told: Told,
}

/// Runs what needs a swarm, on a runtime of this thread.
pub(super) fn run<T>(work: impl Future<Output = T>) -> T {
    raise_descriptor_limit();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    LocalSet::new().block_on(&runtime, work)
}

/// A thousand sockets are more than the usual soft limit.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("up to the hard limit everybody may");
}

impl Swarm {
    pub(super) fn new() -> Swarm {
        let shared = Shared {
            room: Room::default(),
            told: RefCell::default(),
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
        let life = client::live(socket, name, user.to_owned(), work, self.shared.clone());
        self.clients.push(tokio::task::spawn_local(life));
    }

    /// Waits until so many have been logged in.
    pub(super) async fn until_logged_in(&self, count: usize) {
        self.until(|shared| shared.logged_in.get() >= count).await;
    }

    /// Waits for so many answers from now on.
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
            // A client that fails would be waited for for ever.
            assert!(
                self.clients.iter().all(|client| !client.is_finished()),
                "a client has ended before the stop"
            );
            moved.await;
        }
    }

    /// Waits for the end of every client.
    pub(super) async fn ended(self) -> Swarmed {
        let mut heard = Vec::new();
        for client in self.clients {
            heard.push(client.await.expect("a client was told the truth"));
        }
        let told = self.shared.told.take();
        Swarmed { heard, told }
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
