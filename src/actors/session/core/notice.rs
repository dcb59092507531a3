//! Tracks what a session has been told of the stop.
//!
//! A session is told once that the server stops. The answer to its own `shutdown` tells it
//! too, so that a session that waits for that answer gets no second frame. Its answer says
//! where the stop was when the supervisor heard of it, and may arrive behind the
//! announcement: what a session is told never goes back.

#[cfg(any(test, fuzzing))]
use std::time::Duration;

#[cfg(any(test, fuzzing))]
use serde::{Deserialize, Serialize};

use crate::actors::supervisor::Status;
#[cfg(any(test, fuzzing))]
use crate::close::{Phase, StopReason};

/// The stop status that a session has been told, and whether an answer will tell the next.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Notice {
    /// The latest status that it was told of, or that its answer must not be behind.
    latest: Option<Status>,
    /// Whether a `shutdown` of its own waits for its answer.
    is_asking: bool,
}

impl Notice {
    /// Notes that the session asks for the stop; [`Notice::answer`] follows.
    pub(super) fn ask(&mut self) {
        self.is_asking = true;
    }

    /// Returns what to tell the session of now, if not its own answer will.
    pub(super) fn announce(&mut self, status: Status) -> Option<Status> {
        let status = self.advance(status);
        (!self.is_asking).then_some(status)
    }

    /// Returns what to answer the session's own `shutdown` with.
    pub(super) fn answer(&mut self, status: Status) -> Status {
        self.is_asking = false;
        self.advance(status)
    }

    fn advance(&mut self, status: Status) -> Status {
        let later = self.latest.filter(|latest| latest.phase > status.phase);
        *self.latest.insert(later.unwrap_or(status))
    }
}

/// The notices that a session has been sent, written down.
#[cfg(any(test, fuzzing))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedNotice {
    latest: Option<(StopReason, Phase, Duration)>,
    is_asking: bool,
}

#[cfg(any(test, fuzzing))]
impl Notice {
    pub(super) fn save(&self) -> SavedNotice {
        let Notice { latest, is_asking } = self;
        SavedNotice {
            latest: latest.map(|latest| (latest.reason, latest.phase, latest.remaining)),
            is_asking: *is_asking,
        }
    }

    pub(super) fn restore(saved: SavedNotice) -> Notice {
        let latest = saved.latest.map(|(reason, phase, remaining)| Status {
            reason,
            phase,
            remaining,
        });
        Notice {
            latest,
            is_asking: saved.is_asking,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(phase: Phase, seconds: u64) -> Status {
        Status {
            reason: StopReason::Admin,
            phase,
            remaining: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn announcement_to_a_session_that_did_not_ask_is_sent() {
        let told = Notice::default().announce(status(Phase::Announce, 19));
        assert_eq!(told.map(|told| told.phase), Some(Phase::Announce));
    }

    #[test]
    fn announcement_ahead_of_the_answer_is_in_the_answer() {
        let mut notice = Notice::default();
        notice.ask();
        assert!(notice.announce(status(Phase::Announce, 19)).is_none());
        let told = notice.answer(status(Phase::Trigger, 20));
        assert_eq!(told.phase, Phase::Announce, "it never goes back");
        assert_eq!(told.remaining, Duration::from_secs(19));
    }

    #[test]
    fn second_shutdown_is_answered_with_a_later_phase() {
        let mut notice = Notice::default();
        notice.ask();
        assert_eq!(
            notice.answer(status(Phase::Trigger, 20)).phase,
            Phase::Trigger
        );
        notice.ask();
        assert_eq!(
            notice.answer(status(Phase::Requests, 17)).phase,
            Phase::Requests
        );
    }
}
