//! The supervisor: its mailbox, and the drive through the phases, as in
//! `src/actors/supervisor/` and `src/server/crew.rs`.

use arauto::{CloseReason, Evidence, ExitCode, Phase};

use crate::broken::Broken;
use crate::setting::Setting;
use crate::state::{
    Barrier, Connection, Haste, Order, Record, Roster, SeatId, State, Supervisor, Tally, ToHub,
    ToSupervisor,
};

/// Deadlines that a second signal lets pass at any instant.
const INSISTED: u8 = 2;

impl State {
    /// Handles the first message of the supervisor's mailbox.
    pub fn supervisor_handles(&mut self) {
        match self.supervisor.mailbox.remove(0) {
            ToSupervisor::Stop(haste) => self.stop(haste),
            ToSupervisor::Opened(at) => {
                // One that has ended told so in this mailbox, behind this message.
                self.seats[at].roster = Roster::Live;
            }
            ToSupervisor::Ended(at, record) => {
                self.seats[at].roster = Roster::Over;
                // Before the stop it is forgotten.
                let keep = self.supervisor.phase.is_some();
                self.seats[at].record = keep.then_some(record);
            }
            ToSupervisor::Fallen => {
                if self.supervisor.phase < Some(Phase::Actors) {
                    self.supervisor.has_fallen = true;
                    self.stop(Haste::AsPlanned);
                }
            }
            ToSupervisor::Settle => self.supervisor.barrier = Barrier::Passed,
        }
    }

    fn stop(&mut self, haste: Haste) {
        let is_first = self.supervisor.phase.is_none();
        if is_first {
            self.supervisor.lines.push(Phase::Trigger);
            self.supervisor.phase = Some(Phase::Seal);
            self.acceptor.is_told = true;
        } else if haste == Haste::Insist {
            self.supervisor.is_forced = true;
            self.left.early_deadlines += INSISTED;
        }
    }

    /// Whether the seal's barrier has come a step further.
    pub fn barrier_is_due(&self) -> bool {
        let on_the_way =
            |connection: Connection| matches!(connection, Connection::HandedOver { .. });
        match self.supervisor.barrier {
            Barrier::Doors => self.acceptor.is_sealed,
            Barrier::Arbiters => !self.seats.iter().any(|seat| on_the_way(seat.connection)),
            Barrier::Settling | Barrier::Passed => false,
        }
    }

    pub fn barrier_goes_on(&mut self, setting: &Setting) {
        self.supervisor.barrier = match self.supervisor.barrier {
            Barrier::Doors if setting.is(Broken::NoSettle) => Barrier::Passed,
            Barrier::Doors => Barrier::Arbiters,
            _ => {
                self.supervisor.mailbox.push(ToSupervisor::Settle);
                Barrier::Settling
            }
        };
    }

    /// A session's answer reaches the drive.
    pub fn note(&mut self, at: SeatId) {
        let Some(record) = self.seats[at].session.told.take() else {
            return;
        };
        self.supervisor.awaited &= !(1 << at);
        if self.seats[at].roster == Roster::Live {
            self.seats[at].record = Some(record);
        }
    }

    /// Whether what the phase waits for has come.
    pub fn phase_is_over(&self, setting: &Setting) -> bool {
        let Supervisor {
            phase,
            awaited,
            head,
            ..
        } = &self.supervisor;
        match phase {
            None => false,
            Some(Phase::Trigger) => true,
            Some(Phase::Seal) => self.supervisor.barrier == Barrier::Passed,
            // A marker would have gone through every mailbox by now.
            Some(Phase::Requests) => self.in_work == 0 || setting.is(Broken::MarkerForCounter),
            // What has come by now is drained to the head: it must be on the roster.
            Some(Phase::Hub) => {
                let is_sealed = head.is_some() && self.hub.is_sealed;
                let is_settled = self.supervisor.barrier == Barrier::Passed;
                (!self.hub.is_alive || is_sealed) && is_settled
            }
            Some(Phase::Announce | Phase::Drain | Phase::Close) => *awaited == 0,
            Some(Phase::Actors) => match self.supervisor.stops_hub {
                false => *awaited == 0,
                true => !self.hub.is_alive,
            },
            // The threads are joined: what they have sent to this mailbox is handled first.
            Some(Phase::Store) => self.supervisor.mailbox.is_empty(),
        }
    }

