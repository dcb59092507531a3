//! A login, from the claim to the first broadcast.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use super::state::{Member, State};
use super::work::{Done, Entry, LoginFailure};
use super::{ListenerContext, Session};
use crate::accounts::{Admitted, Claim, PeerId, Refusal};
use crate::actors::auth;
use crate::actors::hub::{Join, Joined};
use crate::actors::link::Link;
use crate::close::CloseReason;
use crate::log::Log;
use crate::rate::Bucket;
use crate::wire::{ErrorCode, Gap, LoggedIn, Login, Seq, ServerFrame, Term};

/// Where an earlier session stopped reading.
struct Place {
    stream: String,
    after: Seq,
    term: Option<Term>,
}

impl<L: Link + 'static> Session<L> {
    pub(super) fn log_in(&mut self, login: &Login<'_>) {
        if !self.identify() {
            let message = "this user of the machine has as many sessions as it may: end one first";
            self.refuse(login.id, ErrorCode::TooManySessions, message);
            self.end(CloseReason::Error(ErrorCode::TooManySessions));
            return;
        }
        let asker = Arc::new(());
        let claim = Claim {
            asker: Some(Arc::downgrade(&asker)),
            user: login.user.clone().into_owned(),
            password: login.password.clone().into_owned(),
            vouched: self.outlet.link_ref().vouched_name(),
            may_register: self.listener.may_register,
            peer: self.peer.clone(),
        };
        let resume = login.resume.as_ref();
        let resume = resume.map(|resume| Place {
            stream: resume.stream.clone().into_owned(),
            after: resume.after,
            term: resume.term,
        });
        let (id, listener) = (login.id, Arc::clone(&self.listener));
        self.state = State::LoggingIn;
        self.asker = Some(asker);
        self.begin(0, async move {
            let outcome = match listener.auth.send(auth::Login(claim)).await {
                Ok(Ok(admitted)) => announce_login(&listener, admitted, resume).await,
                Ok(Err(refusal)) => Err(LoginFailure::Refused(refusal)),
                Err(_) => Err(LoginFailure::Refused(Refusal::Internal)),
            };
            Done::Login { id, outcome }
        });
    }

    /// Looks who the client is, where that could not be known before it sent something.
    /// Whether there is a place for that peer.
    fn identify(&mut self) -> bool {
        if self.peer != PeerId::Local {
            return true;
        }
        let Some(late) = self.outlet.link_ref().late_peer() else {
            return true;
        };
        if late.id != PeerId::Local && !self.places.count_as(&self.listener.peers, late.id.clone())
        {
            return false;
        }
        (self.peer, self.is_own_user) = (late.id, late.is_own_user);
        self.info.set_peer(late.name);
        true
    }

    pub(super) fn conclude_login(&mut self, id: u64, outcome: Result<Entry, LoginFailure>) {
        self.asker = None;
        if !matches!(self.state, State::LoggingIn) {
            // The session has been ended meanwhile; the account, if it is new,
            // exists all the same.
            if let Ok(entry) = outcome {
                self.leave(&entry.admitted.user);
            }
            self.refuse(id, ErrorCode::Stopping, "the server is stopping");
            return;
        }
        self.state = State::Greeting;
        match outcome {
            Ok(entry) => self.enter(id, entry),
            Err(LoginFailure::Refused(refusal)) => self.turn_down(id, &refusal),
            Err(LoginFailure::NoPlace) => {
                let message = "this user has as many sessions as it may: end one first";
                self.refuse(id, ErrorCode::TooManySessions, message);
                self.end(CloseReason::Error(ErrorCode::TooManySessions));
            }
            Err(LoginFailure::Unannounced) => {
                let message = "the login cannot be announced, as the server's journal cannot be \
                               written: try again later";
                self.refuse(id, ErrorCode::Internal, message);
                self.check_login();
            }
        }
    }

    fn enter(&mut self, id: u64, entry: Entry) {
        let Admitted {
            user,
            standing,
            registered,
        } = entry.admitted;
        let role = standing.role();
        if self.listener.log_limit.admits_login(&self.peer) {
            tracing::info!(
                session = %self.info.id,
                user = %user,
                role = %role,
                registered,
                endpoint = %self.info.endpoint,
                peer = %self.info.peer(),
                "logged in"
            );
        }
        self.outlet.answer(&ServerFrame::LoggedIn(LoggedIn {
            id,
            user: Cow::Borrowed(user.as_str()),
            role,
            registered,
            stream: Cow::Borrowed(self.listener.log.stream()),
            seq: entry.after,
            term: Some(self.listener.log.terms().current()),
            request_rate: self
                .listener
                .limits
                .request_rate
                .map(|rate| rate.to_string().into()),
        }));
        if let Some(newest) = entry.gap.filter(|newest| *newest > Seq::ZERO) {
            self.outlet.answer(&ServerFrame::Gap(Gap {
                from: Seq::ZERO.next(),
                to: newest,
            }));
        }
        let rate = self.listener.limits.request_rate;
        self.bucket = rate.map(|rate| Box::new(Bucket::full(rate, Instant::now())));
        self.follow(entry.after, user.shared());
        self.info.set_user(user.clone());
        self.state = State::Ready(Member::User { user, standing });
        self.user_place = Some(entry.place);
        self.places.log_in();
        // Only now is the session found by its user: what was revoked since the login was
        // checked is seen here.
        self.check_standing();
    }

    /// Ends the session where its account grants it nothing any more.
    pub(super) fn check_standing(&mut self) {
        let State::Ready(Member::User { user, standing }) = &self.state else {
            return;
        };
        let Some(why) = standing.revoked() else {
            return;
        };
        tracing::info!(session = %self.info.id, %user, %why, "session revoked");
        self.fail(ErrorCode::Revoked, &why.to_string());
        self.wake();
    }

    fn turn_down(&mut self, id: u64, refusal: &Refusal) {
        let code = refusal_code(refusal);
        let (session, peer) = (self.info.id, self.info.peer());
        if code == ErrorCode::Throttled || !self.listener.log_limit.admits_bad_input(&self.peer) {
            tracing::debug!(%session, %peer, %code, "login refused");
        } else {
            tracing::info!(%session, %peer, %code, "login refused");
        }
        match refusal {
            Refusal::Throttled { wait, .. } => {
                let error = ServerFrame::throttled(Some(id), refusal.to_string(), *wait);
                self.outlet.answer(&error);
            }
            _ => self.refuse(id, code, &refusal.to_string()),
        }
        if code == ErrorCode::BadCredentials {
            self.tally.bad_credentials += 1;
            if self.tally.bad_credentials == 3 {
                self.end(CloseReason::Error(code));
            }
        }
        self.check_login();
    }
}

