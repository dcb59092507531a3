//! The end of a session, written down.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Ending, Step};
use crate::actors::session::core::state::member::Member;
use crate::actors::session::core::state::member::saved::SavedMember;
use crate::actors::session::core::timers::LAST_READ_LOOK;
use crate::actors::session::saved::error::RestoreError;
use crate::close::CloseReason;
use crate::saved_time::SavedTime;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedEnding {
    member: Option<SavedMember>,
    reason: String,
    step: Step,
    has_failed_in_stop: bool,
    is_ordered: bool,
    may_linger: bool,
    linger_until: Option<SavedTime>,
    has_deadline: bool,
    last_look: Option<Duration>,
}

impl Ending {
    pub(in crate::actors::session::core::state) fn save(&self, now: Instant) -> SavedEnding {
        let Ending {
            member,
            reason,
            step,
            has_failed_in_stop,
            is_ordered,
            may_linger,
            linger_until,
            has_deadline,
            last_look,
        } = self;
        SavedEnding {
            member: member.as_ref().map(Member::save),
            reason: reason.as_str().to_owned(),
            step: *step,
            has_failed_in_stop: *has_failed_in_stop,
            is_ordered: *is_ordered,
            may_linger: *may_linger,
            linger_until: linger_until.map(|until| SavedTime::save(until, now)),
            has_deadline: *has_deadline,
            last_look: *last_look,
        }
    }

    pub(in crate::actors::session::core::state) fn restore(
        saved: SavedEnding,
        now: Instant,
    ) -> Result<Ending, RestoreError> {
        if saved.last_look.is_some_and(|last| last > LAST_READ_LOOK) {
            return Err(RestoreError::Impossible("looks are not that rare"));
        }
        let linger_until = saved.linger_until.map(|until| until.restore(now));
        Ok(Ending {
            member: saved.member.map(Member::restore).transpose()?,
            reason: parse_reason(&saved.reason)?,
            step: saved.step,
            has_failed_in_stop: saved.has_failed_in_stop,
            is_ordered: saved.is_ordered,
            may_linger: saved.may_linger,
            linger_until: linger_until.transpose()?,
            has_deadline: saved.has_deadline,
            last_look: saved.last_look,
        })
    }
}

/// Returns the reason with this name.
pub(in crate::actors::session::core::state) fn parse_reason(
    name: &str,
) -> Result<CloseReason, RestoreError> {
    let unknown = |_| RestoreError::Impossible("a session ends for no such reason");
    name.parse().map_err(unknown)
}
