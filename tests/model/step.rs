//! The steps of the model: which of them are possible in a state, and the state that each leads to.

use arauto::internal::close::stop::{Haste, Input};
use arauto::internal::session::ending::Sending;
use arauto::{Phase, StopReason};
use stateright::{Model, Property};

use crate::broken::Broken;
use crate::connection::Wait;
use crate::properties;
use crate::reader::View;
use crate::setting::{SOCKET, Setting};
use crate::state::{BASE, Batch, Connection, SlotId, State, ToSupervisor};

/// One step of an actor, of a client, or of time. A [`SlotId`] names the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `fim` at the console sends `Stop`.
    Fim,
    /// A signal comes, which begins the stop, cuts it short, or ends the process.
    Signal,
    /// A client connects, or is refused.
    Connect(SlotId),
    /// The acceptor accepts a connection and hands it over.
    Accept(SlotId),
    /// The acceptor handles `Seal`, and so does auth.
    SealListeners,
    /// The session of a handed-over connection starts on its arbiter.
    Start(SlotId),
    /// The supervisor handles a message.
    SupervisorHandles,
    /// The barrier of the seal advances: first `settle`, then `Settle`.
    AdvanceBarrier,
    /// The hub handles a message.
    HubHandles,
    /// The journal commits a batch.
    Commit,
    /// A commit of the journal fails.
    CommitFails,
    /// Auth checks a login.
    AuthChecks(SlotId),
    /// A session handles an order.
    HandleOrder(SlotId),
    /// This number of frames reaches a session at once.
    Receive(SlotId, u8),
    /// A session's oldest work finishes.
    FinishWork(SlotId),
    /// A session is woken: by the log, by room in its socket, by a service, or to check its client.
    Wake(SlotId),
    /// A session's answer to the order of a phase reaches the supervisor.
    OrderAnswered(SlotId, Phase),
    /// A client reads everything in its socket.
    Read(SlotId),
    /// A client's connection breaks.
    Break(SlotId),
    /// A client closes its sending side.
    HangUp(SlotId),
    /// A session's handler panics.
    HandlerPanic(SlotId),
    HubPanic,
    /// A session's client is to be told how far the stream is, as nothing was for it for a second.
    MakePassedDue(SlotId),
    /// The operator changes the rules.
    ChangeRules,
    /// The hub begins to write the cursor's position, without broadcasts.
    StoreCursor,
    /// The process is killed, and the next one starts.
    Kill,
    /// The stop machine learns that no frame is in work.
    RequestsIdle,
    /// The deadline of a phase passes.
    Deadline {
        phase: Phase,
        is_early: bool,
    },
    /// A time-out of a session passes.
    Timeout {
        at: SlotId,
        is_early: bool,
    },
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
        if let Some(step) = independent_step(state) {
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
        self.optional_steps(state, steps);
    }

    /// Returns the state after a step. Waking a session without an effect is no step.
    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        state.take(self, step).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Setting>> {
        properties::all(self)
    }
}

/// Returns a step that no other step can prevent, and that prevents no other step.
///
/// Such a step is taken first and alone. This leaves out only orders that lead to the same states.
/// A message that causes an effect of the stop machine is not such a step.
fn independent_step(state: &State) -> Option<Step> {
    if let Some(ToSupervisor::Input(input)) = state.world.supervisor.mailbox.first()
        && matches!(**input, Input::Ended { .. })
        && state.world.has_no_effect((**input).clone())
    {
        return Some(Step::SupervisorHandles);
    }
    // If a phase can end at any instant, an answer may come too late for its phase.
    let left = &state.world.left;
    if left.early_deadlines > 0 || left.signals > 0 {
        return None;
    }
    let mut answers = state.slots.iter().enumerate().flat_map(|(at, slot)| {
        let answers = slot.order_answers.iter();
        answers.map(move |(phase, _)| (at, *phase))
    });
    let independent = answers.find(|(at, phase)| {
        let answer = state.answer_of(*at, *phase);
        answer.is_some_and(|answer| state.world.has_no_effect(answer))
    });
    independent.map(|(at, phase)| Step::OrderAnswered(at, phase))
}

