//! How long a connection waits for a lock that another process holds.
//!
//! SQLite asks a connection's busy handler whether to wait on. The one here says yes for
//! [`PATIENCE`] and no longer than a deadline that all connections of a server share. A stop
//! sets the deadline from another thread, and a second signal brings it closer while
//! somebody waits. SQLite's handlers are plain functions, so that each thread remembers the
//! limit that it works under.
//!
//! Nothing here bounds a system call that hangs: callers that wait for the store's thread
//! need a deadline as well.

use std::cell::RefCell;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, InterruptHandle};

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest pause between two looks at a lock; no event tells that it is free.
const LAST_LOOK: Duration = Duration::from_millis(50);

/// How often a start that is abandoned interrupts what SQLite does: between two statements
/// an interrupt has no effect.
const AGAIN: Duration = Duration::from_millis(20);

/// Bounds the waits of all connections that share it; clones are one.
#[derive(Debug, Clone, Default)]
pub struct WaitLimit {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    deadline: Mutex<Option<Instant>>,
    changed: Condvar,
    /// Interrupts the connection that writes.
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

/// The limit that this thread works under, and when its present wait began.
struct Waiting {
    limit: WaitLimit,
    began: Instant,
}

thread_local! {
    static WAITING: RefCell<Option<Waiting>> = const { RefCell::new(None) };
}

impl WaitLimit {
    /// Ends every wait for a lock at `deadline`, those that have begun included.
    pub fn set(&self, deadline: Instant) {
        *self.shared.deadline.lock() = Some(deadline);
        self.shared.changed.notify_all();
    }

    /// As [`WaitLimit::set`], where that is earlier than now set.
    pub(super) fn shorten(&self, deadline: Instant) {
        let mut set = self.shared.deadline.lock();
        *set = Some(set.map_or(deadline, |set| set.min(deadline)));
        self.shared.changed.notify_all();
    }

    /// Makes this thread work under the limit, until it is put under another.
    pub(super) fn enter(&self) {
        let began = Instant::now();
        let limit = self.clone();
        WAITING.set(Some(Waiting { limit, began }));
    }

    /// Has the connection wait for locks as its thread's limit says.
    pub(super) fn install(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        self.enter();
        connection.busy_handler(Some(waits_on))
    }

    /// Names the connection that [`WaitLimit::abandon`] interrupts.
    pub(super) fn interrupts(&self, connection: &Connection) {
        *self.shared.interrupt.lock() = Some(connection.get_interrupt_handle());
    }

    /// Ends every wait, and whatever statement runs, from now on until the result is
    /// dropped. It does not block.
    pub fn abandon(&self) -> Abandoned {
        self.set(Instant::now());
        let alive = Arc::new(());
        let (shared, needed) = (Arc::clone(&self.shared), Arc::downgrade(&alive));
        // A thread, as an interrupt waits for a connection that is being closed.
        let spawned = std::thread::Builder::new()
            .name("arauto-interrupt".to_owned())
            .spawn(move || interrupt_while(&needed, &shared));
        if let Err(error) = spawned {
            tracing::warn!(%error, "what SQLite does could not be interrupted");
        }
        Abandoned { _alive: alive }
    }

    /// Pauses before the next look at a lock. `false`: the time is up.
    fn pause(&self, until: Instant, pause: Duration) -> bool {
        let mut deadline = self.shared.deadline.lock();
        let now = Instant::now();
        let until = deadline.map_or(until, |deadline| deadline.min(until));
        if now >= until {
            return false;
        }
        let pause = pause.min(until - now);
        let _ = self.shared.changed.wait_for(&mut deadline, pause); // it is looked at again
        true
    }
}

/// Interrupts go on until this is dropped.
#[derive(Debug)]
pub struct Abandoned {
    _alive: Arc<()>,
}

fn interrupt_while(needed: &Weak<()>, shared: &Shared) {
    while needed.strong_count() > 0 {
        if let Some(handle) = &*shared.interrupt.lock() {
            handle.interrupt();
        }
        std::thread::sleep(AGAIN);
    }
}

/// The busy handler: `looks` is how often it was asked for the same lock before
/// (sqlite3_busy_handler).
fn waits_on(looks: i32) -> bool {
    WAITING.with_borrow_mut(|waiting| {
        let waiting = waiting.get_or_insert_with(|| Waiting {
            limit: WaitLimit::default(), // this thread was put under no limit
            began: Instant::now(),
        });
        if looks == 0 {
            waiting.began = Instant::now();
        }
        let pause = Duration::from_millis(1 << looks.clamp(0, 6));
        let until = waiting.began + PATIENCE;
        waiting.limit.pause(until, pause.min(LAST_LOOK))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_without_deadline_ends_after_the_patience() {
        let limit = WaitLimit::default();
        let now = Instant::now();
        assert!(limit.pause(now + PATIENCE, Duration::from_millis(1)));
        assert!(!limit.pause(now, Duration::from_millis(1)));
    }

    #[test]
    fn deadline_set_meanwhile_ends_a_wait() {
        let limit = WaitLimit::default();
        let (other, until) = (limit.clone(), Instant::now() + PATIENCE);
        let waiting = std::thread::spawn(move || {
            let mut looks = 0;
            while other.pause(until, LAST_LOOK) {
                looks += 1;
            }
            (looks, Instant::now())
        });
        limit.set(Instant::now());
        let (_, ended) = waiting.join().expect("it does not panic");
        assert!(ended < until, "the patience was not needed");
    }

    #[test]
    fn busy_handler_uses_the_limit_of_its_thread() {
        assert!(waits_on(0), "a thread without a limit has the patience");
        let limit = WaitLimit::default();
        limit.enter();
        assert!(waits_on(0));
        limit.set(Instant::now());
        assert!(!waits_on(1));
    }

    #[test]
    fn deadline_is_shortened_and_not_lengthened() {
        let limit = WaitLimit::default();
        let now = Instant::now();
        limit.set(now);
        limit.shorten(now + PATIENCE);
        assert!(!limit.pause(now + PATIENCE, LAST_LOOK));
        limit.set(now + PATIENCE);
        limit.shorten(now);
        assert!(!limit.pause(now + PATIENCE, LAST_LOOK));
    }
}
