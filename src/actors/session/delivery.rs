//! Broadcasts that are written as soon as they are visible.
//!
//! The problem: a session that waits for broadcasts is woken by its thread's relay. A wake-up of
//! its task passes tokio's queue, actix's context and a whole round of the driver, and costs
//! more than the write. A session that is parked at the log's head needs only the write.
//!
//! So the waker that a session registers for broadcasts does not wake its task: on the
//! session's own thread it has the driver write at once, and the driver wakes the task where
//! that is not all there is to do. Elsewhere, and where the driver is at work, the task is
//! woken. A session that publishes directly commits in its own run; its waker does nothing then,
//! because the session reads the log before the run ends.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};

use slab::Slab;

/// A session that can be told of new broadcasts.
pub(super) trait Deliver {
    /// Writes what can be written now. Returns whether the session takes care of the rest.
    fn deliver(&self) -> bool;
}

/// The sessions of this thread.
struct Sessions {
    /// Distinguishes this thread from all others.
    thread: u32,
    sessions: Slab<Weak<dyn Deliver>>,
    /// The index of the session whose run is under way.
    running: Option<usize>,
}

static THREADS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static SESSIONS: RefCell<Sessions> = RefCell::new(Sessions {
        thread: THREADS.fetch_add(1, Ordering::Relaxed),
        sessions: Slab::new(),
        running: None,
    });
}

/// The registration of a session with its thread. Dropping it removes the session.
#[derive(Debug)]
pub(super) struct Registration {
    key: SessionKey,
}

#[derive(Debug, Clone, Copy)]
struct SessionKey {
    thread: u32,
    /// Given to another session once this one has ended. A waker that outlives its session
    /// then has that one look for nothing.
    index: u32,
}

impl SessionKey {
    fn index(self) -> usize {
        self.index as usize
    }
}

/// The state of the session that a waker was made for.
enum SessionState {
    /// The session's run is under way on this thread.
    Running,
    /// The session is parked on this thread.
    Parked(Rc<dyn Deliver>),
    /// The session has ended, or is on another thread.
    Absent,
}

/// Delivers to the session with this key, or wakes its task.
struct DeliveryWaker {
    key: SessionKey,
    task: Waker,
}

impl Registration {
    pub(super) fn new(session: Weak<dyn Deliver>) -> Registration {
        SESSIONS.with_borrow_mut(|sessions| Registration {
            key: SessionKey {
                thread: sessions.thread,
                index: u32::try_from(sessions.sessions.insert(session))
                    .expect("a thread has fewer sessions"),
            },
        })
    }

    /// Notes that the session's run begins. Until [`Registration::end_run`] its wakers do nothing,
    /// because the session reads the log before its run ends.
    pub(super) fn begin_run(&self) {
        SESSIONS.with_borrow_mut(|sessions| sessions.running = Some(self.key.index()));
    }

    /// Notes that the session's run has ended.
    pub(super) fn end_run(&self) {
        SESSIONS.with_borrow_mut(|sessions| sessions.running = None);
    }

    /// Returns a waker that delivers to the session, and wakes `task` where it cannot.
    pub(super) fn waker(&self, task: &Waker) -> Waker {
        Waker::from(Arc::new(DeliveryWaker {
            key: self.key,
            task: task.clone(),
        }))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // At the end of a thread the others may be gone already.
        let _ = SESSIONS.try_with(|sessions| {
            let mut sessions = sessions.borrow_mut();
            if sessions.thread == self.key.thread {
                sessions.sessions.try_remove(self.key.index());
            }
        });
    }
}

impl Wake for DeliveryWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let (thread, index) = (self.key.thread, self.key.index());
        let state = SESSIONS.try_with(|sessions| {
            let sessions = sessions.borrow();
            match sessions.sessions.get(index) {
                _ if sessions.thread != thread => SessionState::Absent,
                _ if sessions.running == Some(index) => SessionState::Running,
                session => session
                    .and_then(Weak::upgrade)
                    .map_or(SessionState::Absent, SessionState::Parked),
            }
        });
        match state.unwrap_or(SessionState::Absent) {
            SessionState::Parked(session) if session.deliver() => {}
            SessionState::Running => {}
            SessionState::Parked(_) | SessionState::Absent => self.task.wake_by_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Session {
        deliveries: Cell<usize>,
        is_busy: Cell<bool>,
    }

    impl Deliver for Session {
        fn deliver(&self) -> bool {
            self.deliveries.set(self.deliveries.get() + 1);
            !self.is_busy.get()
        }
    }

    #[derive(Default)]
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn session() -> (Rc<Session>, Registration) {
        let session = Rc::new(Session::default());
        let weak: Weak<Session> = Rc::downgrade(&session);
        (session, Registration::new(weak))
    }

    fn task() -> (Arc<Task>, Waker) {
        let task = Arc::new(Task::default());
        (Arc::clone(&task), Waker::from(task))
    }

    #[test]
    fn waker_delivers_to_its_own_session_and_wakes_no_task() {
        let (first, registration) = session();
        let (second, _other) = session();
        let (task, waker) = task();
        registration.waker(&waker).wake_by_ref();
        assert_eq!((first.deliveries.get(), second.deliveries.get()), (1, 0));
        assert_eq!(task.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn task_of_a_busy_session_is_woken() {
        let (session, registration) = session();
        session.is_busy.set(true);
        let (task, waker) = task();
        registration.waker(&waker).wake();
        assert_eq!(task.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn waker_of_a_running_session_does_nothing() {
        let (session, registration) = session();
        let (task, waker) = task();
        let waker = registration.waker(&waker);
        registration.begin_run();
        waker.wake_by_ref();
        assert_eq!(session.deliveries.get(), 0);
        registration.end_run();
        waker.wake();
        assert_eq!(session.deliveries.get(), 1);
        assert_eq!(task.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn waker_on_another_thread_wakes_the_task_and_delivers_to_nobody() {
        let (session, registration) = session();
        let (task, waker) = task();
        let waker = registration.waker(&waker);
        std::thread::spawn(move || {
            let (other, _registration) = self::session(); // at the same index there
            waker.wake();
            assert_eq!(other.deliveries.get(), 0);
        })
        .join()
        .expect("it does not panic");
        assert_eq!(session.deliveries.get(), 0);
        assert_eq!(task.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn waker_of_an_ended_session_only_wakes_its_task() {
        let (session, registration) = session();
        let (task, waker) = task();
        let waker = registration.waker(&waker);
        drop((session, registration));
        waker.wake();
        assert_eq!(task.0.load(Ordering::Relaxed), 1);
    }
}
