//! The state of a session, written down.
//!
//! A session whose login is being checked has no written form: the login is a future of this
//! process.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::ending::saved::{SavedEnding, parse_reason};
use super::member::saved::SavedMember;
use super::{Closed, Ending, Member, Owed, State};
use crate::actors::session::saved::error::{RestoreError, SaveError};

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

impl State {
    pub(in super::super) fn save(&self, now: Instant) -> Result<SavedState, SaveError> {
        Ok(match self {
            State::Greeting => SavedState::Greeting,
            State::LoggingIn { is_abandoned: _ } => return Err(SaveError::LoginPending),
            State::Ready(member) => SavedState::Ready(member.save()),
            State::Ending(ending) => SavedState::Ending(ending.save(now)),
            State::Closed(closed) => SavedState::Closed {
                member: closed.member.as_ref().map(Member::save),
                reason: closed.reason.as_str().to_owned(),
                owed: closed.owed,
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
            SavedState::Ending(ending) => State::Ending(Box::new(Ending::restore(ending, now)?)),
            SavedState::Closed {
                member,
                reason,
                owed,
            } => State::Closed(Box::new(Closed {
                member: member.map(Member::restore).transpose()?,
                reason: parse_reason(&reason)?,
                owed,
            })),
        })
    }
}
