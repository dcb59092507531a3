//! A queue that takes one word and holds no memory while it is empty.
//!
//! Most of a session's queues are empty at nearly every moment, and there may be tens of
//! thousands of sessions.

use std::collections::VecDeque;
use std::collections::vec_deque::{Iter, IterMut};

/// A queue. Invariant: there is a buffer only while it holds an element.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(
    clippy::box_collection,
    reason = "one word in each session is worth another allocation in the few that use it"
)]
pub(super) struct LazyQueue<T>(Option<Box<VecDeque<T>>>);

impl<T> Default for LazyQueue<T> {
    fn default() -> Self {
        LazyQueue(None)
    }
}

impl<T> LazyQueue<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.len())
    }

    pub(super) fn front(&self) -> Option<&T> {
        self.0.as_ref()?.front()
    }

    pub(super) fn front_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut()?.front_mut()
    }

    pub(super) fn push_back(&mut self, element: T) {
        self.0.get_or_insert_default().push_back(element);
    }

    /// Removes and returns the first element. The buffer goes with the last one.
    pub(super) fn pop_front(&mut self) -> Option<T> {
        let first = self.0.as_mut()?.pop_front();
        self.release();
        first
    }

    /// Removes all elements behind the first `length`.
    pub(super) fn truncate(&mut self, length: usize) {
        if let Some(queue) = &mut self.0 {
            queue.truncate(length);
        }
        self.release();
    }

    pub(super) fn iter(&self) -> Iter<'_, T> {
        self.0.as_deref().map_or_else(Iter::default, VecDeque::iter)
    }

    pub(super) fn iter_mut(&mut self) -> IterMut<'_, T> {
        let queue = self.0.as_deref_mut();
        queue.map_or_else(IterMut::default, VecDeque::iter_mut)
    }

    fn release(&mut self) {
        self.0.take_if(|queue| queue.is_empty());
    }
}

impl<T> Extend<T> for LazyQueue<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
        self.0.get_or_insert_default().extend(elements);
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_queue_holds_no_buffer() {
        let mut queue = LazyQueue::default();
        assert_eq!(size_of_val(&queue), size_of::<usize>());
        queue.extend([1, 2, 3]);
        queue.push_back(4);
        queue.truncate(2);
        assert_eq!(queue.iter().copied().collect::<Vec<_>>(), [1, 2]);
        assert_eq!((queue.pop_front(), queue.pop_front()), (Some(1), Some(2)));
        assert_eq!(queue, LazyQueue(None));
        queue.extend([]);
        assert_eq!(queue, LazyQueue(None));
        assert_eq!(queue.pop_front(), None);
    }
}
