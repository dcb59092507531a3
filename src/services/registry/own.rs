//! The services that the server itself answers.
//!
//! The server takes part as a session does: it offers them without a limit, and takes each call at
//! once. Its handlers run in the sessions that call.

use std::sync::Arc;

use super::Registry;
use crate::services::call::{GivenCall, ServiceEvent};
use crate::services::participants::{SERVER, Wakes};
use crate::sync::AtomicWaker;

/// The user of the server's own answers.
const USER: &str = "arauto";

impl Registry {
    /// Lets the server offer these services.
    pub fn serve<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        // Nothing wakes the server: it takes its calls when they are made.
        self.join(SERVER, Arc::from(USER), Arc::new(AtomicWaker::default()));
        for name in names {
            let name = self.services.shared_name(name);
            self.participants.get(SERVER).add_offer(Arc::clone(&name));
            self.services
                .get_or_add(&name)
                .offer(SERVER, u32::MAX, true);
        }
    }

    /// Whether the server itself answers the calls of this service.
    pub(super) fn is_own(&self, service: &str) -> bool {
        let server = self.participants.find(SERVER);
        server.is_some_and(|server| server.offers().contains(service))
    }

    /// Takes the call that was made to the server last, if it was.
    pub fn take_own(&mut self, wakes: &mut Wakes) -> Option<Box<GivenCall>> {
        match self.take(SERVER, wakes)? {
            ServiceEvent::Call(given) => Some(given),
            _ => None,
        }
    }
}
