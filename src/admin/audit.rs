//! The audit log, as the admin endpoint uses it: it notes what operators do there, and tells whether
//! the log is written.

use std::fmt;
use std::sync::Arc;

use arauto::{ErrorCode, SessionId};

/// Keeps account of what operators do.
pub(crate) trait OperatorAudit: Send + Sync {
    /// Notes an act. It does not block.
    fn act(&self, act: &OperatorAct<'_>);

    /// Notes that a request was refused. It does not block.
    fn refused(&self, code: ErrorCode, reason: &str);

    /// Returns how the log is.
    fn figures(&self) -> AuditFigures;
}

/// Something that an operator has asked for.
#[derive(Debug)]
pub(crate) struct OperatorAct<'a> {
    /// The act.
    pub(crate) name: &'static str,
    /// The session that it is about.
    pub(crate) session: Option<SessionId>,
    /// The reason that the operator has given.
    pub(crate) reason: Option<&'a str>,
    /// The operator's process and user, or the address.
    pub(crate) peer: &'a str,
    /// Whether it was done.
    pub(crate) is_done: bool,
}

/// How an audit log is.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditFigures {
    /// Records on the disk since the start.
    pub(crate) written: u64,
    /// Records that had no room while the disk did not take any.
    pub(crate) lost: u64,
    /// Why records are not written now.
    pub(crate) problem: Option<String>,
}

/// The audit log of a server, if it has one. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct MaybeAudit(Option<Arc<dyn OperatorAudit>>);

impl MaybeAudit {
    /// Returns a value for a server with this audit log, or with none.
    pub(crate) fn new(audit: Option<Arc<dyn OperatorAudit>>) -> MaybeAudit {
        MaybeAudit(audit)
    }

    /// Notes an act, if there is an audit log.
    pub(super) fn act(&self, act: &OperatorAct<'_>) {
        self.0.iter().for_each(|audit| audit.act(act));
    }

    /// Notes that a request was refused, if there is an audit log.
    pub(super) fn refused(&self, code: ErrorCode, reason: &str) {
        self.0.iter().for_each(|audit| audit.refused(code, reason));
    }

    /// Returns how the log is; of a server without one everything is zero.
    pub(super) fn figures(&self) -> AuditFigures {
        let audit = self.0.as_deref();
        audit.map(OperatorAudit::figures).unwrap_or_default()
    }
}

impl fmt::Debug for MaybeAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaybeAudit({})", self.0.is_some())
    }
}
