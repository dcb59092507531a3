//! Drives a session: receives, serves, writes, and gives the core the time.
//!
//! It goes round: pending work, input, output, the steps of an ending. When nothing moves it
//! has the time judged and parks. A parked session is called again by its connection, its work,
//! the log, or a timer at [`Core::wake_at`]; debug builds and the fuzz targets fail where a
//! session waits for something that will not call it.

mod input;

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use super::core::effects::Effects;
use super::core::ending::Sending;
use super::core::policy::Policy;
use super::core::shutdown::Carried;
use super::core::{Core, Setup};
use super::delivery::{Deliver, Registration};
use super::inlet::Inlet;
use super::io::SessionIo;
use super::listener_context::{ListenerContext, Start};
use super::outlet::{Wanted, Written};
use crate::actors::link::Link;
use crate::actors::supervisor::Order;
use crate::close::SessionRecord;

/// How often the session goes round before others have their turn.
const ROUNDS: usize = 16;

/// Frames that are served before other sessions have their turn. Publishes are not counted:
/// many of them cost what one other frame does, and they wait for slow readers.
const TURN: u32 = 256;

/// Writes in a row, before the session looks at its input again.
const WRITES: usize = 4;

/// A session without an actor.
pub(super) struct Driver<L> {
    core: Core,
    inlet: Inlet,
    io: SessionIo<L>,
    turn: u32,
    wakers: Wakers,
}

/// The wake-ups that have been arranged since the run began.
#[derive(Debug, Clone, Copy, Default)]
struct Wakers {
    /// The connection, once there is something to receive.
    read: bool,
    /// The connection, once it takes more.
    write: bool,
    /// The oldest piece of work, once it is done.
    work: bool,
    /// Services, once they have something for the session.
    services: bool,
}

impl<L: Link> Driver<L> {
    pub(super) fn new(start: Start<L>) -> Self {
        let (head, refusal) = (start.head, start.refusal);
        let mut io = SessionIo::new(start);
        let listener = Arc::clone(&io.listener);
        let policy = Policy::of(listener.dialect);
        let setup = Setup {
            session: io.info.id,
            policy,
            limits: Arc::clone(&listener.limits),
            feature_limits: listener.feature_limits,
            is_journaled: listener.log.journal().is_some(),
            server: &listener.server,
            head,
            hears: &listener.hears,
            refusal,
        };
        let max_frame = listener.limits.max_frame;
        Driver {
            core: Core::begin(setup, Instant::now(), &mut io),
            inlet: Inlet::new(listener.dialect, io.link.framing(), max_frame),
            io,
            turn: TURN,
            wakers: Wakers::default(),
        }
    }

    /// Does all that can be done now. A panic in here, be it a handler's or the session's own,
    /// ends this session only.
    pub(super) fn run(&mut self, cx: &mut TaskContext<'_>) {
        self.io.set_waker(cx.waker());
        self.io.begin_run();
        self.guarded(|driver| driver.go_round(cx));
        self.io.end_run();
    }

    /// Writes new broadcasts, where the session waits for nothing else; otherwise its task is
    /// woken.
    pub(super) fn deliver(&mut self) {
        // The answer to the session's own publish goes before the message.
        let is_ready = !self.core.has_work()
            && self.core.sending() == Sending::UpTo(None)
            && self.io.outlet.is_clear();
        if !is_ready {
            self.wake();
            return;
        }
        self.guarded(|driver| {
            let waker = driver.io.waker().clone();
            let must_go_round = driver.poll_output(&mut TaskContext::from_waker(&waker));
            driver.io.outlet.release_memory();
            if must_go_round || driver.io.outlet.is_broken() {
                driver.wake();
            }
        });
    }

