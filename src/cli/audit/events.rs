//! Which record each event is.

use arauto::{AccountChange, Audit, AuditEvent, ErrorCode};

use super::AuditLog;
use super::pending::Repeating;
use super::record::{Fields, bounded};
use crate::admin::{AuditFigures, OperatorAct, OperatorAudit};

impl Audit for AuditLog {
    fn note(&self, event: &AuditEvent<'_>) {
        match *event {
            AuditEvent::LoggedIn { .. } => {
                let fields = session_fields(event);
                self.add(|pending, now| {
                    pending.push_repeating(Repeating::Login, "", &fields, now);
                });
            }
            AuditEvent::Refused { code, .. } => self.refuse(code.as_str(), &session_fields(event)),
            AuditEvent::Revoked { .. } => self.push("revoked", &session_fields(event)),
            AuditEvent::StopRequested { .. } => self.push("stop-requested", &session_fields(event)),
            AuditEvent::AccountChanged { user, change, .. } => {
                self.push("account", &account_fields(user, change));
            }
            AuditEvent::RuleChanged { .. } => self.push("rule", &rule_fields(event)),
            AuditEvent::FurtherChanges { count, .. } => {
                let count = Some(count);
                self.push(
                    "changes",
                    &Fields {
                        count,
                        ..Fields::default()
                    },
                );
            }
            _ => {} // an event of a later version, which has a record of its own there
        }
    }
}

impl OperatorAudit for AuditLog {
    fn act(&self, act: &OperatorAct<'_>) {
        let fields = Fields {
            act: Some(act.name),
            session: act.session.map(|session| session.0),
            peer: Some(act.peer),
            done: Some(act.is_done),
            reason: act.reason.map(bounded),
            ..Fields::default()
        };
        self.push("operator", &fields);
    }

    fn refused(&self, code: ErrorCode, reason: &str) {
        let fields = Fields {
            endpoint: Some("admin"),
            code: Some(code.as_str()),
            reason: Some(bounded(reason)),
            ..Fields::default()
        };
        self.refuse(code.as_str(), &fields);
    }

    fn figures(&self) -> AuditFigures {
        AuditLog::figures(self)
    }
}

impl AuditLog {
    fn push(&self, event: &'static str, fields: &Fields<'_>) {
        self.add(|pending, now| pending.push(event, fields, now));
    }

    fn refuse(&self, code: &'static str, fields: &Fields<'_>) {
        self.add(|pending, now| pending.push_repeating(Repeating::Refusal, code, fields, now));
    }
}

fn session_fields<'a>(event: &AuditEvent<'a>) -> Fields<'a> {
    let none = Fields::default();
    match *event {
        AuditEvent::LoggedIn {
            session,
            user,
            role,
            registered,
            endpoint,
            host,
            peer,
            ..
        } => Fields {
            session: Some(session.0),
            user: Some(user),
            role: Some(role.as_str()),
            registered: Some(registered),
            endpoint: Some(endpoint),
            host: Some(host),
            peer: Some(peer),
            ..none
        },
        AuditEvent::Refused {
            session,
            user,
            endpoint,
            host,
            code,
            reason,
            ..
        } => Fields {
            session: Some(session.0),
            user,
            endpoint: Some(endpoint),
            host: Some(host),
            code: Some(code.as_str()),
            reason: Some(bounded(reason)),
            ..none
        },
        AuditEvent::Revoked {
            session,
            user,
            endpoint,
            peer,
            reason,
            ..
        } => Fields {
            session: Some(session.0),
            user,
            endpoint: Some(endpoint),
            peer: Some(peer),
            reason: Some(bounded(reason)),
            ..none
        },
        AuditEvent::StopRequested {
            session,
            user,
            peer,
            now,
            ..
        } => Fields {
            session: Some(session.0),
            user,
            peer: Some(peer),
            now: Some(now),
            ..none
        },
        _ => none,
    }
}

fn account_fields(user: &str, change: AccountChange) -> Fields<'_> {
    let (change, role) = match change {
        AccountChange::Added(role) => ("added", Some(role)),
        AccountChange::Removed => ("removed", None),
        AccountChange::Invalid => ("invalid", None),
        AccountChange::Password => ("password", None),
        AccountChange::Role(role) => ("role", Some(role)),
        _ => ("other", None),
    };
    Fields {
        user: Some(user),
        change: Some(change),
        role: role.map(|role| role.as_str()),
        ..Fields::default()
    }
}

fn rule_fields<'a>(event: &AuditEvent<'a>) -> Fields<'a> {
    let AuditEvent::RuleChanged {
        user,
        is_added,
        kind,
        pattern,
        effect,
        ..
    } = *event
    else {
        return Fields::default();
    };
    Fields {
        user,
        change: Some(if is_added { "added" } else { "removed" }),
        kind: Some(kind),
        pattern: Some(bounded(pattern)),
        effect: Some(effect),
        ..Fields::default()
    }
}
