//! A server that is about to stop takes no new sessions.

use super::handle::ServerHandle;

impl ServerHandle {
    /// Has the server take no new sessions and no logins, for a load balancer that turns to other
    /// servers. Clients that come get the error `stopping`. Sessions that there are go on, and are
    /// told nothing, until [`ServerHandle::end_drain`] or a stop. Returns `false`, and changes nothing,
    /// if the server is stopping or has stopped.
    ///
    /// Cancel safe.
    pub async fn drain(&self) -> bool {
        self.set_draining(true).await
    }

    /// Has a server that drains take sessions again. Returns `false`, and changes nothing, if it is
    /// stopping or has stopped.
    ///
    /// Cancel safe.
    pub async fn end_drain(&self) -> bool {
        self.set_draining(false).await
    }

    /// Whether the server takes no new sessions; also in a stop that came meanwhile.
    pub fn is_draining(&self) -> bool {
        self.draining.is_on()
    }

    async fn set_draining(&self, is_on: bool) -> bool {
        let stops = self.has_stopped() || self.stop_status().await.is_some();
        if !stops {
            self.draining.set(is_on);
        }
        !stops
    }
}
