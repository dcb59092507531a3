//! A session's events for the audit log.
//!
//! Refusals are found where clients are told of them, so that none is forgotten.

use std::borrow::Cow;

use super::core::effects::Event;
use crate::accounts::{AccountNames, PeerId, UserName};
use crate::actors::supervisor::SessionInfo;
use crate::audit::{AuditEvent, AuditSink};
use crate::wire::{ErrorCode, ErrorFrame};

/// Passes on what concerns an audit log.
pub(super) fn note(event: &Event<'_>, info: &SessionInfo, peer: &PeerId, audit: &AuditSink) {
    if !audit.is_on() {
        return;
    }
    let (session, endpoint) = (info.id, &*info.endpoint);
    let user = info.user();
    let user = user.as_ref().map(UserName::as_str);
    match *event {
        Event::LoggedIn(entry) => audit.note(&AuditEvent::LoggedIn {
            session,
            user: entry.user.as_str(),
            role: entry.role,
            registered: entry.registered,
            endpoint,
            host: &peer.to_string(),
            peer: info.peer(),
        }),
        Event::Revoked(why) => audit.note(&AuditEvent::Revoked {
            session,
            user,
            endpoint,
            peer: info.peer(),
            reason: &why.to_string(),
        }),
        Event::ShutdownRequested { now, .. } => audit.note(&AuditEvent::StopRequested {
            session,
            user,
            peer: info.peer(),
            now,
        }),
        Event::LoginRefused(_) | Event::BadInput(_) | Event::Superseded | Event::NotReadInTime => {}
    }
}

/// A client as far as it is known without a login.
pub(super) struct Claimant<'a> {
    pub(super) peer: &'a PeerId,
    /// The name that its last login has claimed.
    pub(super) claimed: Option<&'a UserName>,
    pub(super) names: &'a AccountNames,
}

impl<'a> Claimant<'a> {
    /// Returns the account that it has named. A name without an account may be a password. It is looked
    /// up now, as the login has read the accounts again.
    fn account(&self) -> Option<&'a UserName> {
        self.claimed.filter(|name| self.names.has(name.as_str()))
    }
}

/// Passes an error on if it refuses something.
pub(super) fn note_error(
    error: &ErrorFrame<'_>,
    info: &SessionInfo,
    client: &Claimant<'_>,
    audit: &AuditSink,
) {
    if !audit.is_on() || !is_refusal(error.code) {
        return;
    }
    let user = info.user();
    let reason = match &user {
        Some(_) => Cow::Borrowed(&*error.message),
        None => Cow::Owned(without_quotations(&error.message)),
    };
    audit.note(&AuditEvent::Refused {
        session: info.id,
        user: user.as_ref().or(client.account()).map(UserName::as_str),
        endpoint: &info.endpoint,
        host: &client.peer.to_string(),
        code: error.code,
        reason: &reason,
    });
}

/// Returns the name that a login claims, if it will be needed.
pub(super) fn claimed(name: &str, audit: &AuditSink) -> Option<UserName> {
    match audit.is_on() {
        true => UserName::parse(name).ok(),
        false => None,
    }
}

/// Whether an error with this code says that a client may not do something, now or ever.
fn is_refusal(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::NotLoggedIn
            | ErrorCode::BadName
            | ErrorCode::BadCredentials
            | ErrorCode::RegistrationClosed
            | ErrorCode::Forbidden
            | ErrorCode::Throttled
            | ErrorCode::LoginTimeout
            | ErrorCode::TooManySessions
    )
}

/// Returns the text without what is between quotation marks, which the client has sent.
fn without_quotations(text: &str) -> String {
    let Some((before, quoted)) = text.split_once('"') else {
        return text.to_owned();
    };
    // Everything up to the last mark goes. With an odd number of marks it is not clear which one
    // ends a quotation, so that nothing behind the first stays.
    let is_closed = text.matches('"').count().is_multiple_of(2);
    let after = quoted.rsplit_once('"').filter(|_| is_closed);
    format!("{before}\"…\"{}", after.map_or("", |(_, after)| after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_are_left_out_as_a_whole() {
        let text = "the certificate is for \"ana\", and \"segredo\" cannot log in";
        let cleaned = without_quotations(text);
        assert_eq!(cleaned, "the certificate is for \"…\" cannot log in");
        assert_eq!(without_quotations("log in first"), "log in first");
        assert_eq!(without_quotations("a \"segredo"), "a \"…\"");
        assert_eq!(without_quotations("a \"x\\\"y\" b"), "a \"…\"");
    }
}
