//! How much waiting has been caused, and how much may be.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::limits::BackpressureLimits;

/// The period of a budget.
const MINUTE: Duration = Duration::from_secs(60);

/// Users whose budgets are remembered at once. Only what was spent less than a minute
/// ago is worth remembering, and all users together can spend little in a minute.
const MOST: usize = 4096;

/// Fewer are not worth a sweep.
const FEW: usize = 64;

/// From one sweep of as many as there may be to the next.
const SWEEPS: Duration = Duration::from_secs(1);

/// Waiting that was caused, forgotten evenly.
#[derive(Debug, Clone, Copy)]
struct Budget {
    /// The refill in a minute.
    a_minute: Duration,
    /// The most that can be spent at once.
    limit: Duration,
    spent: Duration,
    /// When `spent` was right.
    at: Instant,
    /// All was spent, and less than half has come back.
    is_exhausted: bool,
}

impl Budget {
    fn full(a_minute: Duration, now: Instant) -> Budget {
        let limit = a_minute / 4;
        Budget {
            a_minute,
            limit,
            spent: Duration::ZERO,
            at: now,
            is_exhausted: limit.is_zero(),
        }
    }

    /// Takes `waited` off. A budget owes `most` at most: a server that was suspended
    /// must not charge a user for that time.
    fn spend(&mut self, waited: Duration, most: Duration, now: Instant) {
        self.refill(now);
        self.spent = (self.spent + waited).min(self.limit + most);
        self.is_exhausted |= self.spent >= self.limit;
    }

    fn has_some(&mut self, now: Instant) -> bool {
        self.refill(now);
        !self.is_exhausted
    }

    fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.spent.is_zero()
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).min(2 * MINUTE);
        let back = self
            .a_minute
            .mul_f64(passed.as_secs_f64() / MINUTE.as_secs_f64());
        self.spent = self.spent.saturating_sub(back);
        self.at = self.at.max(now);
        self.is_exhausted &= self.spent > self.limit / 2 || self.limit.is_zero();
    }
}

/// The budgets of all users. A user that is not here has spent nothing.
#[derive(Debug)]
pub(super) struct Budgets {
    limits: BackpressureLimits,
    of: HashMap<Arc<str>, Budget>,
    total: Budget,
    /// How many users make a sweep worth it.
    sweep_at: usize,
    /// With as many as there may be, not before this.
    next_sweep: Instant,
}

impl Budgets {
    pub(super) fn new(limits: BackpressureLimits, now: Instant) -> Budgets {
        Budgets {
            limits,
            of: HashMap::new(),
            total: Budget::full(limits.total_budget, now),
            sweep_at: FEW,
            next_sweep: now,
        }
    }

    /// Whether a user has spent everything: then its readers hold nobody, whatever they
    /// do, until half of the budget has come back.
    pub(super) fn is_exhausted(&mut self, user: &Arc<str>, now: Instant) -> bool {
        match self.of.get_mut(user) {
            Some(budget) => !budget.has_some(now),
            None => self.limits.user_budget.is_zero() || !self.has_room(now),
        }
    }

    /// Whether all users together have something left.
    pub(super) fn has_some(&mut self, now: Instant) -> bool {
        self.total.has_some(now)
    }

    /// Charges each of `users` once, and all together once.
    pub(super) fn charge<'a>(
        &mut self,
        users: impl Iterator<Item = &'a Arc<str>>,
        waited: Duration,
        now: Instant,
    ) {
        let (a_minute, most) = (self.limits.user_budget, self.limits.patience);
        let mut charged: Vec<&Arc<str>> = users.collect();
        charged.sort_unstable();
        charged.dedup();
        for user in &charged {
            let budget = self.of.entry(Arc::clone(user));
            let budget = budget.or_insert_with(|| Budget::full(a_minute, now));
            budget.spend(waited, most, now);
        }
        if !charged.is_empty() {
            self.total.spend(waited, most, now);
        }
    }

    /// Whether one more user can be remembered.
    fn has_room(&mut self, now: Instant) -> bool {
        let is_worth_it = if self.of.len() < MOST {
            self.of.len() >= self.sweep_at
        } else {
            now >= self.next_sweep
        };
        if is_worth_it {
            self.next_sweep = now + SWEEPS;
            self.of.retain(|_, budget| !budget.is_full(now));
            self.of.shrink_to(FEW.max(self.of.len()));
            self.sweep_at = (2 * self.of.len()).clamp(FEW, MOST);
        }
        self.of.len() < MOST
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    const LIMITS: BackpressureLimits = BackpressureLimits {
        window: 1000,
        min_rate: 1000,
        patience: Duration::from_millis(100),
        user_budget: Duration::from_secs(4),
        total_budget: Duration::from_secs(12),
    };

    fn name(number: usize) -> Arc<str> {
        Arc::from(format!("user {number}"))
    }

    #[test]
    fn budget_is_spent_once_and_refills_evenly() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let (mut budgets, ana) = (Budgets::new(LIMITS, start), name(1));
        budgets.charge([&ana, &ana].into_iter(), Duration::from_millis(900), start);
        assert!(!budgets.is_exhausted(&ana, start), "twice at once is once");
        budgets.charge([&ana].into_iter(), Duration::from_millis(100), start);
        assert!(budgets.is_exhausted(&ana, start));
        assert!(budgets.is_exhausted(&ana, at(7)));
        assert!(!budgets.is_exhausted(&ana, at(8)), "half has come back");
        budgets.charge([&ana].into_iter(), Duration::from_millis(600), at(8));
        assert!(budgets.is_exhausted(&ana, at(8)));
        assert!(budgets.has_some(at(8)), "three users' worth is for all");
    }

    #[test]
    fn suspended_server_charges_no_user_for_that_time() {
        let start = Instant::now();
        let (mut budgets, ana) = (Budgets::new(LIMITS, start), name(1));
        budgets.charge([&ana].into_iter(), Duration::from_secs(3600), start);
        assert!(!budgets.is_exhausted(&ana, start + Duration::from_secs(10)));
    }

    #[test]
    fn idle_users_are_forgotten_and_the_count_is_bounded() {
        let start = Instant::now();
        let mut budgets = Budgets::new(LIMITS, start);
        for number in 0..10 * MOST {
            let (user, now) = (name(number), start + Duration::from_millis(number as u64));
            assert!(!budgets.is_exhausted(&user, now));
            budgets.charge([&user].into_iter(), Duration::from_micros(100), now);
        }
        assert!(budgets.of.len() <= 2 * FEW, "{} are left", budgets.of.len());
        for number in 0..2 * MOST {
            let user = name(number);
            if !budgets.is_exhausted(&user, start) {
                budgets.charge([&user].into_iter(), Duration::from_secs(1), start);
            }
        }
        assert_eq!(budgets.of.len(), MOST);
        assert!(budgets.is_exhausted(&name(usize::MAX), start));
        let later = start + 2 * MINUTE;
        assert!(!budgets.is_exhausted(&name(usize::MAX), later));
        assert!(budgets.of.is_empty());
    }
}
