//! The same names with a scheduler behind them, which may let another thread go first
//! at each of their steps.
//!
//! Memory is sequentially consistent here, whatever order is asked for: a missing
//! `Release` is not found.

use std::sync::PoisonError;
use std::task::Waker;

pub use shuttle::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use shuttle::sync::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

/// A lock that no panic poisons, as `parking_lot`'s.
#[derive(Debug, Default)]
pub struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Mutex(shuttle::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As [`Mutex`], for many readers or one writer.
#[derive(Debug)]
pub struct RwLock<T>(shuttle::sync::RwLock<T>);

impl<T> RwLock<T> {
    pub fn new(value: T) -> Self {
        RwLock(shuttle::sync::RwLock::new(value))
    }

    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `futures_util`'s by its contract, with each of its two steps taken whole: of a
/// `register` and a `wake` at one moment, either the wake comes first and whoever
/// registers sees what was done before it, or it finds the new waker.
///
/// The real one is made of std's atomics, where no scheduler can step in: what goes
/// on inside of it is taken on trust.
#[derive(Debug, Default)]
pub struct AtomicWaker(Mutex<Option<Waker>>);

impl AtomicWaker {
    pub fn register(&self, waker: &Waker) {
        *self.0.lock() = Some(waker.clone());
    }

    pub fn take(&self) -> Option<Waker> {
        self.0.lock().take()
    }

    pub fn wake(&self) {
        if let Some(waker) = self.take() {
            waker.wake();
        }
    }
}
