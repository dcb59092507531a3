//! When publishers wait for readers, in numbers.

use std::time::Duration;

/// When publishers wait for readers, and how much of it a user can cause.
///
/// docs/limits.md says what a publisher can rely on.
#[derive(Debug, Clone, Copy)]
pub struct BackpressureLimits {
    /// Bytes that a reader may lag before publishers wait for it.
    pub window: u64,
    /// Bytes a second: as long as so much is published, publishers wait free of charge
    /// for readers that take something. 0: however little is published.
    pub min_rate: u64,
    /// How long a reader that takes nothing is waited for free of charge.
    pub patience: Duration,
    /// The other waiting that one user's readers can cause in a minute; a quarter of it
    /// at once.
    pub user_budget: Duration,
    /// The other waiting that all users' readers together can cause in a minute; a
    /// quarter of it at once.
    pub total_budget: Duration,
}

impl Default for BackpressureLimits {
    fn default() -> Self {
        BackpressureLimits {
            window: 8 << 20,
            min_rate: 4 << 20,
            patience: Duration::from_millis(50),
            user_budget: Duration::from_secs(4),
            total_budget: Duration::from_secs(8),
        }
    }
}
