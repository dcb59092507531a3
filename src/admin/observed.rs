//! The server as the admin endpoint's handlers see it.

use std::sync::{Arc, OnceLock};

use arauto::ServerHandle;

use super::settings::Settings;

/// A server from its start to its end. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Observed(Arc<OnceLock<Serving>>);

struct Serving {
    server: ServerHandle,
    settings: Arc<dyn Settings>,
}

impl Observed {
    /// Notes that the server has started. It starts once.
    pub(super) fn serving(&self, server: ServerHandle, settings: Arc<dyn Settings>) {
        let _ = self.0.set(Serving { server, settings });
    }

    /// Returns the server; `None` while it starts.
    pub(super) fn server(&self) -> Option<&ServerHandle> {
        self.0.get().map(|serving| &serving.server)
    }

    /// Returns the settings; `None` while the server starts.
    pub(super) fn settings(&self) -> Option<&dyn Settings> {
        self.0.get().map(|serving| &*serving.settings)
    }
}
