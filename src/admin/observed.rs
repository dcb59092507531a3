//! The server as the admin endpoint's handlers see it.

use std::sync::{Arc, OnceLock};

use arauto::ServerHandle;

use super::audit::{MaybeAudit, OperatorAct};
use super::drain::plan::Plan;
use super::listener::Operator;
use super::settings::Settings;

/// A server from its start to its end, and its audit log. Clones share it.
#[derive(Clone)]
pub(super) struct Observed {
    serving: Arc<OnceLock<Serving>>,
    plan: Plan,
    audit: MaybeAudit,
}

struct Serving {
    server: ServerHandle,
    settings: Arc<dyn Settings>,
}

impl Observed {
    /// Returns a server that starts.
    pub(super) fn new(audit: MaybeAudit) -> Observed {
        Observed {
            serving: Arc::default(),
            plan: Plan::default(),
            audit,
        }
    }

    /// Notes that the server has started. It starts once.
    pub(super) fn serving(&self, server: ServerHandle, settings: Arc<dyn Settings>) {
        let _ = self.serving.set(Serving { server, settings });
    }

    /// Returns the server; `None` while it starts.
    pub(super) fn server(&self) -> Option<&ServerHandle> {
        self.serving.get().map(|serving| &serving.server)
    }

    /// Returns the settings; `None` while the server starts.
    pub(super) fn settings(&self) -> Option<&dyn Settings> {
        self.serving.get().map(|serving| &*serving.settings)
    }

    /// Returns when a drain stops the server.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the server's audit log.
    pub(super) fn audit(&self) -> &MaybeAudit {
        &self.audit
    }

    /// Notes in the audit log that an operator has asked for an act about the whole server.
    pub(super) fn note(&self, name: &'static str, operator: &Operator, is_done: bool) {
        self.audit.act(&OperatorAct {
            name,
            session: None,
            reason: None,
            peer: &operator.0,
            is_done,
        });
    }
}
