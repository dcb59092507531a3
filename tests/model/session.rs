//! The session as an actor: its start, its orders and its end, as in `src/actors/session/actor.rs`.

use std::time::{Duration, Instant};

use arauto::internal::close::stop::{Input, Order};
use arauto::internal::session::Core;
use arauto::internal::session::effects::{Effects, ServiceEffects};
use arauto::internal::session::shutdown::Carried;
use arauto::{Phase, SessionRecord};

use crate::broken::Broken;
use crate::connection::{Io, Wait};
use crate::driver::{self, Driver, Finished};
use crate::outside::Outside;
use crate::setting::Setting;
use crate::state::{BASE, Connection, SlotId, State, World, id};

/// The longest time until a session checks again whether its client is there.
const LONGEST_CHECK: Duration = Duration::from_millis(250);

/// Returns the phase that an order belongs to.
pub fn phase_of(order: &Order) -> Phase {
    match order {
        Order::Announce(_) => Phase::Announce,
        Order::Drain(_) => Phase::Drain,
        Order::Close(_) => Phase::Close,
        Order::Finish | Order::CheckStanding | Order::Describe => Phase::Actors,
    }
}

fn outside<'a>(
    setting: &'a Setting,
    world: &'a mut World,
    io: &'a mut Io,
    at: SlotId,
) -> Outside<'a> {
    Outside {
        setting,
        world,
        io,
        at,
        serving: 0,
        gathered: Vec::new(),
        is_panicking: false,
        has_acted: false,
    }
}

impl State {
    /// Starts the session of a connection that was handed over.
    pub fn start(&mut self, setting: &Setting, at: SlotId, is_stopping: bool) {
        let now = *BASE;
        let slot = &mut *self.slots[at];
        slot.connection = Connection::SessionStarted;
        let mut outside = outside(setting, &mut self.world, &mut slot.io, at);
        let core = driver::begin(&mut outside, now, is_stopping);
        slot.core = Some(Box::new(core));
        self.world.send_input(Input::Opened(id(at)));
    }

