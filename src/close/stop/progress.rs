//! The state of a stop that has begun.

use std::collections::BTreeSet;
use std::time::Duration;

use super::deadlines::Deadlines;
use super::order::Status;
use super::rules::StopRules;
use crate::close::{Micros, Phase, PhaseLine, StopReason, Trouble};
use crate::wire::{Seq, SessionId};

/// A deadline that is noticed this late has passed while the process was suspended. Input
/// from that time is still in the sockets.
const SUSPENDED: Duration = Duration::from_secs(1);

/// The time that the store keeps for its own work after it has waited for other processes:
/// a quarter of what is left, and at most this.
const CLOSING: Duration = Duration::from_millis(250);

/// The time that the sessions have, after a suspension, to read their input.
const READING: Duration = Duration::from_millis(250);

/// The time that the hub and auth have to stop where sessions used up the whole phase.
const LAST_STOPS: Duration = Duration::from_millis(200);

/// The events that the machine waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// The end of the phase, or its deadline.
    Phase,
    /// The phase `actors` is over without the hub and auth: their end, or `until`.
    LastStops {
        /// A time since the stop began.
        until: Duration,
    },
    /// The observation of what is left.
    Observing,
    /// Nothing.
    Finished,
}

/// A stop that has begun. Times are durations since it began.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Progress {
    reason: StopReason,
    deadlines: Deadlines,
    /// Whether a second signal, or `now`, has cut the stop short.
    is_forced: bool,
    phase: Phase,
    step: Step,
    phase_began: Duration,
    /// The deadline of a phase whose own passed while the process was suspended.
    extended: Option<Duration>,
    /// Whether the phase's own work is done.
    is_done: bool,
    /// The sessions that have neither carried out the phase's order nor ended.
    awaited: BTreeSet<SessionId>,
    /// Whether every session that was accepted is known, and no other can come.
    are_listeners_sealed: bool,
    /// Whether the hub and auth have been told to stop.
    stops_actors: bool,
    /// The log's final head.
    head: Option<Seq>,
    /// The phases that are over.
    phases: Vec<PhaseLine>,
    trouble: Vec<Trouble>,
}

impl Progress {
    pub(super) fn new(reason: StopReason, total: Duration) -> Progress {
        Progress {
            reason,
            deadlines: Deadlines::new(total),
            is_forced: false,
            phase: Phase::Trigger,
            step: Step::Phase,
            phase_began: Duration::ZERO,
            extended: None,
            is_done: false,
            awaited: BTreeSet::new(),
            are_listeners_sealed: false,
            stops_actors: false,
            head: None,
            phases: Vec::new(),
            trouble: Vec::new(),
        }
    }

    pub(super) fn status(&self, now: Duration) -> Status {
        Status {
            reason: self.reason,
            phase: self.phase,
            remaining: self.deadlines.remaining(now),
        }
    }

    pub(super) fn enter(&mut self, phase: Phase, now: Duration) {
        (self.phase, self.step, self.phase_began) = (phase, Step::Phase, now);
        (self.extended, self.is_done) = (None, false);
    }

    /// Records that the phase is over, in time or by its deadline, and returns its line.
    pub(super) fn leave(&mut self, in_time: bool, now: Duration) -> PhaseLine {
        let took = now.saturating_sub(self.phase_began);
        let line = PhaseLine {
            phase: self.phase,
            budget_ms: millis(self.phase.budget(self.deadlines.total())),
            took_ms: millis(took),
            in_time,
            began_us: micros(self.phase_began),
            took_us: micros(took),
        };
        self.phases.push(line);
        self.awaited.clear();
        line
    }

