//! The model's actions.

use arauto::internal::close::stop::{Haste, Input};
use arauto::{Phase, StopReason};
use stateright::{Model, Property};

use crate::broken::Broken;
use crate::connection::Wait;
use crate::properties;
use crate::setting::{Client, Frame, SOCKET, Setting};
use crate::state::{BASE, Batch, Connection, Slot, SlotId, State, ToSupervisor};

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
    /// The journal has a batch, or does not take it.
    Commit,
    CommitFails,
    /// Auth looks at a login.
    Auth(SlotId),
    /// A session handles an order.
    Handle(SlotId),
    /// So many frames reach a session, together.
    Receive(SlotId, u8),
    /// A session's oldest work is done.
    Conclude(SlotId),
    /// A session is woken: by the log, by room in its socket, by a look at it.
    Wake(SlotId),
    /// A session's answer to the order of a phase reaches the supervisor.
    Note(SlotId, Phase),
    /// A client reads what there is.
    Read(SlotId),
    /// A client's connection breaks.
    Break(SlotId),
    /// A client closes its sending side.
    HangUp(SlotId),
    /// A session's handler panics.
    Panic(SlotId),
    HubPanic,
    /// Nothing is in work any more: the count says so.
    Idle,
    /// The deadline of a phase passes.
    Deadline(Phase),
    /// A time-out of a session passes.
    Timeout(SlotId),
}

impl Model for Setting {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::begin(self)]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.world.exit().is_some() {
            return;
        }
        if let Some(step) = inner(state) {
            return steps.push(step);
        }
        self.server_steps(state, steps);
        for at in 0..state.slots.len() {
            self.slot_steps(state, at, steps);
        }
        let is_stuck = steps.iter().all(|step| match step {
            Step::Wake(at) => !state.clone().wake(self, *at),
            _ => false,
        });
        self.time_steps(state, is_stuck, steps);
        self.whims(state, steps);
    }

    /// A session that is woken and does nothing has taken no step.
    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        state.take(self, step).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Setting>> {
        properties::all(self)
    }
}

/// A step that nothing else hinders, and that hinders nothing else: it is taken first,
/// and alone, which leaves out none but equal orders. A message that the stop machine acts on
/// is no such step.
fn inner(state: &State) -> Option<Step> {
    if let Some(ToSupervisor::Input(input)) = state.world.supervisor.mailbox.first()
        && matches!(**input, Input::Ended { .. })
        && state.world.only_notes((**input).clone())
    {
        return Some(Step::Supervisor);
    }
    // An answer could only miss its phase.
    let left = &state.world.left;
    if left.early_deadlines > 0 || left.signals > 0 {
        return None;
    }
    let mut told = state.slots.iter().enumerate().flat_map(|(at, slot)| {
        let told = slot.told.iter();
        told.map(move |(phase, _)| (at, *phase))
    });
    let noted = told.find(|(at, phase)| {
        let answer = state.answer_of(*at, *phase);
        answer.is_some_and(|answer| state.world.only_notes(answer))
    });
    noted.map(|(at, phase)| Step::Note(at, phase))
}

impl Setting {
    fn server_steps(&self, state: &State, steps: &mut Vec<Step>) {
        let world = &state.world;
        if world.phase().is_none() && world.left.fims > 0 {
            steps.push(Step::Fim);
        }
        if world.acceptor.is_told && !world.acceptor.is_sealed {
            steps.push(Step::SealDoors);
        }
        if !world.supervisor.mailbox.is_empty() {
            steps.push(Step::Supervisor);
        }
        if state.barrier_is_due() {
            steps.push(Step::Barrier);
        }
        if world.hub.is_alive && !world.hub.mailbox.is_empty() {
            steps.push(Step::Hub);
        }
        if world.hub.is_alive && world.hub.in_flight != Batch::default() {
            steps.push(Step::Commit);
            if world.left.disk_failures > 0 {
                steps.push(Step::CommitFails);
            }
        }
        if world.supervisor.awaits_requests && world.in_work == 0 {
            steps.push(Step::Idle);
        }
    }

