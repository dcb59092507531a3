//! A login's way through auth and the hub, outside of the session.

use std::sync::Arc;

use super::core::effects::{Done, Entry, LoginFailure};
use super::core::hears::Hears;
use super::listener_context::ListenerContext;
use crate::accounts::{Admitted, Authorization, Claim, LoginRefusal, UserName};
use crate::actors::auth;
use crate::actors::hub::{
    CheckCursor, CursorLease, CursorRefusal, Join, Joined, Leave, OpenCursor, OpenedCursor,
};
use crate::actors::permits::KeyedPermit;
use crate::actors::supervisor::Superseded;
use crate::log::Log;
use crate::wire::{Login, Seq, SessionId, Term};

/// The user's permit and authorization, which a session holds from the login to its end.
pub(super) struct Entrance {
    pub(super) authorization: Authorization,
    cursor: Option<CursorLease>,
    /// One of the user's permits.
    _permit: KeyedPermit<UserName>,
}

impl Entrance {
    /// Returns the session's cursor.
    pub(super) fn cursor(&self) -> Option<&CursorLease> {
        self.cursor.as_ref()
    }
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
    cursor: Option<Arc<str>>,
}

impl Wanted {
    /// Returns what a login asks for, which must have been checked.
    pub(super) fn of(login: &Login<'_>) -> Wanted {
        let options = login.options.as_deref();
        Wanted {
            resume: ResumeFrom::of(login),
            hears: Hears::of(login),
            cursor: options.and_then(|options| options.cursor.as_deref().map(Arc::from)),
            wants_kept: options.is_some_and(|options| options.kept == Some(true)),
        }
    }
}

/// Has a claim checked, takes one of the user's permits, and has the login announced.
pub(super) async fn log_in(
    listener: Arc<ListenerContext>,
    claim: Claim,
    wanted: Wanted,
    session: SessionId,
) -> (Done, Option<Entrance>) {
    match try_log_in(&listener, claim, wanted, session).await {
        Ok((entry, entrance)) => (Done::Login(Ok(entry)), Some(entrance)),
        Err(failure) => (Done::Login(Err(failure)), None),
    }
}

async fn try_log_in(
    listener: &ListenerContext,
    claim: Claim,
    wanted: Wanted,
    session: SessionId,
) -> Result<(Entry, Entrance), LoginFailure> {
    let is_gone = || LoginFailure::Refused(LoginRefusal::Internal);
    if listener.draining.is_on() {
        return Err(LoginFailure::Refused(LoginRefusal::Draining));
    }
    let checked = listener.auth.send(auth::Login(claim)).await;
    let admitted = checked
        .map_err(|_| is_gone())?
        .map_err(LoginFailure::Refused)?;
    let Admitted {
        user,
        authorization,
        registered,
    } = admitted;
    let permit = listener.users.acquire(user);
    let permit = permit.ok_or(LoginFailure::TooManySessions)?;
    let user = permit.key().clone();
    if let Some(name) = wanted.cursor.clone() {
        let user = user.clone();
        let checked = listener.hub.addr().send(CheckCursor { user, name }).await;
        checked.map_err(|_| is_gone())?.map_err(cursor_failure)?;
    }
    let joined = listener.hub.addr().send(Join(user.clone())).await;
    let joined = joined
        .map_err(|_| is_gone())?
        .map_err(|_| LoginFailure::Unannounced)?;
    let log = &listener.log;
    let opened = match wanted.cursor {
        None => None,
        Some(name) => Some(open_cursor(listener, &user, name, session, joined.head).await?),
    };
    let (after, gap) = match &opened {
        Some(opened) => (opened.begin, opened.gap),
        None => begin_after(log, joined, wanted.resume.as_ref()),
    };
    let cursor_new = opened.as_ref().is_some_and(|opened| opened.is_new);
    // Behind a resume, the values are those at the head: what the client reads before is older.
    let is_resume = wanted.resume.is_some() || (opened.is_some() && !cursor_new);
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
        cursor_new,
    };
    let entrance = Entrance {
        authorization,
        cursor: opened.map(|opened| opened.lease),
        _permit: permit,
    };
    Ok((entry, entrance))
}

/// Has the hub give the session its cursor, behind `head` if it is new. On a failure the hub is told
/// that the session is over.
async fn open_cursor(
    listener: &ListenerContext,
    user: &UserName,
    name: Arc<str>,
    session: SessionId,
    head: Seq,
) -> Result<OpenedCursor, LoginFailure> {
    let supervisor = listener.supervisor.clone();
    let open = OpenCursor {
        user: user.clone(),
        name,
        session,
        head,
        on_superseded: Box::new(move || supervisor.do_send(Superseded(session))),
    };
    let opened = listener.hub.addr().send(open).await;
    let failure = match opened {
        Ok(Ok(opened)) => return Ok(opened),
        Ok(Err(refusal)) => cursor_failure(refusal),
        Err(_) => LoginFailure::Refused(LoginRefusal::Internal),
    };
    listener.hub.addr().do_send(Leave(user.clone()));
    Err(failure)
}

fn cursor_failure(refusal: CursorRefusal) -> LoginFailure {
    match refusal {
        CursorRefusal::TooMany(limit) => LoginFailure::TooManyCursors(limit),
        CursorRefusal::Unwritten => LoginFailure::Unannounced,
    }
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
