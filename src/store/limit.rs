//! Bounds how long a connection waits for a lock that another process holds.
//!
//! SQLite asks a connection's busy handler whether to keep waiting
//! (<https://sqlite.org/c3ref/busy_handler.html>). The handler here waits for at most
//! [`LOCK_TIMEOUT`], and not beyond a deadline that all connections of a server share. A stop
//! sets this deadline from another thread, and a second signal can shorten it during a wait.
//! rusqlite takes a plain function as the handler, so the limit is kept in a thread-local.
//!
//! Nothing here bounds a system call that hangs: callers that wait for the store's thread
//! need a deadline of their own.

use std::cell::RefCell;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, InterruptHandle};

/// The longest wait for a lock that another process holds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest pause between two attempts to take a lock. SQLite does not signal its release.
const MAX_PAUSE: Duration = Duration::from_millis(50);

/// The interval at which an abandoned start interrupts SQLite. One interrupt is not enough: it
/// has no effect between two statements.
const INTERRUPT_INTERVAL: Duration = Duration::from_millis(20);

/// Bounds the waits of all connections that share it. Clones share one deadline.
#[derive(Debug, Clone, Default)]
pub struct WaitLimit {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    deadline: Mutex<Option<Instant>>,
    changed: Condvar,
    /// The handle that interrupts the connection that writes.
    interrupt: Mutex<Option<InterruptHandle>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let deadline = *self.deadline.lock();
        f.debug_struct("Shared")
            .field("deadline", &deadline)
            .finish_non_exhaustive()
    }
}

/// The limit of this thread, and the start of its current wait.
struct Waiting {
    limit: WaitLimit,
    began: Instant,
}

thread_local! {
    static WAITING: RefCell<Option<Waiting>> = const { RefCell::new(None) };
}

impl WaitLimit {
    /// Ends every wait for a lock at `deadline`, including waits that have begun.
    pub fn set(&self, deadline: Instant) {
        *self.shared.deadline.lock() = Some(deadline);
        self.shared.changed.notify_all();
    }

    /// Like [`WaitLimit::set`], but never makes the deadline later.
    pub(super) fn shorten(&self, deadline: Instant) {
        let mut set = self.shared.deadline.lock();
        *set = Some(set.map_or(deadline, |set| set.min(deadline)));
        self.shared.changed.notify_all();
    }

    /// Makes this the limit of the current thread. It replaces the thread's limit of before.
    pub(super) fn enter(&self) {
        let began = Instant::now();
        let limit = self.clone();
        WAITING.set(Some(Waiting { limit, began }));
    }

    /// Installs the busy handler on the connection. On each thread that uses the connection, the
    /// limit of that thread applies; on the current thread it is this one.
    pub(super) fn install(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        self.enter();
        connection.busy_handler(Some(busy_handler))
    }

    /// Makes this the connection that [`WaitLimit::abandon`] interrupts.
    pub(super) fn set_interruptible(&self, connection: &Connection) {
        *self.shared.interrupt.lock() = Some(connection.get_interrupt_handle());
    }

    /// Ends every wait, and interrupts every statement, until the returned guard is dropped.
    /// Does not block.
    pub fn abandon(&self) -> InterruptGuard {
        self.set(Instant::now());
        let alive = Arc::new(());
        let (shared, needed) = (Arc::clone(&self.shared), Arc::downgrade(&alive));
        // In a thread of its own, because an interrupt blocks while the connection is closed.
        let spawned = std::thread::Builder::new()
            .name("arauto-interrupt".to_owned())
            .spawn(move || interrupt_while(&needed, &shared));
        if let Err(error) = spawned {
            tracing::warn!(%error, "cannot start the thread that interrupts the database");
        }
        InterruptGuard { _alive: alive }
    }

    /// Pauses before the next attempt to take a lock. Returns `false` without a pause if `until`
    /// or the deadline has passed.
    fn pause(&self, until: Instant, pause: Duration) -> bool {
        let mut deadline = self.shared.deadline.lock();
        let now = Instant::now();
        let until = deadline.map_or(until, |deadline| deadline.min(until));
        if now >= until {
            return false;
        }
        let pause = pause.min(until - now);
        let _ = self.shared.changed.wait_for(&mut deadline, pause); // the next call checks again
        true
    }
}

/// Interrupts SQLite until it is dropped.
#[derive(Debug)]
pub struct InterruptGuard {
    _alive: Arc<()>,
}

fn interrupt_while(needed: &Weak<()>, shared: &Shared) {
    while needed.strong_count() > 0 {
        if let Some(handle) = &*shared.interrupt.lock() {
            handle.interrupt();
        }
        std::thread::sleep(INTERRUPT_INTERVAL);
    }
}

/// SQLite's busy handler. `attempts` counts its earlier calls for the same lock. Returns whether
/// SQLite shall try again.
fn busy_handler(attempts: i32) -> bool {
    WAITING.with_borrow_mut(|waiting| {
        let waiting = waiting.get_or_insert_with(|| Waiting {
            limit: WaitLimit::default(), // no deadline: the thread never entered a limit
            began: Instant::now(),
        });
        if attempts == 0 {
            waiting.began = Instant::now();
        }
        let pause = Duration::from_millis(1 << attempts.clamp(0, 6));
        let until = waiting.began + LOCK_TIMEOUT;
        waiting.limit.pause(until, pause.min(MAX_PAUSE))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_without_deadline_ends_after_the_lock_timeout() {
        let limit = WaitLimit::default();
        let now = Instant::now();
        assert!(limit.pause(now + LOCK_TIMEOUT, Duration::from_millis(1)));
        assert!(!limit.pause(now, Duration::from_millis(1)));
    }

    #[test]
    fn deadline_set_meanwhile_ends_a_wait() {
        let limit = WaitLimit::default();
        let (other, until) = (limit.clone(), Instant::now() + LOCK_TIMEOUT);
        let waiting = std::thread::spawn(move || {
            while other.pause(until, MAX_PAUSE) {}
            Instant::now()
        });
        limit.set(Instant::now());
        let ended = waiting.join().expect("it does not panic");
        assert!(ended < until, "it ended before the lock timeout");
    }

    #[test]
    fn busy_handler_uses_the_limit_of_its_thread() {
        assert!(busy_handler(0), "a thread without a limit waits");
        let limit = WaitLimit::default();
        limit.enter();
        assert!(busy_handler(0));
        limit.set(Instant::now());
        assert!(!busy_handler(1));
    }

    #[test]
    fn deadline_is_shortened_and_not_lengthened() {
        let limit = WaitLimit::default();
        let now = Instant::now();
        limit.set(now);
        limit.shorten(now + LOCK_TIMEOUT);
        assert!(!limit.pause(now + LOCK_TIMEOUT, MAX_PAUSE));
        limit.set(now + LOCK_TIMEOUT);
        limit.shorten(now);
        assert!(!limit.pause(now + LOCK_TIMEOUT, MAX_PAUSE));
    }
}
