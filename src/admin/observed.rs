//! The server as the admin endpoint's handlers see it.

use std::sync::{Arc, OnceLock};

use arauto::ServerHandle;

/// A server from its start to its end. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Observed(Arc<OnceLock<ServerHandle>>);

impl Observed {
    /// Notes that the server has started. It starts once.
    pub(super) fn serving(&self, server: ServerHandle) {
        let _ = self.0.set(server);
    }

    /// Returns the server; `None` while it starts.
    pub(super) fn server(&self) -> Option<&ServerHandle> {
        self.0.get()
    }
}
