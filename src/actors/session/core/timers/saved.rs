//! A session's deadline and looks, written down.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Looks, Timers, Wait, WaitsFor};
use crate::deadline::{InputDeadline, SavedDeadline};
use crate::saved_time::{SavedTime, TimeOutOfRange};

/// The state of [`Timers`], relative to the moment of writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedTimers {
    wait: Option<SavedWait>,
    hold: Option<SavedTime>,
    read_look: Option<SavedTime>,
    presence_look: Option<SavedTime>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedWait {
    event: WaitsFor,
    deadline: SavedDeadline,
    judge_at: Option<SavedTime>,
}

impl Timers {
    pub(in super::super) fn save(&self, now: Instant) -> SavedTimers {
        let Timers { wait, looks } = self;
        let Looks {
            hold,
            read_look,
            presence_look,
        } = looks.as_deref().cloned().unwrap_or_default();
        let time = |at: Option<Instant>| at.map(|at| SavedTime::save(at, now));
        let wait = wait.as_deref().map(|wait| {
            let Wait {
                event,
                deadline,
                judge_at,
            } = wait;
            SavedWait {
                event: *event,
                deadline: deadline.save(now),
                judge_at: time(*judge_at),
            }
        });
        SavedTimers {
            wait,
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
        let wait = match saved.wait {
            None => None,
            Some(wait) => Some(Box::new(Wait {
                event: wait.event,
                deadline: InputDeadline::restore(wait.deadline, now)?,
                judge_at: time(wait.judge_at)?,
            })),
        };
        let looks = Looks {
            hold: time(saved.hold)?,
            read_look: time(saved.read_look)?,
            presence_look: time(saved.presence_look)?,
        };
        let mut timers = Timers {
            wait,
            looks: Some(Box::new(looks)),
        };
        timers.release_looks();
        Ok(timers)
    }
}
