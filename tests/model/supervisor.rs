//! The surroundings of the stop machine: the supervisor's mailbox, and what its effects do,
//! as in `src/actors/supervisor/actor.rs` and `src/server/components.rs`.

use crate::broken::Broken;
use crate::close::stop::{self, Effect, Input, Moment, ObservedSession, StopOutcome, StoreClosed};
use crate::close::{Phase, PhaseLine};
use crate::setting::Setting;
use crate::state::{Barrier, Connection, Order, Roster, SlotId, State, ToHub, id, seq};
use crate::wire::SessionId;

/// Deadlines that a second signal lets pass at any instant.
const INSISTED: u8 = 2;

impl State {
    /// Something for the supervisor's mailbox.
    pub fn happened(&mut self, input: Input) {
        self.supervisor.mailbox.push(input);
    }

    /// Handles the first message of the supervisor's mailbox.
    pub fn supervisor_handles(&mut self) {
        let input = self.supervisor.mailbox.remove(0);
        match &input {
            // One that has ended told so in this mailbox, behind this message.
            Input::Opened(session) => self.slots[place(*session)].roster = Roster::Live,
            Input::Ended { record, .. } => {
                self.slots[place(record.session)].roster = Roster::Over;
            }
            Input::ListenersSealed => self.supervisor.barrier = Barrier::Passed,
            Input::Stop { haste, .. } if *haste == stop::Haste::Insist => {
                self.left.early_deadlines += INSISTED;
            }
            _ => {}
        }
        self.feed(input);
    }

    pub fn feed(&mut self, input: Input) {
        let now = self.moment();
        for effect in self.supervisor.machine.handle(input, now) {
            self.perform(effect);
        }
    }

    fn moment(&self) -> Moment {
        Moment {
            time: self.supervisor.now,
            head: seq(self.hub.head),
        }
    }

    /// Whether the machine, told of this now, would only remember it.
    pub fn only_notes(&self, input: Input) -> bool {
        let mut machine = self.supervisor.machine.clone();
        machine.handle(input, self.moment()).is_empty()
    }

    /// The machine's deadline passes.
    pub fn pass_deadline(&mut self) {
        if let Some(deadline) = self.supervisor.machine.deadline() {
            self.supervisor.now = deadline;
            self.feed(Input::Tick);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Begin(_) => self.happened(Input::Begun),
            Effect::LimitStore(_) => {}
            Effect::SealListeners => self.acceptor.is_told = true,
            Effect::Order { order, sessions } => self.order(order, &sessions),
            Effect::AwaitRequests => self.supervisor.awaits_requests = true,
            Effect::SealLog if self.hub.is_alive => self.hub.mailbox.push(ToHub::Seal),
            Effect::SealLog => self.happened(Input::LogSealed(None)),
            Effect::StopActors if self.hub.is_alive => {
                self.supervisor.stops_actors = true;
                self.hub.mailbox.push(ToHub::Stop);
            }
            Effect::StopActors => self.happened(Input::ActorsStopped),
            Effect::CloseStore => self.close_store(),
            Effect::PhaseOver(line) => self.end_phase(&line),
            Effect::Observe => {
                let sessions = self.observe();
                let unclosed = Vec::new();
                self.feed(Input::Observed { sessions, unclosed });
            }
            Effect::Finish(outcome) => self.finish(outcome),
        }
    }

    /// Gives the sessions the order; one that has ended does not answer.
    fn order(&mut self, order: stop::Order, sessions: &[SessionId]) {
        let order = match order {
            stop::Order::Announce(_) => Order::Announce,
            stop::Order::Drain(head) => Order::Drain(u8::try_from(head.0).expect("a small log")),
            stop::Order::Close(_) => Order::Close,
            stop::Order::Finish => Order::Finish,
            stop::Order::CheckStanding => return,
        };
        for session in sessions {
            let session = &mut self.slots[place(*session)].session;
            if session.is_there() {
                session.orders.push(order);
            }
        }
    }

