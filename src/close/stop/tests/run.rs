//! A stop machine that tests lead through its phases.

use std::time::Duration;

use super::super::*;
use crate::close::{
    CloseReason, Evidence, Phase, PhaseLine, RecentRoutes, SessionRecord, StopReason, Times,
    Trouble,
};
use crate::wire::{Seq, SessionId};

pub(super) const TOTAL: Duration = Duration::from_secs(20);
pub(super) const HEAD: Seq = Seq(20);
pub(super) const SESSION: SessionId = SessionId(7);

/// A machine, the time, and the effects that it has returned.
pub(super) struct Run {
    pub(super) machine: StopMachine,
    pub(super) time: Duration,
    pub(super) effects: Vec<Effect>,
}

impl Run {
    pub(super) fn new() -> Run {
        Run {
            machine: StopMachine::new(TOTAL, Contract),
            time: Duration::ZERO,
            effects: Vec::new(),
        }
    }

    /// A server with one session that is about to stop.
    pub(super) fn with_session() -> Run {
        let mut run = Run::new();
        run.feed(Input::Opened(SESSION));
        run
    }

    pub(super) fn feed(&mut self, input: Input) -> &mut Run {
        let now = Moment {
            time: self.time,
            head: HEAD,
        };
        self.effects.extend(self.machine.handle(input, now));
        self
    }

    pub(super) fn stop(&mut self, haste: Haste) -> &mut Run {
        let reason = StopReason::Signal;
        self.feed(Input::Stop { reason, haste })
    }

    pub(super) fn begin(&mut self) -> &mut Run {
        self.stop(Haste::AsPlanned).feed(Input::Begun)
    }

    /// The session carries out the order of `phase`.
    pub(super) fn answer(&mut self, phase: Phase, record: Option<SessionRecord>) -> &mut Run {
        self.feed(Input::Answered {
            session: SESSION,
            phase,
            record,
        })
    }

    /// Everything that the phase waits for happens.
    pub(super) fn pass(&mut self, phase: Phase) -> &mut Run {
        assert_eq!(self.machine.phase(), Some(phase));
        match phase {
            Phase::Trigger => self.feed(Input::Begun),
            Phase::Seal => self.feed(Input::ListenersSealed),
            Phase::Requests => self.feed(Input::RequestsIdle),
            Phase::Hub => self.feed(Input::LogSealed(Some(HEAD))),
            Phase::Announce | Phase::Drain | Phase::Close => self.answer(phase, Some(record(20))),
            Phase::Actors => self
                .answer(phase, Some(record(20)))
                .feed(Input::ActorsStopped),
            Phase::Store => self.feed(closed(false)),
        }
    }

    /// The phases pass, from the present one to `phase`, which begins.
    pub(super) fn pass_until(&mut self, phase: Phase) -> &mut Run {
        while let Some(present) = self.machine.phase().filter(|present| *present < phase) {
            let is_empty = self.effects.is_empty();
            self.pass(present);
            assert!(!is_empty || !self.effects.is_empty());
        }
        assert_eq!(self.machine.phase(), Some(phase));
        self
    }

    /// The deadline passes, noticed `late` after it.
    pub(super) fn expire(&mut self, late: Duration) -> &mut Run {
        self.time = self.machine.deadline().expect("there is a deadline") + late;
        self.feed(Input::Tick)
    }

    pub(super) fn observe(
        &mut self,
        sessions: Vec<ObservedSession>,
        unclosed: &[Trouble],
    ) -> StopOutcome {
        assert_eq!(self.effects.last(), Some(&Effect::Observe));
        let unclosed = unclosed.to_vec();
        self.feed(Input::Observed {
            sessions,
            unclosed,
            routes: RecentRoutes::default(),
        });
        match self.effects.pop() {
            Some(Effect::Finish(outcome)) => outcome,
            other => panic!("not over: {other:?}"),
        }
    }

    /// Goes on to the end, in which everything is in time.
    pub(super) fn finish(&mut self) -> StopOutcome {
        self.pass_until(Phase::Store).pass(Phase::Store);
        self.observe(vec![seen()], &[])
    }

    pub(super) fn lines(&self) -> Vec<(Phase, bool)> {
        let lines = self.effects.iter().filter_map(|effect| match effect {
            Effect::PhaseOver(PhaseLine { phase, in_time, .. }) => Some((*phase, *in_time)),
            _ => None,
        });
        lines.collect()
    }

    pub(super) fn orders(&self) -> Vec<Order> {
        let orders = self.effects.iter().filter_map(|effect| match effect {
            Effect::Order { order, sessions } => {
                assert_eq!(sessions, &[SESSION]);
                Some(*order)
            }
            _ => None,
        });
        orders.collect()
    }

    pub(super) fn store_limits(&self) -> Vec<Duration> {
        let limits = self.effects.iter().filter_map(|effect| match effect {
            Effect::LimitStore(until) => Some(*until),
            _ => None,
        });
        limits.collect()
    }
}

pub(super) fn closed(has_panicked: bool) -> Input {
    Input::StoreClosed(StoreClosed {
        trouble: Vec::new(),
        has_panicked,
    })
}

pub(super) fn seen() -> ObservedSession {
    ObservedSession {
        session: SESSION,
        user: Some("ana".to_owned()),
        endpoint: "unix:@a".to_owned(),
        after: Some(Seq(10)),
        sent: HEAD,
        filter: None,
        rules: None,
    }
}

/// The record of a session that has read everything up to `sent`.
pub(super) fn record(sent: u64) -> SessionRecord {
    SessionRecord {
        session: SESSION,
        user: Some("ana".to_owned()),
        endpoint: "unix:@a".to_owned(),
        reason: CloseReason::Shutdown.into(),
        accepted: 1,
        answered: 1,
        refused: 0,
        after: Some(Seq(10)),
        cut: HEAD,
        sent: Seq(sent),
        missing: Vec::new(),
        missing_undecided_to: None,
        calls: None,
        not_for_it: 0,
        filter: None,
        rules: None,
        withheld: Vec::new(),
        withheld_unlisted_to: None,
        gaps: Vec::new(),
        is_owed_head: true,
        gaps_unlisted_to: None,
        acked: Seq::ZERO,
        evidence: Evidence::Read,
        times_us: Times::default(),
    }
}