impl Setting {
    /// Adds the steps of the actors other than sessions.
    fn server_steps(&self, state: &State, steps: &mut Vec<Step>) {
        let world = &state.world;
        if world.phase().is_none() {
            steps.extend((world.left.fims > 0).then_some(Step::Fim));
            steps.extend((world.left.signals > 0).then_some(Step::Signal));
        }
        if world.acceptor.is_told && !world.acceptor.is_sealed {
            steps.push(Step::SealListeners);
        }
        if !world.supervisor.mailbox.is_empty() {
            steps.push(Step::SupervisorHandles);
        }
        if state.barrier_is_due() {
            steps.push(Step::AdvanceBarrier);
        }
        if world.hub.is_alive && !world.hub.mailbox.is_empty() {
            steps.push(Step::HubHandles);
        }
        if world.hub.is_alive && world.hub.in_flight != Batch::default() {
            steps.push(Step::Commit);
            if world.left.disk_failures > 0 {
                steps.push(Step::CommitFails);
            }
        }
        let is_writing = world.hub.in_flight != Batch::default();
        if world.hub.is_alive && !is_writing && self.is_journaled && world.hub.cursor.is_queued {
            steps.push(Step::StoreCursor);
        }
        if world.supervisor.awaits_requests && world.in_work == 0 {
            steps.push(Step::RequestsIdle);
        }
    }

    /// Adds the steps of a session, its connection and its client.
    fn slot_steps(&self, state: &State, at: SlotId, steps: &mut Vec<Step>) {
        let (slot, client) = (&state.slots[at], &self.clients[at]);
        match slot.connection {
            Connection::AwaitsAccept if !state.world.acceptor.is_sealed => {
                steps.push(Step::Accept(at))
            }
            Connection::HandedOver { .. } => steps.push(Step::Start(at)),
            _ => {}
        }
        let answers = slot.order_answers.iter();
        steps.extend(answers.map(|(phase, _)| Step::OrderAnswered(at, *phase)));
        if client.reads && slot.has_to_read(client) {
            steps.push(Step::Read(at));
        }
        if slot.core.is_none() {
            return;
        }
        if !slot.orders.is_empty() {
            steps.push(Step::HandleOrder(at));
        }
        if slot.io.wants_input {
            let unsent = slot.io.unsent(&client.frames).len();
            if unsent > 0 {
                steps.push(Step::Receive(at, 1));
            }
            if unsent > 1 {
                steps.push(Step::Receive(
                    at,
                    u8::try_from(unsent).expect("a client sends fewer than 256 frames"),
                ));
            }
        }
        match slot.io.jobs.first().map(|job| job.wait) {
            Some(Wait::Auth) => steps.push(Step::AuthChecks(at)),
            Some(Wait::Handler | Wait::Answered(_)) => steps.push(Step::FinishWork(at)),
            Some(Wait::Hub | Wait::Journal | Wait::Supervisor) | None => {}
        }
        if state.may_wake(self, at) {
            steps.push(Step::Wake(at));
        }
    }

    /// Adds deadlines and time-outs, if nothing else can happen or if they may pass early.
    fn time_steps(&self, state: &State, is_stuck: bool, steps: &mut Vec<Step>) {
        let world = &state.world;
        if let Some(phase) = world.phase()
            && (is_stuck || world.left.early_deadlines > 0)
            && world.supervisor.machine.deadline().is_some()
        {
            let is_early = !is_stuck;
            steps.push(Step::Deadline { phase, is_early });
        }
        if is_stuck || world.left.early_timeouts > 0 {
            let due = (0..state.slots.len()).filter(|at| state.timeout(*at).is_some());
            let is_early = !is_stuck;
            steps.extend(due.map(|at| Step::Timeout { at, is_early }));
        }
    }
}

impl State {
    /// Whether waking a session may have an effect. This check is cheap. If it returns `false`,
    /// waking has no effect.
    fn may_wake(&self, setting: &Setting, at: SlotId) -> bool {
        let slot = &self.slots[at];
        let Some(core) = &slot.core else { return false };
        let io = &slot.io;
        let has_ended = io.client.is_gone || io.client.has_ended;
        let view = self.view(setting, at);
        let until = match core.sending() {
            Sending::UpTo(until) => until.map(|until| until.0),
            Sending::Nothing => None,
        };
        let has_more = io.has_more(None, view) || io.has_more(until, view);
        let can_write = has_more && io.client.unread < SOCKET;
        let reader = io.reader.as_ref();
        let has_fallen = reader.is_some_and(|reader| reader.fallen(view).is_some());
        let may_be_read = io.client.unread == 0 || setting.is(Broken::WrittenIsRead);
        let is_woken = self.world.services.is_woken(at);
        has_ended
            || can_write
            || has_fallen
            || is_woken
            || (core.wake_at().is_some() && may_be_read)
    }