    /// The phase is over, in time or by its deadline: its line is written and the next
    /// begins.
    pub fn next_phase(&mut self, setting: &Setting, in_time: bool) {
        let Some(phase) = self.supervisor.phase else {
            return;
        };
        self.supervisor.was_late |= !in_time;
        for seat in &mut self.seats {
            seat.session.told = None; // nobody waits for it any more
        }
        self.supervisor.awaited = 0;
        if phase == Phase::Actors && in_time && !self.supervisor.stops_hub {
            self.supervisor.stops_hub = true;
            return self.tell_hub(ToHub::Stop);
        }
        if phase == Phase::Requests && in_time {
            self.supervisor.overlooked_work = self.in_work > 0;
        }
        if phase == Phase::Hub && self.supervisor.head.is_none() {
            self.supervisor.has_trouble |= !setting.is(Broken::HeadGuessed);
            self.supervisor.head = Some(self.hub.head); // as far as it got
        }
        self.supervisor.lines.push(phase);
        match next(setting, phase) {
            Some(next) => {
                self.supervisor.phase = Some(next);
                self.enter(setting, next);
            }
            None => self.report(),
        }
    }

    fn enter(&mut self, setting: &Setting, phase: Phase) {
        match phase {
            Phase::Announce => self.order(Order::Announce),
            Phase::Hub => {
                if setting.is(Broken::CutReadTwice) {
                    self.supervisor.head = Some(self.hub.head);
                }
                self.tell_hub(ToHub::Seal);
            }
            Phase::Drain => {
                let is_complete = self.supervisor.barrier == Barrier::Passed;
                self.supervisor.has_trouble |= !is_complete && !setting.is(Broken::RosterBelieved);
                self.drain();
            }
            Phase::Close => self.order(Order::Close),
            Phase::Actors => self.order(Order::Finish),
            Phase::Store => self.stop_threads(),
            Phase::Trigger | Phase::Seal | Phase::Requests => {}
        }
    }

    fn drain(&mut self) {
        let head = self.supervisor.head.unwrap_or(self.hub.head);
        self.order(Order::Drain(head));
    }

    /// Gives every session on the roster the order; what has ended cannot answer.
    fn order(&mut self, order: Order) {
        for (at, seat) in self.seats.iter_mut().enumerate() {
            if seat.roster == Roster::Live && seat.session.is_there() {
                seat.session.orders.push(order);
                self.supervisor.awaited |= 1 << at;
            }
        }
    }

    fn tell_hub(&mut self, message: ToHub) {
        if self.hub.is_alive {
            self.hub.mailbox.push(message);
        }
    }

    /// The arbiters end; sessions that have not finished are dropped with them. What
    /// is on its way to an arbiter starts before that: one queue holds both.
    fn stop_threads(&mut self) {
        self.hub.is_alive = false;
        self.hub.mailbox.clear();
        for at in 0..self.seats.len() {
            if let Connection::HandedOver { is_stopping } = self.seats[at].connection {
                self.seats[at].connection = Connection::Seated;
                self.start(at, is_stopping);
            }
            self.seats[at].session.pending = None;
            self.seats[at].session.orders.clear();
        }
        self.in_work = 0;
    }

    fn report(&mut self) {
        let head = self.supervisor.head.unwrap_or(self.hub.head);
        for seat in &mut self.seats {
            if seat.roster == Roster::Live && seat.record.is_none() {
                seat.record = Some(silent(seat.session.cursor, head));
            }
            if let Some(record) = &mut seat.record {
                record.hold_to(head);
            }
        }
        let mut records = self.seats.iter().filter_map(|seat| seat.record);
        let is_whole = records.all(|record| record.is_whole());
        self.supervisor.exit = Some(if self.supervisor.has_fallen {
            ExitCode::Panicked
        } else if self.supervisor.is_forced {
            ExitCode::Forced
        } else if is_whole && !self.supervisor.has_trouble {
            ExitCode::Clean
        } else {
            ExitCode::Deadline
        });
    }
}

fn next(setting: &Setting, phase: Phase) -> Option<Phase> {
    match phase {
        Phase::Requests if setting.is(Broken::DrainBeforeSeal) => Some(Phase::Drain),
        Phase::Drain if setting.is(Broken::DrainBeforeSeal) => Some(Phase::Hub),
        Phase::Hub if setting.is(Broken::DrainBeforeSeal) => Some(Phase::Close),
        Phase::Requests if setting.is(Broken::SystemStop) => Some(Phase::Actors),
        _ => {
            let place = Phase::ALL.iter().position(|known| *known == phase)?;
            Phase::ALL.get(place + 1).copied()
        }
    }
}

/// What is known from outside of a session that never said a word.
fn silent(sent: u8, cut: u8) -> Record {
    Record {
        reason: CloseReason::Shutdown,
        tally: Tally::default(),
        cut,
        sent,
        missing: (sent < cut).then_some((sent + 1, cut)),
        evidence: Evidence::Queued,
        is_owed_head: false,
        is_last: false,
    }
}
