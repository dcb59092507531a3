//! The surroundings of the stop machine: the supervisor's mailbox and the machine's effects, as in
//! `src/actors/supervisor/actor.rs` and `src/server/components.rs`.

use std::time::Duration;

use arauto::internal::close::stop::{
    Effect, Haste, Input, Moment, ObservedSession, Order, StopMachine, StopOutcome, StoreClosed,
};
use arauto::{ExitCode, Phase, PhaseLine, RecentRoutes, Seq, SessionId, StopReason, Trouble};

use crate::broken::{Broken, Deviation};
use crate::setting::Setting;
use crate::state::{
    Answer, Connection, RosterEntry, SlotId, State, ToHub, ToSupervisor, World, id, slot_of,
};

/// The time that the stop may take.
const TOTAL: Duration = Duration::from_secs(20);

/// The number of further deadlines that may pass at any instant once the stop is cut short.
const DEADLINES_WHEN_HURRIED: u8 = 2;

/// The supervisor, and a record of its phases for the properties.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Supervisor {
    pub mailbox: Vec<ToSupervisor>,
    /// The shipped stop machine.
    pub machine: StopMachine<Deviation>,
    pub barrier: Barrier,
    /// Whether the machine waits until no frame is in work.
    pub awaits_requests: bool,
    /// Whether the machine waits until the hub has stopped.
    pub stops_actors: bool,
    /// The phases that have ended. Only the properties read this field and the fields after it.
    pub lines: Vec<Phase>,
    /// Whether any phase ended by its deadline.
    pub was_late: bool,
    /// Whether the stop was cut short.
    pub was_hurried: bool,
    /// Whether the phase `requests` ended in time with a frame in work.
    pub overlooked_work: bool,
    /// Whether the phase `requests` ended late because of a call, although no client withheld an answer.
    pub waited_in_vain: bool,
    /// The exit code, once the stop is over.
    pub exit: Option<ExitCode>,
    /// Whether the report says that the log or the listeners were not sealed in time.
    pub has_guessed: bool,
}

/// The progress of the seal. The roster is complete when the last stage has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Barrier {
    /// The acceptor has not answered `Seal`.
    AwaitsAcceptor,
    /// A session of a handed-over connection may not have started.
    AwaitsArbiters,
    /// The last answer is in the supervisor's own mailbox.
    AwaitsMailbox,
    /// The supervisor has handled that answer.
    Passed,
}

impl Supervisor {
    pub fn new(setting: &Setting) -> Supervisor {
        Supervisor {
            mailbox: Vec::new(),
            machine: StopMachine::new(TOTAL, Deviation(setting.broken)),
            barrier: Barrier::AwaitsAcceptor,
            awaits_requests: false,
            stops_actors: false,
            lines: Vec::new(),
            was_late: false,
            was_hurried: false,
            overlooked_work: false,
            waited_in_vain: false,
            exit: None,
            has_guessed: false,
        }
    }
}

impl Supervisor {
    /// Takes the last message out of the mailbox. Returns `None` if it is not an input.
    pub fn take_last(&mut self) -> Option<Input> {
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

    /// Whether the machine, given this input now, would have no effects.
    pub fn has_no_effect(&self, input: Input) -> bool {
        let mut machine = self.supervisor.machine.clone();
        machine.handle(input, self.moment()).is_empty()
    }
}

impl State {
    /// Handles the first message of the supervisor's mailbox.
    pub fn supervisor_handles(&mut self, setting: &Setting) {
        match self.world.supervisor.mailbox.remove(0) {
            ToSupervisor::Input(input) => self.take_input(setting, *input),
            ToSupervisor::Superseded(session) => {
                self.order(Order::CheckStanding, &[id(session)]);
            }
            ToSupervisor::Shutdown { from, now } => {
                let reason = StopReason::Admin;
                let haste = if now { Haste::Now } else { Haste::AsPlanned };
                self.take_input(setting, Input::Stop { reason, haste });
                let status = self.world.supervisor.machine.status(self.world.now);
                self.give(
                    from,
                    Answer::StopStatus(status.expect("the stop has begun")),
                );
            }
        }
    }