/// Takes one of the user's places and has the login announced.
async fn announce_login(
    listener: &ListenerContext,
    admitted: Admitted,
    resume: Option<Place>,
) -> Result<Entry, LoginFailure> {
    let place = listener.users.enter(admitted.user.clone());
    let place = place.ok_or(LoginFailure::NoPlace)?;
    match listener.hub.send(Join(admitted.user.clone())).await {
        Ok(Ok(joined)) => {
            let (after, gap) = begin_after(&listener.log, joined, resume.as_ref());
            Ok(Entry {
                admitted,
                place,
                after,
                gap,
            })
        }
        Ok(Err(_)) => Err(LoginFailure::Unannounced),
        Err(_) => Err(LoginFailure::Refused(Refusal::Internal)),
    }
}

/// Returns the seq behind which a session's broadcasts begin and, where its resume cannot be
/// honoured, the end of the gap that tells so.
fn begin_after(log: &Log, joined: Joined, resume: Option<&Place>) -> (Seq, Option<Seq>) {
    let Some(place) = resume else {
        return (joined.head, None);
    };
    match place.term {
        _ if place.stream != log.stream() => (joined.head, Some(joined.head)),
        // Below `after`: what the client has above that is not in this history.
        Some(term) => (
            log.terms().resume_from(place.after, term, joined.before),
            None,
        ),
        None if place.after <= joined.before => (place.after, None),
        None => (joined.head, Some(joined.head)),
    }
}

fn refusal_code(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::BadName(_) => ErrorCode::BadName,
        Refusal::BadCredentials => ErrorCode::BadCredentials,
        Refusal::RegistrationClosed | Refusal::NoMoreAccounts => ErrorCode::RegistrationClosed,
        Refusal::VouchedForAnother { .. } | Refusal::Unusable => ErrorCode::Forbidden,
        Refusal::Throttled { .. } => ErrorCode::Throttled,
        Refusal::Stopping => ErrorCode::Stopping,
        Refusal::Internal | Refusal::Abandoned | Refusal::AccountsUnreadable => ErrorCode::Internal,
    }
}
