//! A login, from the claim to the first broadcast.

use std::borrow::Cow;
use std::time::Instant;

use super::Core;
use super::effects::{Effects, Entry, Event, LoginFailure};
use super::hears::{Hears, texts};
use super::publish::refuse;
use super::state::{Member, State};
use super::work::Purpose;
use crate::accounts::LoginRefusal;
use crate::close::CloseReason;
use crate::rate::Bucket;
use crate::wire::{ErrorCode, Gap, LoggedIn, Login, Seq, ServerFrame};

/// Wrong passwords after which a session ends.
const WRONG_PASSWORDS: u32 = 3;

impl Core {
    pub(super) fn log_in<E: Effects>(&mut self, login: &Login<'_>, fx: &mut E) {
        if let Err(error) = login.check() {
            refuse(fx, login.id, error.code, &error.message);
            return;
        }
        if let Some(problem) = self.filter_problem(&Hears::of(login)) {
            refuse(fx, login.id, ErrorCode::TooMany, &problem);
            return;
        }
        if !fx.identify() {
            let message = "this user of the machine has as many sessions as it may: end one first";
            self.refuse_session(login.id, message, fx);
            return;
        }
        self.state = State::LoggingIn {
            is_abandoned: false,
        };
        fx.log_in(login);
        self.work.push(Purpose::Login { id: login.id });
    }

    pub(super) fn conclude_login<E: Effects>(
        &mut self,
        id: u64,
        outcome: Result<Entry, LoginFailure>,
        now: Instant,
        fx: &mut E,
    ) {
        if !matches!(self.state, State::LoggingIn { .. }) {
            // The session has been ended meanwhile; the account, if it is new, exists all the
            // same.
            if let Ok(entry) = outcome {
                fx.leave(&entry.user);
            }
            refuse(fx, id, ErrorCode::Stopping, "the server is stopping");
            return;
        }
        self.state = State::Greeting;
        match outcome {
            Ok(entry) => self.enter(id, &entry, now, fx),
            Err(LoginFailure::Refused(refusal)) => {
                self.refuse_login(id, &refusal, fx);
                self.check_login(now, fx);
            }
            Err(LoginFailure::TooManySessions) => {
                let message = "this user has as many sessions as it may: end one first";
                self.refuse_session(id, message, fx);
            }
            Err(LoginFailure::TooManyCursors(limit)) => {
                let message = format!(
                    "this account has {limit} cursors, as many as it may have: have one removed"
                );
                refuse(fx, id, ErrorCode::TooMany, &message);
                self.check_login(now, fx);
            }
            Err(LoginFailure::Unannounced) => {
                let message = "the login cannot be announced, as the server's journal cannot be \
                               written: try again later";
                refuse(fx, id, ErrorCode::Internal, message);
                self.check_login(now, fx);
            }
        }
    }

    fn refuse_session<E: Effects>(&mut self, id: u64, message: &str, fx: &mut E) {
        refuse(fx, id, ErrorCode::TooManySessions, message);
        self.end(CloseReason::Error(ErrorCode::TooManySessions), fx);
    }

    fn enter<E: Effects>(&mut self, id: u64, entry: &Entry, now: Instant, fx: &mut E) {
        fx.log(Event::LoggedIn(entry));
        let rate = self.limits.request_rate;
        fx.enter(&entry.user);
        let filter = self.filter_left(&entry.hears, fx);
        fx.answer(&ServerFrame::LoggedIn(LoggedIn {
            id,
            user: Cow::Borrowed(entry.user.as_str()),
            role: entry.role,
            registered: entry.registered,
            stream: Cow::Borrowed(&entry.stream),
            seq: entry.after,
            term: Some(entry.term),
            request_rate: rate.map(|rate| rate.to_string().into()),
            filter: filter.as_deref().map(texts),
            cursor_new: entry.cursor_new,
        }));
        if let Some(newest) = entry.gap.filter(|newest| *newest > Seq::ZERO) {
            fx.answer(&ServerFrame::Gap(Gap {
                from: Seq::ZERO.next(),
                to: newest,
            }));
        }
        self.bucket = rate.map(|rate| Box::new(Bucket::full(rate, now)));
        self.state = State::Ready(Member::User(entry.user.clone()));
        fx.follow(entry.after, &entry.hears);
        if let Some(until) = entry.kept_until {
            fx.send_kept(entry.hears.filter.as_deref(), until);
        }
        self.wait_for_frames(now);
        // Only now is the session found by its user: a change of the account since the login
        // was checked is seen here.
        self.check_standing(fx);
    }

    /// Ends the session where its account grants it nothing any more, an operator has ended it, or
    /// another session has its cursor. Returns whether it does.
    pub fn check_standing<E: Effects>(&mut self, fx: &mut E) -> bool {
        // A login comes to its end first, and looks here then.
        if !matches!(self.state, State::Greeting | State::Ready(_)) {
            return false;
        }
        if let Some(why) = fx.revoked() {
            let message = why.to_string();
            fx.log(Event::Revoked(&why));
            self.fail(ErrorCode::Revoked, &message, fx);
            return true;
        }
        let is_superseded = fx.is_superseded();
        if is_superseded {
            fx.log(Event::Superseded);
            let message = "another session has logged in with this session's cursor";
            self.fail(ErrorCode::Superseded, message, fx);
        } else {
            self.check_offers(fx);
        }
        is_superseded
    }

    fn refuse_login<E: Effects>(&mut self, id: u64, refusal: &LoginRefusal, fx: &mut E) {
        let code = refusal_code(refusal);
        fx.log(Event::LoginRefused(code));
        match refusal {
            LoginRefusal::Throttled { wait, .. } => {
                let error = ServerFrame::throttled(Some(id), refusal.to_string(), *wait);
                fx.answer(&error);
            }
            _ => refuse(fx, id, code, &refusal.to_string()),
        }
        let is_wrong = code == ErrorCode::BadCredentials;
        if is_wrong && self.tally.bad_credentials() == WRONG_PASSWORDS {
            self.end(CloseReason::Error(code), fx);
        }
    }

    /// Notes that the permit of this client, which has not logged in, was given to another peer.
    pub fn withdraw_permit<E: Effects>(&mut self, now: Instant, fx: &mut E) {
        self.is_permit_withdrawn = true;
        self.check_login(now, fx);
    }

    /// Ends a session that waits in vain for its login. A login that is in work may still
    /// succeed; one that fails was the last.
    fn check_login<E: Effects>(&mut self, now: Instant, fx: &mut E) {
        if self.state == State::Greeting && self.is_permit_withdrawn {
            let message = "another client needs this connection's permit: log in sooner, or open fewer connections";
            self.fail(ErrorCode::TooManySessions, message, fx);
        } else {
            self.timers.judge_login(now);
        }
    }
}

fn refusal_code(refusal: &LoginRefusal) -> ErrorCode {
    match refusal {
        LoginRefusal::BadName(_) => ErrorCode::BadName,
        LoginRefusal::BadCredentials => ErrorCode::BadCredentials,
        LoginRefusal::RegistrationClosed | LoginRefusal::AccountLimitReached => {
            ErrorCode::RegistrationClosed
        }
        LoginRefusal::CertificateMismatch { .. } | LoginRefusal::InvalidAccount => {
            ErrorCode::Forbidden
        }
        LoginRefusal::Throttled { .. } => ErrorCode::Throttled,
        LoginRefusal::Draining | LoginRefusal::Stopping => ErrorCode::Stopping,
        LoginRefusal::Internal | LoginRefusal::Abandoned | LoginRefusal::AccountsUnreadable => {
            ErrorCode::Internal
        }
    }
}