    fn take_input(&mut self, setting: &Setting, input: Input) {
        let has_begun = self.world.phase().is_some();
        match &input {
            // If the session has already ended, its `Ended` follows in this mailbox.
            Input::Opened(session) => {
                self.slots[slot_of(*session)].roster = RosterEntry::SessionOpen
            }
            Input::Ended { record, .. } => {
                self.slots[slot_of(record.session)].roster = RosterEntry::SessionEnded;
            }
            Input::ListenersSealed => self.world.supervisor.barrier = Barrier::Passed,
            Input::Stop { haste, .. } => {
                let is_hurried = *haste == Haste::Now || (has_begun && *haste == Haste::Insist);
                if is_hurried && !self.world.supervisor.was_hurried {
                    self.world.supervisor.was_hurried = true;
                    self.world.left.early_deadlines += DEADLINES_WHEN_HURRIED;
                }
            }
            _ => {}
        }
        self.feed(setting, input);
    }

    /// Gives an input to the machine, and performs its effects.
    pub fn feed(&mut self, setting: &Setting, input: Input) {
        let now = self.world.moment();
        for effect in self.world.supervisor.machine.handle(input, now) {
            self.perform(setting, effect);
        }
    }

    /// Lets the machine's deadline pass.
    pub fn pass_deadline(&mut self, setting: &Setting) {
        if let Some(deadline) = self.world.supervisor.machine.deadline() {
            self.world.now = self.world.now.max(deadline);
            self.feed(setting, Input::Tick);
        }
    }

    fn perform(&mut self, setting: &Setting, effect: Effect) {
        let world = &mut self.world;
        match effect {
            Effect::Begin(_) => world.send_input(Input::Begun),
            Effect::LimitStore(_) => {}
            Effect::SealListeners => world.acceptor.is_told = true,
            Effect::Order { order, sessions } => self.order(order, &sessions),
            Effect::AwaitRequests => world.supervisor.awaits_requests = true,
            Effect::SealLog if world.hub.is_alive => world.hub.mailbox.push(ToHub::Seal),
            Effect::SealLog => world.send_input(Input::LogSealed(None)),
            Effect::StopActors if world.hub.is_alive => {
                world.supervisor.stops_actors = true;
                world.hub.mailbox.push(ToHub::Stop);
            }
            Effect::StopActors => world.send_input(Input::ActorsStopped),
            Effect::CloseStore => self.close_store(setting),
            Effect::PhaseOver(line) => self.end_phase(setting, &line),
            Effect::Observe => {
                let sessions = self.observe();
                let unclosed = Vec::new();
                let observed = Input::Observed {
                    sessions,
                    unclosed,
                    routes: RecentRoutes::default(),
                };
                self.feed(setting, observed);
            }
            Effect::Finish(outcome) => self.finish(outcome),
        }
    }

    /// Sends an order to sessions. A session that has ended gets none.
    fn order(&mut self, order: Order, sessions: &[SessionId]) {
        for session in sessions {
            let slot = &mut self.slots[slot_of(*session)];
            if slot.core.is_some() {
                slot.orders.push(order);
            }
        }
    }

    /// Ends a phase. Outstanding answers to its order are dropped, unless they answer the
    /// announcement.
    fn end_phase(&mut self, setting: &Setting, line: &PhaseLine) {
        let PhaseLine { phase, in_time, .. } = *line;
        let has_open_call = self.world.services.calls.has_open();
        let is_early = self.world.left.early_deadlines < setting.early_deadlines;
        let has_cause = is_early || self.world.supervisor.was_hurried;
        let waited_in_vain = phase == Phase::Requests
            && !in_time
            && has_open_call
            && !has_cause
            && !self.has_withheld_answer(setting);
        let supervisor = &mut self.world.supervisor;
        supervisor.lines.push(phase);
        supervisor.was_late |= !in_time;
        supervisor.awaits_requests = false;
        supervisor.stops_actors = false;
        let mut jobs = self.slots.iter().flat_map(|slot| &slot.io.jobs);
        if phase == Phase::Requests && in_time {
            supervisor.overlooked_work = jobs.any(|job| job.frames > 0) || has_open_call;
        }
        supervisor.waited_in_vain |= waited_in_vain;
        for slot in &mut self.slots {
            slot.order_answers
                .retain(|(answered, _)| *answered == Phase::Announce);
        }
    }

