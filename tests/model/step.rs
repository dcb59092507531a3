//! The model's actions.

use crate::close::stop::{Haste, Input};
use crate::close::{Phase, StopReason};
use stateright::{Model, Property};

use crate::properties;
use crate::setting::Setting;
use crate::state::{Connection, Place, SlotId, State, Wait};

/// One step of one actor, of a client, or of time. Numbers are slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `Stop` is sent: `fim` at the console.
    Fim,
    /// `Stop` with `Haste::Insist`: the second signal.
    Signal,
    /// A client connects, or finds the door closed.
    Connect(SlotId),
    /// The acceptor accepts it and hands it over.
    Accept(SlotId),
    /// The acceptor handles `Seal`; auth does too.
    SealDoors,
    /// A connection that was handed over starts on its arbiter.
    Start(SlotId),
    /// The supervisor handles a message.
    Supervisor,
    /// The seal's barrier goes on: `settle`, then `Settle`.
    Barrier,
    /// The hub handles a message.
    Hub,
    /// Auth looks at a login.
    Auth(SlotId),
    /// A session handles an order.
    Handle(SlotId),
    /// A session reads a frame and serves it.
    Serve(SlotId),
    /// A session's work is done.
    Conclude(SlotId),
    /// A session is woken: by the log, by room in its socket, by a look at it.
    Wake(SlotId),
    /// A session's answer to the order of a phase reaches the supervisor.
    Note(SlotId, Phase),
    /// A client reads what there is.
    Read(SlotId),
    /// A client's connection breaks.
    Break(SlotId),
    /// A session's handler panics.
    Panic(SlotId),
    HubPanic,
    /// Nothing is in work any more: the count says so.
    Idle,
    /// The deadline of a phase passes.
    Deadline(Phase),
}

impl Model for Setting {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::begin(self)]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.supervisor.exit.is_some() {
            return;
        }
        if let Some(step) = inner(state) {
            return steps.push(step);
        }
        self.server_steps(state, steps);
        for at in 0..state.slots.len() {
            self.seat_steps(state, at, steps);
        }
        let is_stuck = steps.is_empty();
        if let Some(phase) = state.supervisor.phase()
            && (is_stuck || state.left.early_deadlines > 0)
            && state.supervisor.machine.deadline().is_some()
        {
            steps.push(Step::Deadline(phase));
        }
        self.whims(state, steps);
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        state.take(self, step);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Setting>> {
        properties::all(self)
    }
}

/// A step that nothing else hinders, and that hinders nothing else: it is taken first,
/// and alone, which leaves out none but equal orders. A message that the stop machine acts on
/// is no such step.
fn inner(state: &State) -> Option<Step> {
    if let Some(ended @ Input::Ended { .. }) = state.supervisor.mailbox.first()
        && state.only_notes(ended.clone())
    {
        return Some(Step::Supervisor);
    }
    // An answer could only miss its phase.
    let can_miss = state.left.early_deadlines > 0 || state.left.signals > 0;
    if can_miss {
        return None;
    }
    let mut told = state.slots.iter().enumerate().flat_map(|(at, slot)| {
        let told = slot.session.told.iter();
        told.map(move |(phase, _)| (at, *phase))
    });
    let noted = told.find(|(at, phase)| {
        let answer = state.answer_of(*at, *phase);
        answer.is_some_and(|answer| state.only_notes(answer))
    });
    noted.map(|(at, phase)| Step::Note(at, phase))
}

impl Setting {
    fn server_steps(&self, state: &State, steps: &mut Vec<Step>) {
        if state.supervisor.phase().is_none() && state.left.fims > 0 {
            steps.push(Step::Fim);
        }
        if state.acceptor.is_told && !state.acceptor.is_sealed {
            steps.push(Step::SealDoors);
        }
        if !state.supervisor.mailbox.is_empty() {
            steps.push(Step::Supervisor);
        }
        if state.barrier_is_due() {
            steps.push(Step::Barrier);
        }
        if state.hub.is_alive && !state.hub.mailbox.is_empty() {
            steps.push(Step::Hub);
        }
        if state.supervisor.awaits_requests && state.in_work == 0 {
            steps.push(Step::Idle);
        }
    }