    fn slot_steps(&self, state: &State, at: SlotId, steps: &mut Vec<Step>) {
        let (slot, client) = (&state.slots[at], &self.clients[at]);
        match slot.connection {
            Connection::Waiting if !state.world.acceptor.is_sealed => steps.push(Step::Accept(at)),
            Connection::HandedOver { .. } => steps.push(Step::Start(at)),
            _ => {}
        }
        let told = slot.told.iter();
        steps.extend(told.map(|(phase, _)| Step::Note(at, *phase)));
        if client.reads && slot.has_to_read(client) {
            steps.push(Step::Read(at));
        }
        if slot.core.is_none() {
            return;
        }
        if !slot.orders.is_empty() {
            steps.push(Step::Handle(at));
        }
        if slot.io.wants_input {
            let unsent = slot.io.unsent(&client.frames).len();
            if unsent > 0 {
                steps.push(Step::Receive(at, 1));
            }
            if unsent > 1 {
                steps.push(Step::Receive(at, u8::try_from(unsent).expect("few frames")));
            }
        }
        match slot.io.jobs.first().map(|job| job.wait) {
            Some(Wait::Auth) => steps.push(Step::Auth(at)),
            Some(Wait::Handler | Wait::Answer(_)) => steps.push(Step::Conclude(at)),
            Some(Wait::Hub | Wait::Journal | Wait::Supervisor) | None => {}
        }
        if state.may_wake(self, at) {
            steps.push(Step::Wake(at));
        }
    }

    /// Deadlines and time-outs: where nothing else can happen, and as often as one may come
    /// early.
    fn time_steps(&self, state: &State, is_stuck: bool, steps: &mut Vec<Step>) {
        let world = &state.world;
        if let Some(phase) = world.phase()
            && (is_stuck || world.left.early_deadlines > 0)
            && world.supervisor.machine.deadline().is_some()
        {
            steps.push(Step::Deadline(phase));
        }
        if is_stuck || world.left.early_timeouts > 0 {
            let due = (0..state.slots.len()).filter(|at| state.timeout(*at).is_some());
            steps.extend(due.map(Step::Timeout));
        }
    }

    /// Events that may happen, and need not.
    fn whims(&self, state: &State, steps: &mut Vec<Step>) {
        let left = &state.world.left;
        let has_begun = state.world.phase().is_some();
        if has_begun && left.fims > 0 {
            steps.push(Step::Fim);
        }
        if has_begun && left.signals > 0 {
            steps.push(Step::Signal);
        }
        if state.world.hub.is_alive && left.hub_panics > 0 {
            steps.push(Step::HubPanic);
        }
        for (at, slot) in state.slots.iter().enumerate() {
            let client = &self.clients[at];
            let is_there = slot.core.is_some() && !slot.io.client.is_gone;
            if slot.connection == Connection::Outside {
                steps.push(Step::Connect(at));
            }
            if client.may_break && is_there {
                steps.push(Step::Break(at));
            }
            if client.may_hang_up && is_there && !slot.io.client.has_ended {
                steps.push(Step::HangUp(at));
            }
            if slot.core.is_some() && state.waits_for_handler(at) && left.session_panics > 0 {
                steps.push(Step::Panic(at));
            }
        }
    }
}

impl Slot {
    /// Whether there is something for the client to read, be it the end.
    fn has_to_read(&self, client: &Client) -> bool {
        let end = &self.io.client;
        let sees_end = self.io.is_shut && self.core.is_some();
        !end.is_gone && (end.unread > 0 || (sees_end && client.closes && !end.has_closed))
    }
}