    /// Calls `act` with a session's core. Returns `None` if the session has no core.
    pub fn with_core<T>(
        &mut self,
        setting: &Setting,
        at: SlotId,
        act: impl FnOnce(&mut Core, &mut Outside<'_>) -> T,
    ) -> Option<T> {
        let slot = &mut *self.slots[at];
        let core = slot.core.as_mut()?;
        let mut outside = outside(setting, &mut self.world, &mut slot.io, at);
        Some(act(core, &mut outside))
    }

    /// Runs a session once at `now`, with `incoming` new frames or with a finished piece of work.
    /// Returns whether the run had an effect.
    pub fn run(
        &mut self,
        setting: &Setting,
        at: SlotId,
        incoming: u8,
        finished: Option<Finished>,
        now: Instant,
    ) -> bool {
        let slot = &mut *self.slots[at];
        let Some(core) = slot.core.as_mut() else {
            return false;
        };
        let outside = outside(setting, &mut self.world, &mut slot.io, at);
        let mut driver = Driver {
            core,
            outside,
            now,
            incoming,
        };
        let has_moved = driver.run(finished);
        self.answer_if_carried_out(setting, at);
        self.end_if_closed(setting, at);
        has_moved
    }

    pub fn run_now(&mut self, setting: &Setting, at: SlotId) {
        self.run(setting, at, 0, None, *BASE);
    }

    /// Finishes a session's oldest piece of work, and runs the session with the result.
    pub fn finish_work(&mut self, setting: &Setting, at: SlotId) {
        let jobs = &mut self.slots[at].io.jobs;
        let is_later_done =
            matches!(jobs.get(1), Some(job) if matches!(job.wait, Wait::Answered(_)));
        let takes_later = is_later_done && setting.is(Broken::LaterRunFirst);
        let job = jobs.remove(usize::from(takes_later));
        let finished = driver::finished(setting, job, at);
        self.run(setting, at, 0, finished, *BASE);
    }

    /// Wakes a session. Returns whether this had an effect.
    ///
    /// A check of the client is a wake-up, and takes no time. If a wake-up has no effect and the
    /// client has left, the session is also run at the instant of its next check.
    pub fn wake(&mut self, setting: &Setting, at: SlotId) -> bool {
        if self.run(setting, at, 0, None, *BASE) {
            return true;
        }
        let Some(check) = self.next_check(at) else {
            return false;
        };
        let end = &self.slots[at].io.client;
        (end.is_gone || end.has_ended) && self.run(setting, at, 0, None, check)
    }

    /// Returns the instant of a session's next wake-up, if it is for a check of the client.
    fn next_check(&self, at: SlotId) -> Option<Instant> {
        let core = self.slots[at].core.as_ref()?;
        core.wake_at().filter(|due| *due <= *BASE + LONGEST_CHECK)
    }

    /// Returns the instant of a session's next wake-up for a time-out: that of a call, if the next
    /// wake-up is for a check.
    pub fn timeout(&self, at: SlotId) -> Option<Instant> {
        let core = self.slots[at].core.as_ref()?;
        let next = core.wake_at()?;
        match next > *BASE + LONGEST_CHECK {
            true => Some(next),
            false => self.world.services.calls.next_deadline(at),
        }
    }

    /// Lets a session's next time-out pass.
    pub fn pass_timeout(&mut self, setting: &Setting, at: SlotId) {
        if let Some(due) = self.timeout(at) {
            self.slots[at].io.witness.is_timed_out = true;
            self.run(setting, at, 0, None, due);
            self.world.services.calls.check_deadlines(at, due);
        }
    }

    /// Lets a handler panic, in the session's own thread.
    pub fn panic(&mut self, setting: &Setting, at: SlotId) {
        self.drop_work(at);
        let in_stop = self.world.phase().is_some();
        let io = &mut self.slots[at].io;
        io.received = io.served;
        let has_said_closing = io.queue.iter().any(|item| item.is_closing());
        if !has_said_closing {
            // A session that the server fails during the stop is owed the same as all others.
            io.witness.promised = (!in_stop).then(|| io.reached());
            io.witness.is_cut = true;
        }
        self.with_core(setting, at, |core, outside| {
            outside.is_panicking = true;
            core.panicked(outside);
        });
        self.run_now(setting, at);
    }

    /// Drops a session's work, and takes its frames out of the count of frames in work.
    fn drop_work(&mut self, at: SlotId) {
        for job in std::mem::take(&mut self.slots[at].io.jobs) {
            self.world.in_work -= job.counted;
        }
    }

    /// Handles the first order in a session's mailbox. Then runs the session, unless a further order
    /// waits or the order was `Finish`.
    pub fn handle_order(&mut self, setting: &Setting, at: SlotId) {
        let order = self.slots[at].orders.remove(0);
        let now = *BASE;
        let carried = self.with_core(setting, at, |core, outside| match order {
            Order::Announce(status) => {
                core.announce(status, outside);
                if outside.io.takes_part && setting.is(Broken::RespondersEndFirst) {
                    outside.end_offers();
                }
                Some(Carried::Out)
            }
            Order::Drain(cut) => {
                outside.io.witness.is_cut = true;
                Some(core.drain(cut, now, outside))
            }
            Order::Close(linger) => Some(core.close(linger, now)),
            Order::CheckStanding => {
                core.check_standing(outside);
                None // the order has no answer
            }
            Order::Describe => None, // changes nothing, and no stop waits for the answer
            Order::Finish => {
                core.finish(outside);
                Some(Carried::Out)
            }
        });
        self.answer_if_carried_out(setting, at);
        let phase = phase_of(&order);
        match carried.flatten() {
            Some(Carried::Out) => self.answer_order(setting, at, phase),
            Some(Carried::Later) => self.slots[at].waiting = Some(phase),
            None => {}
        }
        if order == Order::Finish {
            self.end_if_closed(setting, at);
        } else if self.slots[at].orders.is_empty() {
            self.run_now(setting, at);
        }
    }

    /// Answers a waiting order if the core has carried it out.
    fn answer_if_carried_out(&mut self, setting: &Setting, at: SlotId) {
        let slot = &mut *self.slots[at];
        if std::mem::take(&mut slot.io.has_carried_out)
            && let Some(phase) = slot.waiting.take()
        {
            self.answer_order(setting, at, phase);
        }
    }

    /// Sends the answer to the order of `phase`, if the supervisor still waits for the answer. The
    /// supervisor always waits for the answer to the announcement.
    fn answer_order(&mut self, setting: &Setting, at: SlotId, phase: Phase) {
        if (phase == Phase::Announce || self.world.phase() == Some(phase))
            && let Some(record) = self.record(setting, at)
        {
            self.slots[at].order_answers.push((phase, Box::new(record)));
        }
    }

    fn record(&mut self, setting: &Setting, at: SlotId) -> Option<SessionRecord> {
        self.with_core(setting, at, |core, outside| core.record(outside))
    }

    fn end_if_closed(&mut self, setting: &Setting, at: SlotId) {
        let slot = &self.slots[at];
        let is_closed = slot.core.as_ref().is_some_and(|core| core.is_closed());
        if is_closed && slot.waiting.is_none() {
            self.end(setting, at);
        }
    }

    /// Ends a session's actor, which tells the hub and the supervisor.
    pub fn end(&mut self, setting: &Setting, at: SlotId) {
        self.drop_work(at);
        self.world.hub.cursor.release(at);
        let ended = self.with_core(setting, at, |core, outside| {
            if let Some(user) = core.present_user().cloned() {
                outside.leave(&user);
            }
            let ended = (core.record(outside), core.has_failed(outside));
            outside.leave_services();
            ended
        });
        let Some((record, has_failed)) = ended else {
            return;
        };
        self.world.send_input(Input::Ended { record, has_failed });
        let slot = &mut *self.slots[at];
        (slot.core, slot.waiting, slot.io.wants_input) = (None, None, false);
        slot.orders.clear(); // the mailbox ends with its actor
    }

    /// Whether a handler of a session has not answered yet.
    pub fn waits_for_handler(&self, at: SlotId) -> bool {
        let mut jobs = self.slots[at].io.jobs.iter();
        jobs.any(|job| job.wait == Wait::Handler)
    }
}
