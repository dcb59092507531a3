//! The time after which a stop is not waited for any more.

use std::time::Duration;

/// How long a step of the countdown is.
pub(super) const STEP: Duration = Duration::from_millis(100);

/// Counts a time down in steps. A process that was suspended meanwhile loses one step, and
/// not all the time that it slept.
#[derive(Debug, Default)]
pub(super) struct Countdown {
    left: Option<Duration>,
}

impl Countdown {
    /// Begins to count `limit` down, whatever was left before.
    pub(super) fn begin(&mut self, limit: Duration) {
        self.left = Some(limit);
    }

    /// Leaves `limit` at most.
    pub(super) fn shorten(&mut self, limit: Duration) {
        self.left = Some(self.left.map_or(limit, |left| left.min(limit)));
    }

    pub(super) fn is_running(&self) -> bool {
        self.left.is_some()
    }

    /// Takes a step. Whether the time is up.
    pub(super) fn step(&mut self) -> bool {
        let Some(left) = &mut self.left else {
            return false;
        };
        *left = left.saturating_sub(STEP);
        left.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countdown_ends_after_its_steps() {
        let mut countdown = Countdown::default();
        assert!(!countdown.step(), "it has not begun");
        countdown.begin(3 * STEP);
        assert_eq!([false, false, true], [(); 3].map(|()| countdown.step()));
    }

    #[test]
    fn shortened_countdown_is_never_longer_than_before() {
        let mut countdown = Countdown::default();
        countdown.begin(2 * STEP);
        countdown.shorten(9 * STEP);
        countdown.shorten(STEP);
        assert!(countdown.step());
    }
}