impl State {
    /// Whether a session that is woken may do something: this is cheap, and never wrong where
    /// it says no.
    fn may_wake(&self, setting: &Setting, at: SlotId) -> bool {
        let slot = &self.slots[at];
        let Some(core) = &slot.core else { return false };
        let io = &slot.io;
        let has_ended = io.client.is_gone || io.client.has_ended;
        let can_write = io.has_more(None, &self.world.hub) && io.client.unread < SOCKET;
        let has_fallen = io.reader.is_some() && io.reached() < self.world.hub.tail;
        let may_be_read = io.client.unread == 0 || setting.is(Broken::WrittenIsRead);
        has_ended || can_write || has_fallen || (core.wake_at().is_some() && may_be_read)
    }

    /// Takes the step. Returns whether it was one.
    fn take(&mut self, setting: &Setting, step: Step) -> bool {
        let left = &mut self.world.left;
        match step {
            Step::Fim => {
                left.fims -= 1;
                let (reason, haste) = (StopReason::Fim, Haste::AsPlanned);
                self.world.happened(Input::Stop { reason, haste });
            }
            Step::Signal => {
                left.signals -= 1;
                let (reason, haste) = (StopReason::Signal, Haste::Insist);
                self.world.happened(Input::Stop { reason, haste });
            }
            Step::Connect(at) => {
                self.slots[at].connection = match self.world.acceptor.is_sealed {
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
                self.start(setting, at, is_stopping);
                self.run_now(setting, at);
            }
            Step::Supervisor => self.supervisor_handles(setting),
            Step::Barrier => self.barrier_goes_on(setting),
            Step::Hub => self.hub_handles(setting),
            Step::Commit => self.commit(setting),
            Step::CommitFails => {
                left.disk_failures -= 1;
                self.fail_commit(setting);
            }
            Step::Auth(at) => self.check_login(at),
            Step::Handle(at) => self.handle(setting, at),
            Step::Receive(at, frames) => {
                self.run(setting, at, frames, None, *BASE);
            }
            Step::Conclude(at) => self.conclude(setting, at),
            Step::Wake(at) => return self.wake(setting, at),
            Step::Note(at, phase) => self.note(setting, at, phase),
            Step::Read(at) => self.slots[at].read(&setting.clients[at]),
            Step::Break(at) => self.slots[at].io.client.is_gone = true,
            Step::HangUp(at) => self.slots[at].io.client.has_ended = true,
            Step::Panic(at) => {
                left.session_panics -= 1;
                self.panic(setting, at);
            }
            Step::HubPanic => {
                left.hub_panics -= 1;
                self.hub_panics();
            }
            Step::Idle => {
                self.world.supervisor.awaits_requests = false;
                self.feed(setting, Input::RequestsIdle);
            }
            Step::Deadline(_) => {
                left.early_deadlines = left.early_deadlines.saturating_sub(1);
                self.pass_deadline(setting);
            }
            Step::Timeout(at) => {
                left.early_timeouts = left.early_timeouts.saturating_sub(1);
                self.pass_timeout(setting, at);
            }
        }
        true
    }

    fn hand_over(&mut self, at: SlotId, is_stopping: bool) {
        self.slots[at].connection = Connection::HandedOver { is_stopping };
    }

    /// Waiting clients are accepted and told of the stop; then the listener is closed.
    fn seal_doors(&mut self) {
        self.world.acceptor.is_sealed = true;
        for at in 0..self.slots.len() {
            if self.slots[at].connection == Connection::Waiting {
                self.hand_over(at, true);
            }
        }
    }
}

impl Slot {
    /// The client reads what there is; at the end it closes.
    fn read(&mut self, client: &Client) {
        let sees_end = self.io.is_shut && self.io.is_clear();
        let end = &mut self.io.client;
        end.unread = 0;
        if client.has(Frame::Ack) {
            end.read_to = self.io.reader.as_ref().map_or(0, |reader| reader.reached);
        }
        if sees_end && client.closes {
            (end.has_ended, end.has_closed) = (true, true);
        }
    }
}
