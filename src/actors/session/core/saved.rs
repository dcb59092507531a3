//! All that a session has decided, written down.
//!
//! Four things cannot be carried, and saving is refused until they are over: a login that is
//! being checked, a request whose handler runs, publishes on their way to the hub, a part in
//! services. Their results
//! come to this process, and their frames are answered here. Nothing is lost by waiting, as the
//! session admits no further frame meanwhile ([`super::work`]).

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::notice::{Notice, SavedNotice};
use super::policy::{Policy, SavedLimits, SessionLimits};
use super::state::State;
use super::state::saved::SavedState;
use super::tally::Tally;
use super::timers::Timers;
use super::timers::saved::SavedTimers;
use super::work::WorkQueue;
use super::{Core, Input};
use crate::actors::session::saved::error::{RestoreError, SaveError};
use crate::close::Evidence;
use crate::rate::{Bucket, SavedBucket};
use crate::wire::{Seq, SessionId};

/// The state of a [`Core`] without work, relative to the moment of writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedCore {
    session: SessionId,
    policy: Policy,
    limits: SavedLimits,
    is_journaled: bool,
    state: SavedState,
    timers: SavedTimers,
    tally: Tally,
    input: Input,
    bucket: Option<SavedBucket>,
    acked: Seq,
    evidence: Option<Evidence>,
    notice: Option<SavedNotice>,
    is_permit_withdrawn: bool,
    is_brief: bool,
    is_awaited: bool,
}

impl Core {
    pub(in super::super) fn session(&self) -> SessionId {
        self.session
    }

    pub(in super::super) fn policy(&self) -> Policy {
        self.policy
    }

    pub(in super::super) fn max_frame(&self) -> usize {
        self.limits.max_frame
    }

    /// Returns all of it in a form that another process can read.
    ///
    /// # Errors
    /// Something is under way that cannot be carried: try again once it is done.
    pub fn save(&self, now: Instant) -> Result<SavedCore, SaveError> {
        // A field that is added must be added here, or does not compile.
        let Core {
            session,
            policy,
            limits,
            is_journaled,
            state,
            run,
            work,
            timers,
            tally,
            input,
            bucket,
            acked,
            evidence,
            notice,
            services,
            is_permit_withdrawn,
            is_brief,
            is_awaited,
        } = self;
        let state = state.save(now)?;
        if run.is_some() {
            return Err(SaveError::PassOpen);
        }
        if !work.is_empty() || services.is_some() {
            return Err(SaveError::WorkPending);
        }
        Ok(SavedCore {
            session: *session,
            policy: *policy,
            limits: limits.save(),
            is_journaled: *is_journaled,
            state,
            timers: timers.save(now),
            tally: tally.clone(),
            input: *input,
            bucket: bucket.as_ref().map(|bucket| bucket.save(now)),
            acked: *acked,
            evidence: *evidence,
            notice: notice.as_ref().map(|notice| notice.save()),
            is_permit_withdrawn: *is_permit_withdrawn,
            is_brief: *is_brief,
            is_awaited: *is_awaited,
        })
    }

    /// Returns the core that was saved. The time since then has not passed for it.
    ///
    /// # Errors
    /// No server has written such a state.
    pub fn restore(saved: SavedCore, now: Instant) -> Result<Core, RestoreError> {
        if !saved.tally.is_possible() {
            return Err(RestoreError::Impossible("no session has such counts"));
        }
        let bucket = saved.bucket.map(|bucket| Bucket::restore(bucket, now));
        Ok(Core {
            session: saved.session,
            policy: saved.policy,
            limits: Arc::new(SessionLimits::restore(saved.limits)?),
            is_journaled: saved.is_journaled,
            state: State::restore(saved.state, now)?,
            run: None,
            work: WorkQueue::default(),
            timers: Timers::restore(saved.timers, now)?,
            tally: saved.tally,
            input: saved.input,
            bucket: bucket.transpose()?.map(Box::new),
            acked: saved.acked,
            evidence: saved.evidence,
            notice: saved.notice.map(|notice| Box::new(Notice::restore(notice))),
            services: None,
            is_permit_withdrawn: saved.is_permit_withdrawn,
            is_brief: saved.is_brief,
            is_awaited: saved.is_awaited,
        })
    }
}