    /// When the step must be over; `None` if it has no deadline. The first phase has none: it
    /// takes no time.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.step {
            Step::Phase if self.phase == Phase::Trigger => None,
            Step::Phase => Some(
                self.extended
                    .unwrap_or_else(|| self.deadlines.of(self.phase, self.phase_began)),
            ),
            Step::LastStops { until } => Some(until),
            Step::Observing | Step::Finished => None,
        }
    }

    /// Extends the deadline of a phase that passed while the process was suspended, once.
    /// Returns whether it did.
    pub(super) fn extend_after_suspension(&mut self, now: Duration) -> bool {
        let deadline = self.deadline().unwrap_or(now);
        let was_suspended = now.saturating_sub(deadline) > SUSPENDED;
        let extends = was_suspended && self.extended.is_none();
        if extends {
            self.extended = Some(now + READING);
        }
        extends
    }

    /// Gives all phases `left` together, and makes the stop a forced one.
    pub(super) fn cut_short(&mut self, now: Duration, left: Duration) {
        self.is_forced = true;
        self.deadlines.cut_short(now, left);
    }

    /// Until when the store may wait for other processes, so that its phase ends in time.
    pub(super) fn store_limit(&self, now: Duration) -> Duration {
        let end = self.deadlines.of(Phase::Store, now);
        let left = end.saturating_sub(now);
        end.saturating_sub(CLOSING.min(left / 4))
    }

    /// Whether `phase` goes on.
    pub(super) fn is_in(&self, phase: Phase) -> bool {
        self.phase == phase && self.step == Step::Phase
    }

    pub(super) fn await_sessions(&mut self, sessions: &BTreeSet<SessionId>) {
        self.awaited.clone_from(sessions);
    }

    pub(super) fn no_longer_await(&mut self, session: SessionId) {
        self.awaited.remove(&session);
    }

    /// Notes that the work of `phase` is done, unless another phase has begun.
    pub(super) fn note_done(&mut self, phase: Phase) {
        self.is_done |= phase == self.phase;
    }

    pub(super) fn note_listeners_sealed(&mut self) {
        self.are_listeners_sealed = true;
    }

    /// Notes the answer to the seal, unless another phase has begun.
    pub(super) fn note_log_sealed(&mut self, head: Option<Seq>) {
        if self.phase == Phase::Hub {
            self.is_done = true;
            self.head = self.head.or(head);
        }
    }

    /// Takes `head` for the log's final head, where none is known.
    pub(super) fn guess_head(&mut self, head: Seq) {
        self.head = self.head.or(Some(head));
    }

    /// Whether the time has come to stop the hub and auth: every session has finished. True
    /// once.
    pub(super) fn begins_to_stop_actors(&mut self) -> bool {
        let is_due = self.is_in(Phase::Actors) && self.awaited.is_empty() && !self.stops_actors;
        self.stops_actors |= is_due;
        is_due
    }

    pub(super) fn begin_last_stops(&mut self, now: Duration) {
        let until = now + LAST_STOPS;
        (self.step, self.is_done) = (Step::LastStops { until }, false);
    }

    pub(super) fn begin_observing(&mut self) {
        self.step = Step::Observing;
    }

    /// Ends the stop; returns the phases and the trouble. If the last phase
    /// ended by its deadline, each `unclosed` part is trouble.
    pub(super) fn finish(&mut self, unclosed: Vec<Trouble>) -> (Vec<PhaseLine>, Vec<Trouble>) {
        self.step = Step::Finished;
        if self.phases.last().is_some_and(|line| !line.in_time) {
            self.report_all(unclosed);
        }
        let (phases, trouble) = (&mut self.phases, &mut self.trouble);
        (std::mem::take(phases), std::mem::take(trouble))
    }

    pub(super) fn report(&mut self, trouble: Trouble) {
        self.trouble.push(trouble);
    }

    pub(super) fn report_all(&mut self, trouble: Vec<Trouble>) {
        self.trouble.extend(trouble);
    }

    pub(super) fn reason(&self) -> StopReason {
        self.reason
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn step(&self) -> Step {
        self.step
    }

    pub(super) fn is_forced(&self) -> bool {
        self.is_forced
    }

    pub(super) fn are_listeners_sealed(&self) -> bool {
        self.are_listeners_sealed
    }

    pub(super) fn has_head(&self) -> bool {
        self.head.is_some()
    }

    /// The log's final head; `now`, the present one, where no phase has found it.
    pub(super) fn head_or(&self, now: Seq) -> Seq {
        self.head.unwrap_or(now)
    }

    /// Whether the phase has what it waits for.
    pub(super) fn is_over(&self, rules: &impl StopRules) -> bool {
        match self.phase {
            Phase::Trigger | Phase::Actors | Phase::Store => self.is_done,
            Phase::Seal => self.are_listeners_sealed,
            Phase::Announce | Phase::Drain | Phase::Close => self.awaited.is_empty(),
            Phase::Requests => self.is_done || !rules.awaits_requests(),
            // Sessions that were accepted before the seal are drained to the head: they
            // must be known.
            Phase::Hub => self.is_done && self.are_listeners_sealed,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn micros(duration: Duration) -> Micros {
    Micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}
