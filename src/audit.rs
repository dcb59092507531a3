//! Events for an audit log: logins, refusals, and changes of accounts and rules.
//!
//! Sessions and accounts tell them to an [`Audit`], which the program around the server brings
//! ([`Config::audit`](crate::Config::audit)). Without one an event costs a comparison. No event has
//! a password or a hash, nor text that a client sent before its login: people type passwords in
//! place of names.

use std::fmt;
use std::sync::Arc;

use crate::wire::{ErrorCode, Role, SessionId};

/// Keeps account of what concerns an operator.
pub trait Audit: Send + Sync + 'static {
    /// Takes an event. It is called on the threads of sessions and of the database, so it must not
    /// block.
    fn note(&self, event: &AuditEvent<'_>);
}

/// Something that concerns an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditEvent<'a> {
    /// A user has logged in.
    #[non_exhaustive]
    LoggedIn {
        /// The session.
        session: SessionId,
        /// The user.
        user: &'a str,
        /// The user's role at this moment.
        role: Role,
        /// Whether the login has created the account.
        registered: bool,
        /// The endpoint that the client connected to.
        endpoint: &'a str,
        /// The identity by which limits count the client.
        host: &'a str,
        /// The client's process and user, or its address.
        peer: &'a str,
    },
    /// A client was refused a connection, a login, or a frame that it may not send.
    #[non_exhaustive]
    Refused {
        /// The session.
        session: SessionId,
        /// The session's user. Before a login: the account that the client named, if it exists.
        user: Option<&'a str>,
        /// The endpoint that the client connected to.
        endpoint: &'a str,
        /// The identity by which limits count the client.
        host: &'a str,
        /// The code that the client was told.
        code: ErrorCode,
        /// The reason that the client was told. Before a login it has no text of the client.
        reason: &'a str,
    },
    /// A session ends because its account grants it nothing any more, or because an operator says so.
    #[non_exhaustive]
    Revoked {
        /// The session.
        session: SessionId,
        /// The session's user, if it has logged in.
        user: Option<&'a str>,
        /// The endpoint that the client connected to.
        endpoint: &'a str,
        /// The client's process and user, or its address.
        peer: &'a str,
        /// The reason that the client is told.
        reason: &'a str,
    },
    /// A client that may do so has asked the server to stop.
    #[non_exhaustive]
    StopRequested {
        /// The session.
        session: SessionId,
        /// The session's user; `None` for a process of the server's own user without a login.
        user: Option<&'a str>,
        /// The client's process and user, or its address.
        peer: &'a str,
        /// Whether the drain is skipped.
        now: bool,
    },
    /// Another process has changed an account.
    #[non_exhaustive]
    AccountChanged {
        /// The user.
        user: &'a str,
        /// The change.
        change: AccountChange,
    },
    /// Another process has added or removed a rule.
    #[non_exhaustive]
    RuleChanged {
        /// The user of the account that the rule is about; `None` for a rule for all accounts.
        user: Option<&'a str>,
        /// Whether the rule was added; otherwise it was removed.
        is_added: bool,
        /// The use that the rule is about, as `publish`.
        kind: &'a str,
        /// The topics or services that the rule is about.
        pattern: &'a str,
        /// `allow` or `deny`.
        effect: &'a str,
    },
    /// One reading of the database has shown further changes, which are not told one by one.
    #[non_exhaustive]
    FurtherChanges {
        /// Their number.
        count: u64,
    },
}

/// A change of an account by another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountChange {
    /// It was added, or has become valid again, with this role.
    Added(Role),
    /// It was removed.
    Removed,
    /// Its record has become invalid: nobody can log in with it.
    Invalid,
    /// Its password is another one.
    Password,
    /// Its role is now this one.
    Role(Role),
}

/// Where events go. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct AuditSink(Option<Arc<dyn Audit>>);

impl AuditSink {
    /// Returns a sink that passes events on to this one; `None`: events are dropped.
    pub(crate) fn new(audit: Option<Arc<dyn Audit>>) -> AuditSink {
        AuditSink(audit)
    }

    /// Whether somebody takes the events.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Passes an event on.
    pub(crate) fn note(&self, event: &AuditEvent<'_>) {
        if let Some(audit) = &self.0 {
            audit.note(event);
        }
    }
}

impl fmt::Debug for AuditSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditSink(is_on: {})", self.is_on())
    }
}
