//! Instances whose connections are over, on their way back to the listener.

use std::os::windows::io::OwnedHandle;
use std::sync::{Arc, Weak};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

/// The instances that the listener has to replace.
#[derive(Debug, Default)]
pub(super) struct ReleasedInstances {
    handles: Mutex<Vec<Arc<OwnedHandle>>>,
    /// Woken when there is one more.
    listener: AtomicWaker,
}

impl ReleasedInstances {
    /// Takes all of them.
    pub(super) fn take(&self) -> Vec<Arc<OwnedHandle>> {
        std::mem::take(&mut *self.handles.lock())
    }

    /// Has the listener's task woken for the next one.
    pub(super) fn register(&self, waker: &Waker) {
        self.listener.register(waker);
    }
}

/// The last handle of a connected instance. Dropping it returns the handle to the listener,
/// if there still is one.
#[derive(Debug)]
pub(super) struct InstanceGuard {
    handle: Arc<OwnedHandle>,
    released: Weak<ReleasedInstances>,
}

impl InstanceGuard {
    pub(super) fn new(handle: OwnedHandle, released: &Arc<ReleasedInstances>) -> InstanceGuard {
        InstanceGuard {
            handle: Arc::new(handle),
            released: Arc::downgrade(released),
        }
    }

    pub(super) fn handle(&self) -> &Arc<OwnedHandle> {
        &self.handle
    }
}

impl Drop for InstanceGuard {
    fn drop(&mut self) {
        if let Some(released) = self.released.upgrade() {
            released.handles.lock().push(Arc::clone(&self.handle));
            released.listener.wake();
        }
    }
}
