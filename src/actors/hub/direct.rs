//! Lets a session publish without a message to the hub.
//!
//! The problem: a message to the hub costs four runs of tasks: the session's, the hub's, the
//! relay's, and the session's again. A session on the hub's own thread can append and commit
//! the broadcasts itself instead, and wake the readers, all in one run: no other task of the
//! thread runs meanwhile.
//!
//! Where several sessions publish in one turn of the event loop, messages to the hub are
//! cheaper: one commit and one wake-up serve all of them. So only an uncontended publish is
//! direct ([`Contention`]).
//!
//! Invariants: the hub and the sessions never borrow the state at the same time; a panic in a
//! direct publish ends the hub, not the session.

use std::any::Any;
use std::cell::{Cell, RefCell, RefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicU64, Ordering};

use actix::{Message, Recipient};

use super::not_published::NotPublished;
use super::state::State;
use crate::actors::turn::{self, Contention};
use crate::log::Log;

/// Distinguishes a hub from all others of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HubKey(u64);

static KEYS: AtomicU64 = AtomicU64::new(0);

impl HubKey {
    pub(super) fn new() -> HubKey {
        HubKey(KEYS.fetch_add(1, Ordering::Relaxed))
    }
}

/// A hub of this thread.
struct Local {
    key: HubKey,
    shared: Weak<Shared>,
    hub: Recipient<Panicked>,
}

/// The state of a hub, shared with the sessions of its thread.
pub(super) struct Shared {
    state: RefCell<State>,
    contention: Cell<Contention>,
    /// Whether a direct publish has panicked: the state may be inconsistent.
    has_panicked: Cell<bool>,
}

thread_local! {
    /// The hubs of this thread: one for each server that has its first sessions here.
    static HUBS: RefCell<Vec<Local>> = const { RefCell::new(Vec::new()) };
}

/// Makes the hub panic, because its code has panicked in a direct publish.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Panicked(pub(super) Box<dyn Any + Send>);

impl Shared {
    pub(super) fn new(state: State) -> Rc<Shared> {
        Rc::new(Shared {
            state: RefCell::new(state),
            contention: Cell::default(),
            has_panicked: Cell::new(false),
        })
    }

    /// Borrows the state for the hub itself.
    ///
    /// # Panics
    /// If a direct publish has panicked.
    pub(super) fn state(&self) -> RefMut<'_, State> {
        assert!(!self.has_panicked.get(), "a direct publish has panicked");
        self.state.borrow_mut()
    }

    /// Counts a publish. Returns whether it is uncontended.
    fn admit(&self) -> bool {
        let mut contention = self.contention.get();
        let is_uncontended = contention.admit(turn::current());
        self.contention.set(contention);
        is_uncontended
    }
}

/// Enables direct publishes for the sessions of this thread.
pub(super) fn register(key: HubKey, hub: Recipient<Panicked>, shared: &Rc<Shared>) {
    let shared = Rc::downgrade(shared);
    HUBS.with_borrow_mut(|hubs| hubs.push(Local { key, shared, hub }));
}

/// Disables direct publishes.
pub(super) fn deregister(key: HubKey) {
    // At the end of a thread the list may be gone already.
    let _ = HUBS.try_with(|hubs| hubs.borrow_mut().retain(|local| local.key != key));
}

/// Sends the panic of a direct publish to the hub.
fn report_panic(key: HubKey, panic: Box<dyn Any + Send>) {
    HUBS.with_borrow(|hubs| {
        if let Some(local) = hubs.iter().find(|local| local.key == key) {
            // The mailbox stays bounded: each hub gets at most one, as no direct publish follows.
            local.hub.do_send(Panicked(panic));
        }
    });
}

/// Has the state publish and commit, if that can be direct: see
/// [`HubAddress::publish_now`](super::HubAddress::publish_now). `publish` returns the answer, and
/// whether the readers of the thread with the number `shard` are to be woken.
pub(super) fn publish_now<T>(
    key: HubKey,
    log: &Log,
    shard: usize,
    publish: impl FnOnce(&mut State) -> (Result<T, NotPublished>, bool),
) -> Option<Result<T, NotPublished>> {
    let shared = HUBS.with_borrow(|hubs| {
        let local = hubs.iter().find(|local| local.key == key)?;
        local.shared.upgrade()
    })?;
    let mut state = shared.state.try_borrow_mut().ok()?;
    if !state.is_immediate() || shared.has_panicked.get() || !shared.admit() {
        return None;
    }
    let publish = AssertUnwindSafe(|| publish(&mut state));
    match catch_unwind(publish) {
        Ok((published, is_wake_due)) => {
            drop(state); // readers write while they are woken
            if is_wake_due {
                log.wake_readers(shard);
            }
            Some(published)
        }
        Err(panic) => {
            shared.has_panicked.set(true);
            report_panic(key, panic);
            None
        }
    }
}