    fn seat_steps(&self, state: &State, at: SlotId, steps: &mut Vec<Step>) {
        let (slot, client) = (&state.slots[at], &self.clients[at]);
        match slot.connection {
            Connection::Waiting if !state.acceptor.is_sealed => steps.push(Step::Accept(at)),
            Connection::HandedOver { .. } => steps.push(Step::Start(at)),
            _ => {}
        }
        let told = slot.session.told.iter();
        steps.extend(told.map(|(phase, _)| Step::Note(at, *phase)));
        if slot.unread > 0 && client.reads && !slot.is_gone {
            steps.push(Step::Read(at));
        }
        // Threads have ended by then.
        if !slot.session.is_there() || state.supervisor.phase() == Some(Phase::Store) {
            return;
        }
        if !slot.session.orders.is_empty() {
            steps.push(Step::Handle(at));
        }
        if slot.session.may_serve() && !slot.is_gone && slot.session.next_frame().is_some() {
            steps.push(Step::Serve(at));
        }
        match slot.session.pending.map(|pending| pending.wait) {
            Some(Wait::Auth) => steps.push(Step::Auth(at)),
            Some(Wait::Handler | Wait::Answer(_)) => steps.push(Step::Conclude(at)),
            Some(Wait::Hub) | None => {}
        }
        if state.has_move(self, at) {
            steps.push(Step::Wake(at));
        }
    }

    /// Events that may happen, and need not.
    fn whims(&self, state: &State, steps: &mut Vec<Step>) {
        let has_begun = state.supervisor.phase().is_some();
        if has_begun && state.left.fims > 0 {
            steps.push(Step::Fim);
        }
        if has_begun && state.left.signals > 0 {
            steps.push(Step::Signal);
        }
        if state.hub.is_alive && state.left.hub_panics > 0 {
            steps.push(Step::HubPanic);
        }
        for (at, slot) in state.slots.iter().enumerate() {
            if slot.connection == Connection::Outside {
                steps.push(Step::Connect(at));
            }
            if self.clients[at].may_break && slot.session.is_there() && !slot.is_gone {
                steps.push(Step::Break(at));
            }
            let waits = slot.session.pending.map(|pending| pending.wait);
            if waits == Some(Wait::Handler) && state.left.session_panics > 0 {
                steps.push(Step::Panic(at));
            }
        }
    }
}

impl State {
    fn take(&mut self, setting: &Setting, step: Step) {
        match step {
            Step::Fim => {
                self.left.fims -= 1;
                let (reason, haste) = (StopReason::Fim, Haste::AsPlanned);
                self.happened(Input::Stop { reason, haste });
            }
            Step::Signal => {
                self.left.signals -= 1;
                let (reason, haste) = (StopReason::Signal, Haste::Insist);
                self.happened(Input::Stop { reason, haste });
            }
            Step::Connect(at) => {
                self.slots[at].connection = match self.acceptor.is_sealed {
                    true => Connection::Refused,
                    false => Connection::Waiting,
                };
            }
            Step::Accept(at) => self.hand_over(at, false),
            Step::SealDoors => self.seal_doors(),
            Step::Start(at) => {
                let is_stopping = matches!(
                    self.slots[at].connection,
                    Connection::HandedOver { is_stopping: true }
                );
                self.slots[at].connection = Connection::Seated;
                self.start(at, is_stopping);
                self.pump(setting, at);
            }
            Step::Supervisor => self.supervisor_handles(),
            Step::Barrier => self.barrier_goes_on(setting),
            Step::Hub => self.hub_handles(),
            Step::Auth(at) => self.check_login(at),
            Step::Handle(at) => self.handle(setting, at),
            Step::Serve(at) => {
                self.serve(setting, at);
                self.pump(setting, at);
            }
            Step::Conclude(at) => {
                self.conclude(setting, at);
                self.pump(setting, at);
            }
            Step::Wake(at) => {
                self.pump(setting, at);
            }
            Step::Note(at, phase) => self.note(at, phase),
            Step::Read(at) => self.slots[at].unread = 0,
            Step::Break(at) => self.slots[at].is_gone = true,
            Step::Panic(at) => {
                self.left.session_panics -= 1;
                self.panic(setting, at);
                self.pump(setting, at);
            }
            Step::HubPanic => {
                self.left.hub_panics -= 1;
                self.hub_panics();
            }
            Step::Idle => {
                self.supervisor.awaits_requests = false;
                self.feed(Input::RequestsIdle);
            }
            Step::Deadline(_) => {
                self.left.early_deadlines = self.left.early_deadlines.saturating_sub(1);
                self.pass_deadline();
            }
        }
    }

    fn hand_over(&mut self, at: SlotId, is_stopping: bool) {
        self.slots[at].connection = Connection::HandedOver { is_stopping };
    }

    /// Waiting clients are accepted and told of the stop; then the listener is closed.
    fn seal_doors(&mut self) {
        self.acceptor.is_sealed = true;
        for at in 0..self.slots.len() {
            if self.slots[at].connection == Connection::Waiting {
                self.hand_over(at, true);
            }
        }
    }

    /// Whether the client was let in: its session exists, or will.
    pub fn is_let_in(&self, at: SlotId) -> bool {
        let is_seated = self.slots[at].session.place != Place::Absent;
        is_seated || matches!(self.slots[at].connection, Connection::HandedOver { .. })
    }
}
