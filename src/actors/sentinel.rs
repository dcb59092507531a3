//! Notices that an actor is gone though nobody stopped it.
//!
//! A panic ends an actor and drops it; its queue is lost and nothing brings it
//! back. An actor that the server cannot do without carries a sentinel, which
//! tells of it on the way down.

/// Calls out when it is dropped armed.
pub struct Sentinel {
    call: Option<Box<dyn FnOnce()>>,
}

impl Sentinel {
    /// An armed sentinel.
    pub fn new(call: impl FnOnce() + 'static) -> Sentinel {
        Sentinel {
            call: Some(Box::new(call)),
        }
    }

    /// The actor was told to stop: there is nothing to call out.
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
