//! A login's way through auth and the hub, outside of the session.

use std::sync::Arc;

use super::core::effects::{Done, Entry, LoginFailure};
use super::core::hears::Hears;
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
struct ResumeFrom {
    stream: String,
    after: Seq,
    term: Option<Term>,
}

impl ResumeFrom {
    fn of(login: &Login<'_>) -> Option<ResumeFrom> {
        login.resume.as_ref().map(|resume| ResumeFrom {
            stream: resume.stream.clone().into_owned(),
            after: resume.after,
            term: resume.term,
        })
    }
}

/// The broadcasts that a login asks for, and where they begin.
pub(super) struct Wanted {
    resume: Option<ResumeFrom>,
    hears: Hears,
    wants_kept: bool,
}

impl Wanted {
    /// Returns what a login asks for, which must have been checked.
    pub(super) fn of(login: &Login<'_>) -> Wanted {
        let options = login.options.as_deref();
        Wanted {
            resume: ResumeFrom::of(login),
            hears: Hears::of(login),
            wants_kept: options.is_some_and(|options| options.kept == Some(true)),
        }
    }
}

/// Has a claim checked, takes one of the user's permits, and has the login announced.
pub(super) async fn log_in(
    listener: Arc<ListenerContext>,
    claim: Claim,
    wanted: Wanted,
) -> (Done, Option<Entrance>) {
    match try_log_in(&listener, claim, wanted).await {
        Ok((entry, entrance)) => (Done::Login(Ok(entry)), Some(entrance)),
        Err(failure) => (Done::Login(Err(failure)), None),
    }
}

async fn try_log_in(
    listener: &ListenerContext,
    claim: Claim,
    wanted: Wanted,
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
    let (after, gap) = begin_after(log, joined, wanted.resume.as_ref());
    // Behind a resume, the values are those at the head: what the client reads before is older.
    let is_resume = wanted.resume.is_some();
    let kept_until = if is_resume { Seq(u64::MAX) } else { after };
    let entry = Entry {
        user,
        role: authorization.role(),
        registered,
        stream: log.stream().to_owned(),
        term: log.terms().current(),
        after,
        gap,
        hears: wanted.hears,
        kept_until: wanted.wants_kept.then_some(kept_until),
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
