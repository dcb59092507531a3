//! The surroundings of the stop machine: the supervisor's mailbox, and what its effects do,
//! as in `src/actors/supervisor/actor.rs` and `src/server/components.rs`.

use std::time::Duration;

use arauto::internal::close::stop::{
    Effect, Haste, Input, Moment, ObservedSession, Order, StopMachine, StopOutcome, StoreClosed,
};
use arauto::{ExitCode, Phase, PhaseLine, Seq, SessionId, StopReason};

use crate::broken::{Broken, Deviation};
use crate::setting::Setting;
use crate::state::{
    Answer, Connection, Roster, SlotId, State, ToHub, ToSupervisor, World, id, place,
};

/// The time that the stop may take.
const TOTAL: Duration = Duration::from_secs(20);

/// Deadlines that a stop in a hurry lets pass at any instant.
const HURRIED: u8 = 2;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Supervisor {
    pub mailbox: Vec<ToSupervisor>,
    /// The shipped decisions.
    pub machine: StopMachine<Deviation>,
    pub barrier: Barrier,
    /// The machine is to hear when nothing is in work.
    pub awaits_requests: bool,
    /// The machine is to hear when the hub has stopped.
    pub stops_actors: bool,
    /// The phases that are over: for the properties alone, as all that follows.
    pub lines: Vec<Phase>,
    /// Whether any phase ended by its deadline.
    pub was_late: bool,
    /// Whether the stop was cut short.
    pub was_hurried: bool,
    /// Whether `requests` ended in time with a frame in work.
    pub overlooked_work: bool,
    pub exit: Option<ExitCode>,
    /// Whether the report says that the log or the listeners were not sealed.
    pub has_guessed: bool,
}

/// How far the seal has come: what must be awaited before the roster is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Barrier {
    /// The acceptor's answer to its `Seal`.
    Doors,
    /// The connection that was handed over has started.
    Arbiters,
    /// The answer goes through the supervisor's own mailbox.
    Settling,
    Passed,
}

impl Supervisor {
    pub fn new(setting: &Setting) -> Supervisor {
        Supervisor {
            mailbox: Vec::new(),
            machine: StopMachine::new(TOTAL, Deviation(setting.broken)),
            barrier: Barrier::Doors,
            awaits_requests: false,
            stops_actors: false,
            lines: Vec::new(),
            was_late: false,
            was_hurried: false,
            overlooked_work: false,
            exit: None,
            has_guessed: false,
        }
    }
}

impl Supervisor {
    /// Takes the first message out of the mailbox.
    pub fn take_first(&mut self) -> Option<Input> {
        match self.mailbox.pop() {
            Some(ToSupervisor::Input(input)) => Some(*input),
            _ => None,
        }
    }
}

impl World {
    fn moment(&self) -> Moment {
        Moment {
            time: self.now,
            head: self.head(),
        }
    }

    /// Whether the machine, told of this now, would only remember it.
    pub fn only_notes(&self, input: Input) -> bool {
        let mut machine = self.supervisor.machine.clone();
        machine.handle(input, self.moment()).is_empty()
    }
}

impl State {
    /// Handles the first message of the supervisor's mailbox.
    pub fn supervisor_handles(&mut self, setting: &Setting) {
        match self.world.supervisor.mailbox.remove(0) {
            ToSupervisor::Input(input) => self.take_input(setting, *input),
            ToSupervisor::Shutdown { from, now } => {
                let reason = StopReason::Admin;
                let haste = if now { Haste::Now } else { Haste::AsPlanned };
                self.take_input(setting, Input::Stop { reason, haste });
                let status = self.world.supervisor.machine.status(self.world.now);
                self.give(from, Answer::Status(status.expect("the stop has begun")));
            }
        }
    }

    fn take_input(&mut self, setting: &Setting, input: Input) {
        let has_begun = self.world.phase().is_some();
        match &input {
            // One that has ended told so in this mailbox, behind this message.
            Input::Opened(session) => self.slots[place(*session)].roster = Roster::Live,
            Input::Ended { record, .. } => {
                self.slots[place(record.session)].roster = Roster::Over;
            }
            Input::ListenersSealed => self.world.supervisor.barrier = Barrier::Passed,
            Input::Stop { haste, .. } => {
                let is_hurried = *haste == Haste::Now || (has_begun && *haste == Haste::Insist);
                if is_hurried && !self.world.supervisor.was_hurried {
                    self.world.supervisor.was_hurried = true;
                    self.world.left.early_deadlines += HURRIED;
                }
            }
            _ => {}
        }
        self.feed(setting, input);
    }

    pub fn feed(&mut self, setting: &Setting, input: Input) {
        let now = self.world.moment();
        for effect in self.world.supervisor.machine.handle(input, now) {
            self.perform(setting, effect);
        }
    }

    /// The machine's deadline passes.
    pub fn pass_deadline(&mut self, setting: &Setting) {
        if let Some(deadline) = self.world.supervisor.machine.deadline() {
            self.world.now = self.world.now.max(deadline);
            self.feed(setting, Input::Tick);
        }
    }

