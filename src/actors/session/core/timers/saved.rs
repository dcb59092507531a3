//! A session's deadline and looks, written down.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Timers, WaitsFor};
use crate::deadline::{InputDeadline, SavedDeadline};
use crate::saved_time::{SavedTime, TimeOutOfRange};

/// The state of [`Timers`], relative to the moment of writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedTimers {
    deadline: Option<(WaitsFor, SavedDeadline)>,
    judge_at: Option<SavedTime>,
    hold: Option<SavedTime>,
    read_look: Option<SavedTime>,
    presence_look: Option<SavedTime>,
}

impl Timers {
    pub(in super::super) fn save(&self, now: Instant) -> SavedTimers {
        let Timers {
            deadline,
            judge_at,
            hold,
            read_look,
            presence_look,
        } = self;
        let time = |at: &Option<Instant>| at.map(|at| SavedTime::save(at, now));
        SavedTimers {
            deadline: deadline.map(|(event, deadline)| (event, deadline.save(now))),
            judge_at: time(judge_at),
            hold: time(hold),
            read_look: time(read_look),
            presence_look: time(presence_look),
        }
    }

    /// Returns the timers that were saved, each with as much time left as it had.
    pub(in super::super) fn restore(
        saved: SavedTimers,
        now: Instant,
    ) -> Result<Timers, TimeOutOfRange> {
        let time = |at: Option<SavedTime>| at.map(|at| at.restore(now)).transpose();
        let deadline = match saved.deadline {
            Some((event, deadline)) => Some((event, InputDeadline::restore(deadline, now)?)),
            None => None,
        };
        Ok(Timers {
            deadline,
            judge_at: time(saved.judge_at)?,
            hold: time(saved.hold)?,
            read_look: time(saved.read_look)?,
            presence_look: time(saved.presence_look)?,
        })
    }
}