    /// Ends the arbiters, which drop the sessions that have not finished. Sessions of handed-over
    /// connections start before that, because one queue has both. All messages of the arbiters'
    /// threads are in the supervisor's mailbox before the answer.
    fn close_store(&mut self, setting: &Setting) {
        self.world.hub.is_alive = false;
        self.world.hub.mailbox.clear();
        self.world.hub.cursor.close();
        for at in 0..self.slots.len() {
            if let Connection::HandedOver { is_stopping } = self.slots[at].connection {
                self.start(setting, at, is_stopping);
            }
            self.end(setting, at);
        }
        self.world.send_input(Input::StoreClosed(StoreClosed {
            trouble: Vec::new(),
            has_panicked: false,
        }));
    }

    /// Returns the sessions that are open according to the roster.
    fn observe(&self) -> Vec<ObservedSession> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter(|(_, slot)| slot.roster == RosterEntry::SessionOpen)
            .map(|(at, slot)| ObservedSession {
                session: id(at),
                user: slot.io.has_entered.then(String::new),
                endpoint: String::new(),
                after: slot.io.reader.as_ref().map(|reader| Seq(reader.after)),
                sent: Seq(slot.io.sent()),
                filter: None,
                rules: None,
            })
            .collect()
    }

    /// Records the outcome of the stop.
    fn finish(&mut self, outcome: StopOutcome) {
        self.world.supervisor.exit = Some(outcome.exit);
        let guesses = [Trouble::LogUnsealed, Trouble::ListenersUnsealed];
        let mut trouble = outcome.trouble.iter();
        self.world.supervisor.has_guessed = trouble.any(|trouble| guesses.contains(trouble));
        for record in outcome.sessions {
            let at = slot_of(record.session);
            self.slots[at].record = Some(record);
        }
    }

    /// Whether the event that the barrier waits for has happened.
    pub fn barrier_is_due(&self) -> bool {
        let is_handed_over =
            |connection: Connection| matches!(connection, Connection::HandedOver { .. });
        match self.world.supervisor.barrier {
            Barrier::AwaitsAcceptor => self.world.acceptor.is_sealed,
            Barrier::AwaitsArbiters => !self
                .slots
                .iter()
                .any(|slot| is_handed_over(slot.connection)),
            Barrier::AwaitsMailbox | Barrier::Passed => false,
        }
    }

    /// Moves the barrier to its next stage.
    pub fn advance_barrier(&mut self, setting: &Setting) {
        let barrier = &mut self.world.supervisor.barrier;
        match barrier {
            Barrier::AwaitsAcceptor if setting.is(Broken::NoSettle) => {
                *barrier = Barrier::Passed;
                self.feed(setting, Input::ListenersSealed);
            }
            Barrier::AwaitsAcceptor => *barrier = Barrier::AwaitsArbiters,
            _ => {
                *barrier = Barrier::AwaitsMailbox;
                self.world.send_input(Input::ListenersSealed);
            }
        }
    }

    /// Returns the supervisor's input for a session's answer to the order of `phase`; `None` if no
    /// such answer is on its way.
    pub fn answer_of(&self, at: SlotId, phase: Phase) -> Option<Input> {
        let mut answers = self.slots[at].order_answers.iter();
        let (phase, record) = answers.find(|(answered, _)| *answered == phase)?;
        Some(Input::Answered {
            session: id(at),
            phase: *phase,
            record: Some((**record).clone()),
        })
    }

    /// Delivers a session's answer to the supervisor.
    pub fn deliver_order_answer(&mut self, setting: &Setting, at: SlotId, phase: Phase) {
        if let Some(answer) = self.answer_of(at, phase) {
            self.slots[at]
                .order_answers
                .retain(|(answered, _)| *answered != phase);
            self.feed(setting, answer);
        }
    }
}
