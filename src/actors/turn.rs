//! The turns of a thread's event loop.
//!
//! A turn is what the tasks of a thread do between two waits for events. What one turn brings
//! can be handled together, and in a turn that brings one thing nothing is gained by waiting
//! for a second.

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

/// Tells, for one kind of thing, whether a turn has brought only one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Crowding {
    turn: u64,
    count: u32,
    was_alone: bool,
}

impl Crowding {
    /// Counts a thing of the turn. Returns whether it is likely to be the turn's only one: the
    /// first, and the latest turn that had any had one.
    pub fn is_alone(&mut self, turn: u64) -> bool {
        if turn != self.turn {
            self.was_alone = self.count <= 1;
            (self.turn, self.count) = (turn, 0);
        }
        self.count = self.count.saturating_add(1);
        self.count == 1 && self.was_alone
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
    fn first_thing_after_a_turn_with_one_is_alone() {
        let mut crowding = Crowding::default();
        assert!(!crowding.is_alone(0), "nothing is known of earlier turns");
        assert!(crowding.is_alone(1));
        assert!(crowding.is_alone(7));
        assert!(!crowding.is_alone(7), "the second of its turn");
        assert!(!crowding.is_alone(8), "the latest turn had two");
        assert!(crowding.is_alone(9));
    }
}
