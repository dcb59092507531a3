//! Parts of a state that many states share.

use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::RandomState;

/// Has fixed seeds, so that hashes are the same in each run and a run can be repeated.
const HASHES: RandomState = RandomState::with_seeds(1, 2, 3, 4);

/// A value that is copied when it is changed, and whose hash is computed once.
///
/// A step changes one or two parts of a state. The other parts keep their memory and their hash.
#[derive(Debug, Clone)]
pub struct Shared<T>(Arc<Part<T>>);

#[derive(Debug)]
struct Part<T> {
    value: T,
    /// The hash of the value; zero until it is computed.
    hash: AtomicU64,
}

impl<T: Clone> Clone for Part<T> {
    fn clone(&self) -> Part<T> {
        Part {
            value: self.value.clone(),
            hash: AtomicU64::new(0),
        }
    }
}

impl<T> Shared<T> {
    pub fn new(value: T) -> Shared<T> {
        Shared(Arc::new(Part {
            value,
            hash: AtomicU64::new(0),
        }))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        let part = Arc::make_mut(&mut self.0);
        *part.hash.get_mut() = 0;
        &mut part.value
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Shared<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.value == other.0.value
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T: Hash> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let known = self.0.hash.load(Ordering::Relaxed);
        let hash = match known {
            0 => {
                let hash = HASHES.hash_one(&self.0.value);
                self.0.hash.store(hash, Ordering::Relaxed);
                hash
            }
            known => known,
        };
        state.write_u64(hash);
    }
}
