//! The stop machine: inputs in, effects out.

use std::time::Duration;

use super::deadlines::LAST_RECORDS;
use super::effect::Effect;
use super::input::{Haste, Input, Moment, ObservedSession};
use super::missing::judge_missing;
use super::order::{Order, Status};
use super::outcome::{StopOutcome, exit_code};
use super::progress::{Progress, Step};
use super::roster::Roster;
use super::rules::{Contract, StopRules};
use crate::close::{Component, Phase, RecentRoutes, SessionRecord, StopReason, Trouble};
use crate::wire::SessionId;

/// The time that all phases have together after a second signal.
const INSISTED: Duration = Duration::from_secs(1);

/// Decides how the server stops.
///
/// It knows the sessions from the start, and begins to act with [`Input::Stop`]. After each
/// input the caller carries out the effects in order, and sends [`Input::Tick`] when
/// [`StopMachine::deadline`] is reached. Inputs that come too late for their phase are
/// ignored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StopMachine<R = Contract> {
    rules: R,
    total: Duration,
    roster: Roster,
    /// The actor or thread that has panicked.
    panicked: Option<Component>,
    progress: Option<Progress>,
}

impl<R: StopRules> StopMachine<R> {
    /// A machine for a server without sessions, whose stop takes `total` at most.
    pub fn new(total: Duration, rules: R) -> StopMachine<R> {
        StopMachine {
            rules,
            total,
            roster: Roster::default(),
            panicked: None,
            progress: None,
        }
    }

    /// Changes the longest time that the stop may take. Returns `false` if it has begun: its deadlines
    /// stay.
    pub fn set_total(&mut self, total: Duration) -> bool {
        if self.progress.is_some() {
            return false;
        }
        self.total = total;
        true
    }

    /// The phase that the stop is in; `None` before the stop.
    pub fn phase(&self) -> Option<Phase> {
        self.progress.as_ref().map(Progress::phase)
    }

    /// Where the stop is at `now`, a time since it began; `None` before the stop.
    pub fn status(&self, now: Duration) -> Option<Status> {
        self.progress.as_ref().map(|stop| stop.status(now))
    }

    /// When to send [`Input::Tick`], as a time since the stop began; `None` where the machine
    /// waits for no deadline.
    pub fn deadline(&self) -> Option<Duration> {
        let stop = self.progress.as_ref()?;
        stop.deadline().filter(|_| self.rules.has_deadlines())
    }

