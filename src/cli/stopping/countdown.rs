//! Counts down the time that a stop may take.

use std::time::Duration;

/// The length of a step of the countdown.
pub(super) const STEP: Duration = Duration::from_millis(100);

/// Counts a time down in steps. If the process is suspended meanwhile, only one step counts, not
/// the whole time of the suspension.
#[derive(Debug, Default)]
pub(super) struct Countdown {
    left: Option<Duration>,
}

impl Countdown {
    /// Starts the countdown from `limit`, also if it was running already.
    pub(super) fn begin(&mut self, limit: Duration) {
        self.left = Some(limit);
    }

    /// Reduces the time left to at most `limit`; starts the countdown if it was not running.
    pub(super) fn shorten(&mut self, limit: Duration) {
        self.left = Some(self.left.map_or(limit, |left| left.min(limit)));
    }

    pub(super) fn is_running(&self) -> bool {
        self.left.is_some()
    }

    /// Takes a step, and returns whether the time is up.
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