    /// Has broadcasts delivered without a run from now on.
    pub(super) fn set_delivery(&mut self, delivery: Registration) {
        self.io.set_delivery(delivery);
    }

    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            tracing::error!(session = %self.io.info.id, "session panicked, ending it");
            self.io.jobs.clear();
            self.inlet.discard();
            self.core.panicked(&mut self.io);
            self.wake();
        }
    }

    fn go_round(&mut self, cx: &mut TaskContext<'_>) {
        (self.turn, self.wakers) = (TURN, Wakers::default());
        // One reading of the clock serves a run: its deadlines are far longer.
        let now = Instant::now();
        for _ in 0..ROUNDS {
            let has_worked = self.poll_work(now, cx);
            self.poll_permit(now, cx);
            let has_read = self.poll_input(now, cx);
            // Behind the input, whose calls the session's task is to be woken for.
            let has_told = self.poll_services(now, cx);
            let has_written = self.poll_output(cx);
            let holds_frame = self.inlet.holds_frame();
            let has_moved = self.core.advance(holds_frame, now, &mut self.io);
            let has_changed = has_worked || has_told || has_written || has_moved;
            if !has_changed && self.turn > 0 && (!has_read || self.has_read_all(cx)) {
                if self.core.tick(now, &mut self.io) {
                    continue; // it has something to say
                }
                self.io.outlet.release_memory();
                self.assert_called_again();
                return;
            }
        }
        self.core.tick(now, &mut self.io);
        wake_after_events(cx);
    }

    /// Whether a piece of work is done now.
    fn poll_work(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> bool {
        if !self.core.has_work() {
            self.io.jobs.clear(); // of a session that has been closed
            return false;
        }
        let Poll::Ready(finished) = self.io.jobs.poll_oldest(cx) else {
            self.wakers.work = true;
            return false;
        };
        self.io.prepare(finished.entrance);
        self.core.done(finished.done, now, &mut self.io);
        self.io.prepare(None); // of a login that came too late
        // Only now is it answered as far as the shutdown is concerned.
        drop(finished.work);
        true
    }

    /// Tells the client what has happened to its services and calls, while there is room for it.
    fn poll_services(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> bool {
        self.wakers.services = self.io.services.register(cx.waker());
        self.io.services.poll_own(cx);
        let mut has_told = false;
        while self.io.has_room()
            && !self.core.has_said_closing()
            && let Some((event, work)) = self.io.services.take()
        {
            self.core.service_event(event, now, &mut self.io);
            // Only now is the call answered as far as the shutdown is concerned.
            drop(work);
            has_told = true;
        }
        has_told
    }

    fn poll_permit(&mut self, now: Instant, cx: &mut TaskContext<'_>) {
        if !self.core.is_permit_withdrawn() && self.io.poll_permit_withdrawn(cx) {
            self.core.withdraw_permit(now, &mut self.io);
        }
    }

    /// Writes as far as the core allows. Returns whether the session must go round again for
    /// it.
    fn poll_output(&mut self, cx: &mut TaskContext<'_>) -> bool {
        let Sending::UpTo(until) = self.core.sending() else {
            return false;
        };
        let wanted = Wanted {
            until,
            ends_on_gap: self.core.ends_on_gap(),
        };
        // Input that had to wait for room is looked at once there is some.
        let had_room = self.io.has_room();
        let mut has_written = false;
        for _ in 0..WRITES {
            match self.io.outlet.write(&mut self.io.link, wanted, cx) {
                Written::More => has_written = true,
                stopped @ (Written::Clear | Written::Blocked) => {
                    self.wakers.write = stopped == Written::Blocked;
                    self.note_written(has_written, had_room);
                    // A search for kept values that ends leaves room without a write.
                    return !had_room && (has_written || self.io.has_room());
                }
                Written::FellOff(gap) => {
                    self.core.fell_off(gap, &mut self.io);
                    return true;
                }
                Written::Unreadable => {
                    self.core.journal_unreadable(&mut self.io);
                    return true;
                }
            }
        }
        self.note_written(has_written, had_room);
        true
    }

    fn note_written(&mut self, has_written: bool, had_room: bool) {
        if !has_written {
            return;
        }
        if !had_room {
            // The client reads, and its frames wait for that. This is rare: a delivery need not
            // read the clock for it.
            self.core.note_room(Instant::now());
        }
        let sent = self.io.outlet.sent();
        if sent != self.io.info.sent() {
            self.io.info.set_sent(sent);
            self.core.note_broadcast(&self.io);
        }
    }

    /// Gives the session an order of the supervisor.
    pub(super) fn order(&mut self, order: Order) -> Carried {
        let (core, io) = (&mut self.core, &mut self.io);
        match order {
            Order::Describe => {}
            Order::Announce(status) => core.announce(status, io),
            Order::Drain(cut) => return core.drain(cut, Instant::now(), io),
            Order::Close(linger) => return core.close(linger, Instant::now()),
            Order::CheckStanding => {
                core.check_standing(io);
            }
            Order::Finish => core.finish(io),
        }
        Carried::Out
    }

    /// Ends the session for its hub. Returns what can be said of it.
    pub(super) fn end(&mut self) -> SessionRecord {
        if let Some(user) = self.core.present_user().cloned() {
            self.io.leave(&user);
        }
        self.record()
    }

    pub(super) fn record(&self) -> SessionRecord {
        self.core.record(&self.io)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.core.has_failed(&self.io)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.core.is_closed()
    }

    pub(super) fn take_carried_out(&mut self) -> bool {
        self.io.take_carried_out()
    }

    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.core.wake_at()
    }

    pub(super) fn wake(&self) {
        self.io.wake();
    }

    pub(super) fn listener(&self) -> &ListenerContext {
        &self.io.listener
    }

    /// Asserts that everything that the session waits for will call it.
    fn assert_called_again(&self) {
        if !cfg!(debug_assertions) || self.core.is_closed() {
            return; // a closed session waits for nothing but its orders
        }
        let wakers = self.wakers;
        let is_called_for_input = match self.core.is_outbound() {
            true => wakers.read || self.core.is_input_over(),
            false => !self.core.waits_for_input(&self.io) || wakers.read,
        };
        let is_called = (!self.core.has_work() || wakers.work)
            && (!self.io.outlet.has_unwritten() || wakers.write)
            && (self.io.services.membership().is_none() || wakers.services)
            && is_called_for_input
            && (self.core.is_outbound() || !self.core.is_left_open());
        let (core, inlet) = (&self.core, &self.inlet);
        assert!(
            is_called,
            "nothing calls a parked session: {core:?} {inlet:?} {wakers:?}"
        );
    }
}

/// Wakes the task again once the runtime has looked for events.
///
/// A task that wakes itself at once runs up to 61 times before the runtime looks for events, and
/// meanwhile other sessions do not learn of their input. `yield_now` hands its waker to the runtime,
/// which keeps it when the future is dropped.
fn wake_after_events(cx: &mut TaskContext<'_>) {
    let _ = pin!(tokio::task::yield_now()).poll(cx);
}

impl<L: Link> Deliver for RefCell<Driver<L>> {
    fn deliver(&self) -> bool {
        let driver = self.try_borrow_mut();
        driver.map(|mut driver| driver.deliver()).is_ok()
    }
}
