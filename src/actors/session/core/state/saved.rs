//! The state of a session, written down.
//!
//! A session whose login is being checked has no written form: the login is a future of this
//! process.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Ending, Member, Owed, State, Step};
use crate::accounts::UserName;
use crate::actors::session::core::timers::LAST_READ_LOOK;
use crate::actors::session::saved::error::{RestoreError, SaveError};
use crate::close::CloseReason;
use crate::saved_time::SavedTime;
use crate::wire::ErrorCode;

/// The state of a session that can be handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SavedState {
    Greeting,
    Ready(SavedMember),
    Ending(SavedEnding),
    Closed {
        member: Option<SavedMember>,
        reason: String,
        owed: Owed,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SavedMember {
    User(String),
    Nameless,
}

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

impl State {
    pub(in super::super) fn save(&self, now: Instant) -> Result<SavedState, SaveError> {
        Ok(match self {
            State::Greeting => SavedState::Greeting,
            State::LoggingIn { is_abandoned: _ } => return Err(SaveError::LoginPending),
            State::Ready(member) => SavedState::Ready(member.save()),
            State::Ending(ending) => SavedState::Ending(ending.save(now)),
            State::Closed {
                member,
                reason,
                owed,
            } => SavedState::Closed {
                member: member.as_ref().map(Member::save),
                reason: reason.as_str().to_owned(),
                owed: *owed,
            },
        })
    }

    pub(in super::super) fn restore(
        saved: SavedState,
        now: Instant,
    ) -> Result<State, RestoreError> {
        Ok(match saved {
            SavedState::Greeting => State::Greeting,
            SavedState::Ready(member) => State::Ready(Member::restore(member)?),
            SavedState::Ending(ending) => State::Ending(Ending::restore(ending, now)?),
            SavedState::Closed {
                member,
                reason,
                owed,
            } => State::Closed {
                member: member.map(Member::restore).transpose()?,
                reason: parse_reason(&reason)?,
                owed,
            },
        })
    }
}

impl Member {
    fn save(&self) -> SavedMember {
        match self {
            Member::User(user) => SavedMember::User(user.as_str().to_owned()),
            Member::Nameless => SavedMember::Nameless,
        }
    }

    fn restore(saved: SavedMember) -> Result<Member, RestoreError> {
        let text = match saved {
            SavedMember::Nameless => return Ok(Member::Nameless),
            SavedMember::User(text) => text,
        };
        match UserName::parse(&text) {
            Ok(user) if user.as_str() == text => Ok(Member::User(user)),
            _ => Err(RestoreError::Impossible("a user has no such name")),
        }
    }
}

impl Ending {
    fn save(&self, now: Instant) -> SavedEnding {
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

    fn restore(saved: SavedEnding, now: Instant) -> Result<Ending, RestoreError> {
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
fn parse_reason(name: &str) -> Result<CloseReason, RestoreError> {
    let plain = [
        CloseReason::Fim,
        CloseReason::Shutdown,
        CloseReason::Disconnected,
        CloseReason::Lost,
    ];
    let errors = ErrorCode::ALL.iter().copied().map(CloseReason::Error);
    let mut known = plain.into_iter().chain(errors);
    let reason = known.find(|reason| reason.as_str() == name);
    reason.ok_or(RestoreError::Impossible(
        "a session ends for no such reason",
    ))
}
