//! The server as the admin endpoint's handlers see it.

use std::sync::{Arc, OnceLock};

use arauto::ServerHandle;

use super::drain::Plan;
use super::settings::Settings;

/// A server from its start to its end. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Observed {
    serving: Arc<OnceLock<Serving>>,
    plan: Plan,
}

struct Serving {
    server: ServerHandle,
    settings: Arc<dyn Settings>,
}

impl Observed {
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
}
