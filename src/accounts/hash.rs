//! argon2id (RFC 9106), as PHC strings.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::Password;

/// What one hash costs. The default is OWASP's first choice for argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl Default for HashCost {
    fn default() -> Self {
        HashCost {
            memory_kib: 19 * 1024,
            passes: 2,
        }
    }
}

impl HashCost {
    /// The least that argon2 allows: for tests, never for passwords that matter.
    pub const LEAST: HashCost = HashCost {
        memory_kib: 8,
        passes: 1,
    };
}

/// Hashes and checks passwords at one cost.
#[derive(Debug, Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
}

impl Hasher {
    /// A hasher of that cost.
    ///
    /// # Errors
    /// argon2 does not take the cost: less than 8 KiB, or no pass.
    pub fn new(cost: HashCost) -> Result<Hasher, argon2::Error> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None)?;
        Ok(Hasher {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
        })
    }

    /// Hashes with a fresh salt, into a PHC string. Slow by design.
    ///
    /// # Errors
    /// The system has no randomness or no memory to give.
    pub fn hash(&self, password: &Password) -> Result<String, argon2::password_hash::Error> {
        Ok(self.argon2.hash_password(password.as_bytes())?.to_string())
    }

    /// Whether the password made this PHC string. Slow by design.
    pub fn verify(&self, password: &Password, phc: &str) -> bool {
        PasswordHash::new(phc).is_ok_and(|hash| {
            self.argon2
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        })
    }

    /// Does the work of a [`Hasher::verify`] for a name that nobody has, so that
    /// the time of the answer does not tell it.
    pub fn pretend(&self, password: &Password) {
        // The outcome is of no use: a failure here would be one there as well.
        let _ = self.hash(password);
    }
}

/// Whether `text` is an argon2id hash in PHC form, as [`Hasher::hash`] makes them.
pub fn is_phc(text: &str) -> bool {
    text.starts_with("$argon2id$") && PasswordHash::new(text).is_ok_and(|hash| hash.hash.is_some())
}