    /// Nobody waits any more for what the phase has begun, but for the announcement.
    fn end_phase(&mut self, line: &PhaseLine) {
        let PhaseLine { phase, in_time, .. } = *line;
        self.supervisor.lines.push(phase);
        self.supervisor.was_late |= !in_time;
        self.supervisor.awaits_requests = false;
        self.supervisor.stops_actors = false;
        for slot in &mut self.slots {
            let told = &mut slot.session.told;
            told.retain(|(answered, _)| *answered == Phase::Announce);
        }
        if phase == Phase::Requests && in_time {
            self.supervisor.overlooked_work = self.in_work > 0;
        }
    }

    /// The arbiters end; sessions that have not finished are dropped with them. What is on
    /// its way to an arbiter starts before that: one queue holds both. Whatever the threads
    /// have sent is in the mailbox before the answer.
    fn close_store(&mut self) {
        self.hub.is_alive = false;
        self.hub.mailbox.clear();
        for at in 0..self.slots.len() {
            if let Connection::HandedOver { is_stopping } = self.slots[at].connection {
                self.slots[at].connection = Connection::Seated;
                self.start(at, is_stopping);
            }
            self.slots[at].session.pending = None;
            self.slots[at].session.orders.clear();
        }
        self.in_work = 0;
        self.happened(Input::StoreClosed(StoreClosed {
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
                user: slot.session.follows.then(String::new),
                endpoint: String::new(),
                after: slot.session.follows.then(|| seq(slot.session.after)),
                sent: seq(slot.session.cursor),
            })
            .collect()
    }

    fn finish(&mut self, outcome: StopOutcome) {
        self.supervisor.exit = Some(outcome.exit);
        let mut trouble = outcome.trouble.iter();
        self.supervisor.has_guessed = trouble.any(|trouble| trouble.contains("not sealed"));
        for record in outcome.sessions {
            let at = place(record.session);
            self.slots[at].record = Some(record);
        }
    }

    /// Whether the seal's barrier has come a step further.
    pub fn barrier_is_due(&self) -> bool {
        let on_the_way =
            |connection: Connection| matches!(connection, Connection::HandedOver { .. });
        match self.supervisor.barrier {
            Barrier::Doors => self.acceptor.is_sealed,
            Barrier::Arbiters => !self.slots.iter().any(|slot| on_the_way(slot.connection)),
            Barrier::Settling | Barrier::Passed => false,
        }
    }

    pub fn barrier_goes_on(&mut self, setting: &Setting) {
        match self.supervisor.barrier {
            Barrier::Doors if setting.is(Broken::NoSettle) => {
                self.supervisor.barrier = Barrier::Passed;
                self.feed(Input::ListenersSealed);
            }
            Barrier::Doors => self.supervisor.barrier = Barrier::Arbiters,
            _ => {
                self.supervisor.barrier = Barrier::Settling;
                self.happened(Input::ListenersSealed);
            }
        }
    }

    /// The supervisor's input when a session's answer to the order of `phase` arrives.
    pub fn answer_of(&self, at: SlotId, phase: Phase) -> Option<Input> {
        let mut told = self.slots[at].session.told.iter();
        let (phase, record) = told.find(|(answered, _)| *answered == phase)?;
        Some(Input::Answered {
            session: id(at),
            phase: *phase,
            record: Some(record.clone()),
        })
    }

    /// A session's answer reaches the supervisor.
    pub fn note(&mut self, at: SlotId, phase: Phase) {
        if let Some(answer) = self.answer_of(at, phase) {
            let told = &mut self.slots[at].session.told;
            told.retain(|(answered, _)| *answered != phase);
            self.feed(answer);
        }
    }
}

fn place(session: SessionId) -> SlotId {
    usize::try_from(session.0).expect("it is a place")
}
