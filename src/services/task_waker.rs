//! The task of a session that takes part, as a value beside others that are compared.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::sync::AtomicWaker;

/// Wakes a session's task. No decision depends on it, so all of them are equal.
#[derive(Debug, Clone)]
pub(super) struct TaskWaker(Arc<AtomicWaker>);

impl TaskWaker {
    pub(super) fn of(waker: Arc<AtomicWaker>) -> TaskWaker {
        TaskWaker(waker)
    }

    pub(super) fn get(&self) -> &Arc<AtomicWaker> {
        &self.0
    }
}

impl PartialEq for TaskWaker {
    fn eq(&self, _: &TaskWaker) -> bool {
        true
    }
}

impl Eq for TaskWaker {}

impl Hash for TaskWaker {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
