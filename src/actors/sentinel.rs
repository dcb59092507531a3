//! Notices that an actor has ended without being stopped.
//!
//! A panic ends an actor and drops it; its mailbox is lost, and nothing restarts it. An actor
//! that the server depends on owns a sentinel, and its drop reports the panic.

/// Calls a function when it is dropped, unless it was disarmed.
pub struct Sentinel {
    call: Option<Box<dyn FnOnce()>>,
}

impl Sentinel {
    /// Returns a sentinel that calls `call` when it is dropped.
    pub fn new(call: impl FnOnce() + 'static) -> Sentinel {
        Sentinel {
            call: Some(Box::new(call)),
        }
    }

    /// Makes the drop silent: the actor was told to stop.
    pub fn disarm(&mut self) {
        self.call = None;
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            call();
        }
    }
}
