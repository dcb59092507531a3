//! The values that the sessions of each listener begin with, which a reload replaces.
//!
//! A session keeps the context that it began with, and so the limits that its client was told.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::actors::session::ListenerContext;

/// The context of a listener's next session. The acceptor owns it.
pub(super) struct CurrentContext {
    /// The longest frame that the listener's connections can carry.
    longest_frame: usize,
    context: Mutex<Arc<ListenerContext>>,
}

impl CurrentContext {
    /// Returns the context for a session that begins now.
    pub(super) fn get(&self) -> Arc<ListenerContext> {
        Arc::clone(&self.context.lock())
    }
}

/// The contexts of all listeners. It keeps none of them alive.
#[derive(Default)]
pub(super) struct Contexts {
    current: Mutex<Vec<Weak<CurrentContext>>>,
    /// Those that sessions may hold, replaced ones included.
    given: Mutex<Vec<Weak<ListenerContext>>>,
}

impl Contexts {
    /// Adds the context of a listener, whose connections carry frames of this length at most.
    pub(super) fn add(
        &self,
        context: ListenerContext,
        longest_frame: usize,
    ) -> Arc<CurrentContext> {
        let context = Arc::new(context);
        self.given.lock().push(Arc::downgrade(&context));
        let context = Mutex::new(context);
        let current = Arc::new(CurrentContext {
            longest_frame,
            context,
        });
        self.current.lock().push(Arc::downgrade(&current));
        current
    }

    /// Replaces the context of each listener that still accepts. `change` gets the longest frame of
    /// its connections too.
    pub(super) fn replace(&self, change: impl Fn(&ListenerContext, usize) -> ListenerContext) {
        let mut given = self.given.lock();
        given.retain(|context| context.strong_count() > 0);
        for current in self.current.lock().iter().filter_map(Weak::upgrade) {
            let mut context = current.context.lock();
            *context = Arc::new(change(&context, current.longest_frame));
            given.push(Arc::downgrade(&context));
        }
    }

    /// Returns how many contexts sessions or acceptors hold.
    pub(super) fn count_held(&self) -> usize {
        let given = self.given.lock();
        let held = given.iter().filter(|context| context.strong_count() > 0);
        held.count()
    }
}
