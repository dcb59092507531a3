//! Counts the turns of a thread's event loop, and the operations in each.
//!
//! A turn is the time between two waits for events, in which the thread runs every task that is
//! ready. Operations of one turn can be batched. An operation that is the only one of its turn
//! gains nothing from a batch, and should not wait for one.

use std::cell::Cell;

thread_local! {
    static TURN: Cell<u64> = const { Cell::new(0) };
}

/// Ends the turn. Call it whenever the thread is about to wait for events.
pub fn end() {
    TURN.set(TURN.get() + 1);
}

/// Returns the number of the turn. On a thread that never calls [`end`] there is only one.
pub fn current() -> u64 {
    TURN.get()
}

/// Predicts whether an operation will be the only one of its kind in its turn.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contention {
    /// The latest turn with an operation.
    turn: u64,
    /// The number of operations in that turn.
    count: u32,
    /// Whether the turn with operations before that one had no more than one.
    was_single: bool,
}

impl Contention {
    /// Counts an operation in `turn`. Returns whether it is the first of the turn and the last
    /// turn with operations had no more than one.
    pub fn admit(&mut self, turn: u64) -> bool {
        if turn != self.turn {
            self.was_single = self.count <= 1;
            (self.turn, self.count) = (turn, 0);
        }
        self.count = self.count.saturating_add(1);
        self.count == 1 && self.was_single
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turn_ends_on_its_own_thread_only() {
        let turn = current();
        std::thread::spawn(end).join().expect("it does not panic");
        assert_eq!(current(), turn);
        end();
        assert_eq!(current(), turn + 1);
    }

    #[test]
    fn first_operation_after_a_turn_with_one_is_uncontended() {
        let mut contention = Contention::default();
        assert!(!contention.admit(0), "nothing is known of earlier turns");
        assert!(contention.admit(1));
        assert!(contention.admit(7));
        assert!(!contention.admit(7), "the second of its turn");
        assert!(!contention.admit(8), "the last turn had two");
        assert!(contention.admit(9));
    }
}