    /// Takes an input and returns what is to be done.
    pub fn handle(&mut self, input: Input, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Opened(session) => self.roster.open(session),
            Input::Ended { record, has_failed } => self.end(record, has_failed),
            Input::Stop { reason, haste } => self.stop(reason, haste, now, &mut effects),
            Input::Failed(what) => self.fail(what, now, &mut effects),
            Input::Answered {
                session,
                phase,
                record,
            } => self.note_answer(session, phase, record),
            Input::Observed {
                sessions,
                unclosed,
                routes,
            } => self.finish((sessions, unclosed, routes), now, &mut effects),
            Input::Tick => self.tick(now, &mut effects),
            Input::Begun
            | Input::ListenersSealed
            | Input::RequestsIdle
            | Input::LogSealed(_)
            | Input::ActorsStopped
            | Input::StoreClosed(_) => self.note_done(input),
        }
        self.advance(now, &mut effects);
        effects
    }

    fn end(&mut self, record: SessionRecord, has_failed: bool) {
        if let Some(stop) = &mut self.progress {
            stop.no_longer_await(record.session);
        }
        // This may be heard in a stop of a session that was over before it.
        let ended_in_stop = self.progress.is_some() && record.times_us.stopped.is_some();
        self.roster.end(record, has_failed, ended_in_stop);
    }

    fn stop(&mut self, reason: StopReason, haste: Haste, now: Moment, effects: &mut Vec<Effect>) {
        let is_first = self.progress.is_none();
        let stop = self
            .progress
            .get_or_insert_with(|| Progress::new(reason, self.total));
        if is_first {
            effects.push(Effect::Begin(reason));
            effects.push(Effect::LimitStore(stop.store_limit(now.time)));
        }
        let left = match haste {
            Haste::Now => LAST_RECORDS,
            Haste::Insist if !is_first => INSISTED,
            Haste::Insist | Haste::AsPlanned => return,
        };
        stop.cut_short(now.time, left);
        effects.push(Effect::LimitStore(stop.store_limit(now.time)));
    }

    /// Stops the server for a panic. From the phase `actors` on everything is being ended,
    /// by force where necessary, and a panic changes nothing.
    fn fail(&mut self, what: Component, now: Moment, effects: &mut Vec<Effect>) {
        if self.phase() >= Some(Phase::Actors) {
            return;
        }
        self.panicked = Some(what);
        self.stop(StopReason::Panic, Haste::AsPlanned, now, effects);
    }

    fn note_answer(&mut self, session: SessionId, phase: Phase, record: Option<SessionRecord>) {
        let Some(stop) = &mut self.progress else {
            return;
        };
        let is_current = stop.is_in(phase);
        if is_current {
            stop.no_longer_await(session);
        }
        match record {
            // It may come late, and replaces no other record.
            Some(record) if phase == Phase::Announce => self.roster.note_first(record),
            Some(record) if is_current => self.roster.note(record),
            Some(_) | None => {}
        }
    }

    fn note_done(&mut self, input: Input) {
        let Some(stop) = &mut self.progress else {
            return;
        };
        match input {
            Input::Begun => stop.note_done(Phase::Trigger),
            Input::ListenersSealed => stop.note_listeners_sealed(),
            Input::RequestsIdle => stop.note_done(Phase::Requests),
            Input::LogSealed(head) => stop.note_log_sealed(head),
            Input::ActorsStopped => stop.note_done(Phase::Actors),
            Input::StoreClosed(closed) if stop.is_in(Phase::Store) => {
                stop.note_done(Phase::Store);
                stop.report_all(closed.trouble);
                if closed.has_panicked {
                    self.panicked = Some(Component::Store);
                }
            }
            _ => {}
        }
    }

    fn tick(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let is_due = self.deadline().is_some_and(|deadline| now.time >= deadline);
        let Some(stop) = self.progress.as_mut().filter(|_| is_due) else {
            return;
        };
        match stop.step() {
            Step::Phase if stop.extend_after_suspension(now.time) => {}
            Step::Phase => self.leave(false, now, effects),
            Step::LastStops { .. } => self.enter_next(now, effects),
            Step::Observing | Step::Finished => {}
        }
    }

    /// Leaves each phase that has what it waited for.
    fn advance(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        while let Some(stop) = &mut self.progress {
            if stop.begins_to_stop_actors() {
                effects.push(Effect::StopActors);
            }
            let is_over = stop.is_over(&self.rules);
            match stop.step() {
                Step::Phase if is_over => self.leave(true, now, effects),
                Step::LastStops { .. } if is_over => self.enter_next(now, effects),
                _ => return,
            }
        }
    }

    fn leave(&mut self, in_time: bool, now: Moment, effects: &mut Vec<Effect>) {
        let Some(stop) = &mut self.progress else {
            return;
        };
        effects.push(Effect::PhaseOver(stop.leave(in_time, now.time)));
        match stop.phase() {
            Phase::Hub if !stop.has_head() => {
                stop.guess_head(now.head);
                if self.rules.reports_unsealed_log() {
                    stop.report(Trouble::LogUnsealed);
                }
            }
            // A session that is stuck is no reason to drop the hub and the accounts.
            Phase::Actors if !in_time => {
                stop.begin_last_stops(now.time);
                effects.push(Effect::StopActors);
                return;
            }
            _ => {}
        }
        self.enter_next(now, effects);
    }

    fn enter_next(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let Some(stop) = &mut self.progress else {
            return;
        };
        match self.rules.next(stop.phase()) {
            None => {
                stop.begin_observing();
                effects.push(Effect::Observe);
            }
            Some(phase) => {
                stop.enter(phase, now.time);
                self.begin(phase, now, effects);
            }
        }
    }

    /// Asks for what `phase` does.
    fn begin(&mut self, phase: Phase, now: Moment, effects: &mut Vec<Effect>) {
        let Some(stop) = &mut self.progress else {
            return;
        };
        let order = match phase {
            Phase::Trigger => return,
            Phase::Seal => return effects.push(Effect::SealListeners),
            Phase::Requests => return effects.push(Effect::AwaitRequests),
            Phase::Hub => {
                if !self.rules.takes_head_from_seal() {
                    stop.guess_head(now.head);
                }
                return effects.push(Effect::SealLog);
            }
            Phase::Store => {
                effects.push(Effect::LimitStore(stop.store_limit(now.time)));
                return effects.push(Effect::CloseStore);
            }
            Phase::Announce => Order::Announce(stop.status(now.time)),
            Phase::Drain => {
                // A session that starts after the order to drain is told nothing.
                if !stop.are_listeners_sealed() && self.rules.reports_unsealed_listeners() {
                    stop.report(Trouble::ListenersUnsealed);
                }
                Order::Drain(stop.head_or(now.head))
            }
            Phase::Close => Order::Close(Phase::Close.budget(self.total)),
            Phase::Actors => Order::Finish,
        };
        stop.await_sessions(self.roster.live());
        let sessions = self.roster.live().iter().copied().collect();
        effects.push(Effect::Order { order, sessions });
    }

    fn finish(
        &mut self,
        (sessions, unclosed, routes): (Vec<ObservedSession>, Vec<Trouble>, RecentRoutes),
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let Some(stop) = &mut self.progress else {
            return;
        };
        if stop.step() != Step::Observing {
            return;
        }
        let head = stop.head_or(now.head);
        let mut sessions = self.roster.take_records(sessions, head);
        judge_missing(&mut sessions, &routes);
        let (phases, mut trouble) = stop.finish(unclosed);
        trouble.extend(self.roster.trouble());
        trouble.extend(self.panicked.map(Trouble::Panicked));
        let has_panicked = self.panicked.is_some();
        effects.push(Effect::Finish(StopOutcome {
            reason: stop.reason(),
            exit: exit_code(has_panicked, stop.is_forced(), &sessions, &trouble),
            head,
            phases,
            routes,
            sessions,
            trouble,
        }));
    }
}
