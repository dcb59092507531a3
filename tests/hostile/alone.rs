//! Lets one test run at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes the lock that each test holds, because tests would disturb each other's measurements.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner) // a test that failed has ended too
}