    /// Takes a step. Returns `false` if a session was woken without an effect.
    fn take(&mut self, setting: &Setting, step: Step) -> bool {
        let left = &mut self.world.left;
        match step {
            Step::Fim => {
                left.fims -= 1;
                let (reason, haste) = (StopReason::Fim, Haste::AsPlanned);
                self.world.send_input(Input::Stop { reason, haste });
            }
            Step::Signal => self.world.signal(setting),
            Step::Connect(at) => {
                self.slots[at].connection = match self.world.acceptor.is_sealed {
                    true => Connection::Refused,
                    false => Connection::AwaitsAccept,
                };
            }
            Step::Accept(at) => self.hand_over(at, false),
            Step::SealListeners => self.seal_listeners(),
            Step::Start(at) => {
                let is_stopping = matches!(
                    self.slots[at].connection,
                    Connection::HandedOver { is_stopping: true }
                );
                self.start(setting, at, is_stopping);
                self.run_now(setting, at);
            }
            Step::SupervisorHandles => self.supervisor_handles(setting),
            Step::AdvanceBarrier => self.advance_barrier(setting),
            Step::HubHandles => self.hub_handles(setting),
            Step::Commit => self.commit(setting),
            Step::CommitFails => {
                left.disk_failures -= 1;
                self.fail_commit(setting);
            }
            Step::AuthChecks(at) => self.check_login(at),
            Step::HandleOrder(at) => self.handle_order(setting, at),
            Step::Receive(at, frames) => {
                self.run(setting, at, frames, None, *BASE);
            }
            Step::FinishWork(at) => self.finish_work(setting, at),
            Step::Wake(at) => return self.wake(setting, at),
            Step::OrderAnswered(at, phase) => self.deliver_order_answer(setting, at, phase),
            Step::Read(at) => self.slots[at].read(&setting.clients[at]),
            Step::Break(at) => self.slots[at].io.client.is_gone = true,
            Step::HangUp(at) => self.slots[at].io.client.has_ended = true,
            Step::HandlerPanic(at) => {
                left.session_panics -= 1;
                self.panic(setting, at);
            }
            Step::HubPanic => {
                left.hub_panics -= 1;
                self.hub_panics();
            }
            Step::MakePassedDue(at) => {
                left.passes -= 1;
                let head = self.world.hub.head;
                let reader = self.slots[at].io.reader.as_mut();
                reader.map(|reader| reader.make_passed_due(head));
                self.wake(setting, at);
            }
            Step::ChangeRules => {
                left.rule_changes -= 1;
                let head = self.world.hub.head;
                self.world.rules.change(head);
            }
            Step::StoreCursor => self.store_cursor(),
            Step::Kill => self.kill(setting),
            Step::RequestsIdle => {
                self.world.supervisor.awaits_requests = false;
                self.feed(setting, Input::RequestsIdle);
            }
            Step::Deadline { is_early, .. } => {
                left.early_deadlines -= u8::from(is_early);
                self.pass_deadline(setting);
            }
            Step::Timeout { at, is_early } => {
                left.early_timeouts -= u8::from(is_early);
                self.pass_timeout(setting, at);
            }
        }
        true
    }

    /// Returns the log as a session sees it.
    pub fn view<'a>(&'a self, setting: &'a Setting, at: SlotId) -> View<'a> {
        View {
            setting,
            world: &self.world,
            user: setting.user(at),
        }
    }

    fn hand_over(&mut self, at: SlotId, is_stopping: bool) {
        self.slots[at].connection = Connection::HandedOver { is_stopping };
    }

    /// Seals the acceptor. Connections that wait are accepted first, and are told of the stop.
    fn seal_listeners(&mut self) {
        self.world.acceptor.is_sealed = true;
        for at in 0..self.slots.len() {
            if self.slots[at].connection == Connection::AwaitsAccept {
                self.hand_over(at, true);
            }
        }
    }
}
