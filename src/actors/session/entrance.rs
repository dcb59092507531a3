//! A login's way through auth and the hub, outside of the session.

use std::sync::Arc;

use super::core::effects::{Done, Entry, LoginFailure};
use super::listener_context::ListenerContext;
use crate::accounts::{Admitted, Authorization, Claim, LoginRefusal, UserName};
use crate::actors::auth;
use crate::actors::hub::{Join, Joined};
use crate::actors::permits::KeyedPermit;
use crate::log::Log;
use crate::wire::{Login, Seq, Term};

/// The user's permit and authorization, which a session holds from the login to its end.
pub(super) struct Entrance {
    pub(super) authorization: Authorization,
    /// One of the user's permits.
    _permit: KeyedPermit<UserName>,
}

/// Where an earlier session stopped reading.
pub(super) struct ResumeFrom {
    stream: String,
    after: Seq,
    term: Option<Term>,
}

impl ResumeFrom {
    pub(super) fn of(login: &Login<'_>) -> Option<ResumeFrom> {
        login.resume.as_ref().map(|resume| ResumeFrom {
            stream: resume.stream.clone().into_owned(),
            after: resume.after,
            term: resume.term,
        })
    }
}

/// Has a claim checked, takes one of the user's permits, and has the login announced.
pub(super) async fn log_in(
    listener: Arc<ListenerContext>,
    claim: Claim,
    resume: Option<ResumeFrom>,
) -> (Done, Option<Entrance>) {
    match try_log_in(&listener, claim, resume).await {
        Ok((entry, entrance)) => (Done::Login(Ok(entry)), Some(entrance)),
        Err(failure) => (Done::Login(Err(failure)), None),
    }
}

async fn try_log_in(
    listener: &ListenerContext,
    claim: Claim,
    resume: Option<ResumeFrom>,
) -> Result<(Entry, Entrance), LoginFailure> {
    let is_gone = || LoginFailure::Refused(LoginRefusal::Internal);
    let checked = listener.auth.send(auth::Login(claim)).await;
    let admitted = checked
        .map_err(|_| is_gone())?
        .map_err(LoginFailure::Refused)?;
    let Admitted {
        user,
        authorization,
        registered,
    } = admitted;
    let permit = listener.users.acquire(user.clone());
    let permit = permit.ok_or(LoginFailure::TooManySessions)?;
    let joined = listener.hub.addr().send(Join(user.clone())).await;
    let joined = joined
        .map_err(|_| is_gone())?
        .map_err(|_| LoginFailure::Unannounced)?;
    let log = &listener.log;
    let (after, gap) = begin_after(log, joined, resume.as_ref());
    let entry = Entry {
        user,
        role: authorization.role(),
        registered,
        stream: log.stream().to_owned(),
        term: log.terms().current(),
        after,
        gap,
    };
    let entrance = Entrance {
        authorization,
        _permit: permit,
    };
    Ok((entry, entrance))
}

/// Returns the seq behind which a session's broadcasts begin and, where its resume cannot be
/// honoured, the end of the gap that tells so.
fn begin_after(log: &Log, joined: Joined, resume: Option<&ResumeFrom>) -> (Seq, Option<Seq>) {
    let Some(resume) = resume else {
        return (joined.head, None);
    };
    match resume.term {
        _ if resume.stream != log.stream() => (joined.head, Some(joined.head)),
        // Below `after`: what the client has above that is not in this history.
        Some(term) => {
            let from = log.terms().resume_from(resume.after, term, joined.before);
            (from, None)
        }
        None if resume.after <= joined.before => (resume.after, None),
        None => (joined.head, Some(joined.head)),
    }
}