    fn perform(&mut self, setting: &Setting, effect: Effect) {
        let world = &mut self.world;
        match effect {
            Effect::Begin(_) => world.happened(Input::Begun),
            Effect::LimitStore(_) => {}
            Effect::SealListeners => world.acceptor.is_told = true,
            Effect::Order { order, sessions } => self.order(order, &sessions),
            Effect::AwaitRequests => world.supervisor.awaits_requests = true,
            Effect::SealLog if world.hub.is_alive => world.hub.mailbox.push(ToHub::Seal),
            Effect::SealLog => world.happened(Input::LogSealed(None)),
            Effect::StopActors if world.hub.is_alive => {
                world.supervisor.stops_actors = true;
                world.hub.mailbox.push(ToHub::Stop);
            }
            Effect::StopActors => world.happened(Input::ActorsStopped),
            Effect::CloseStore => self.close_store(setting),
            Effect::PhaseOver(line) => self.end_phase(&line),
            Effect::Observe => {
                let sessions = self.observe();
                let unclosed = Vec::new();
                self.feed(setting, Input::Observed { sessions, unclosed });
            }
            Effect::Finish(outcome) => self.finish(outcome),
        }
    }

    /// Gives the sessions the order; one that has ended does not answer.
    fn order(&mut self, order: Order, sessions: &[SessionId]) {
        for session in sessions {
            let slot = &mut self.slots[place(*session)];
            if slot.core.is_some() {
                slot.orders.push(order);
            }
        }
    }

    /// Nobody waits any more for what the phase has begun, but for the announcement.
    fn end_phase(&mut self, line: &PhaseLine) {
        let PhaseLine { phase, in_time, .. } = *line;
        let supervisor = &mut self.world.supervisor;
        supervisor.lines.push(phase);
        supervisor.was_late |= !in_time;
        supervisor.awaits_requests = false;
        supervisor.stops_actors = false;
        let mut jobs = self.slots.iter().flat_map(|slot| &slot.io.jobs);
        if phase == Phase::Requests && in_time {
            supervisor.overlooked_work = jobs.any(|job| job.frames > 0);
        }
        for slot in &mut self.slots {
            slot.told
                .retain(|(answered, _)| *answered == Phase::Announce);
        }
    }

    /// The arbiters end, and sessions that have not finished are dropped with them. What is on
    /// its way to an arbiter starts before that: one queue holds both. Whatever the threads
    /// have sent is in the mailbox before the answer.
    fn close_store(&mut self, setting: &Setting) {
        self.world.hub.is_alive = false;
        self.world.hub.mailbox.clear();
        for at in 0..self.slots.len() {
            if let Connection::HandedOver { is_stopping } = self.slots[at].connection {
                self.start(setting, at, is_stopping);
            }
            self.end(setting, at);
        }
        self.world.happened(Input::StoreClosed(StoreClosed {
            trouble: Vec::new(),
            has_panicked: false,
        }));
    }

    fn observe(&self) -> Vec<ObservedSession> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter(|(_, slot)| slot.roster == Roster::Live)
            .map(|(at, slot)| ObservedSession {
                session: id(at),
                user: slot.io.has_entered.then(String::new),
                endpoint: String::new(),
                after: slot.io.reader.as_ref().map(|reader| Seq(reader.after)),
                sent: Seq(slot.io.sent()),
            })
            .collect()
    }

    fn finish(&mut self, outcome: StopOutcome) {
        self.world.supervisor.exit = Some(outcome.exit);
        let mut trouble = outcome.trouble.iter();
        self.world.supervisor.has_guessed = trouble.any(|trouble| trouble.contains("not sealed"));
        for record in outcome.sessions {
            let at = place(record.session);
            self.slots[at].record = Some(record);
        }
    }

    /// Whether the seal's barrier has come a step further.
    pub fn barrier_is_due(&self) -> bool {
        let on_the_way =
            |connection: Connection| matches!(connection, Connection::HandedOver { .. });
        match self.world.supervisor.barrier {
            Barrier::Doors => self.world.acceptor.is_sealed,
            Barrier::Arbiters => !self.slots.iter().any(|slot| on_the_way(slot.connection)),
            Barrier::Settling | Barrier::Passed => false,
        }
    }

    pub fn barrier_goes_on(&mut self, setting: &Setting) {
        let barrier = &mut self.world.supervisor.barrier;
        match barrier {
            Barrier::Doors if setting.is(Broken::NoSettle) => {
                *barrier = Barrier::Passed;
                self.feed(setting, Input::ListenersSealed);
            }
            Barrier::Doors => *barrier = Barrier::Arbiters,
            _ => {
                *barrier = Barrier::Settling;
                self.world.happened(Input::ListenersSealed);
            }
        }
    }

    /// The supervisor's input when a session's answer to the order of `phase` arrives.
    pub fn answer_of(&self, at: SlotId, phase: Phase) -> Option<Input> {
        let mut told = self.slots[at].told.iter();
        let (phase, record) = told.find(|(answered, _)| *answered == phase)?;
        Some(Input::Answered {
            session: id(at),
            phase: *phase,
            record: Some((**record).clone()),
        })
    }

    /// A session's answer reaches the supervisor.
    pub fn note(&mut self, setting: &Setting, at: SlotId, phase: Phase) {
        if let Some(answer) = self.answer_of(at, phase) {
            self.slots[at]
                .told
                .retain(|(answered, _)| *answered != phase);
            self.feed(setting, answer);
        }
    }
}
