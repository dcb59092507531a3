//! argon2id (RFC 9106), as PHC strings.

use std::sync::Arc;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use parking_lot::Mutex;

use super::Password;

/// The cost of one hash. The default is OWASP's first choice for argon2id.
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
///
/// The memory of a hash is reused for the next one until [`Hasher::release_memory`]: left to
/// malloc(3), each thread that ever hashed would keep its own.
#[derive(Debug, Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    spare: Arc<Mutex<Vec<Memory>>>,
}

/// The memory of one hash.
#[derive(Debug, Default)]
struct Memory(Vec<Block>);

/// Blocks of 1 KiB that glibc always maps and unmaps, whatever it was asked for
/// before: more than its DEFAULT_MMAP_THRESHOLD_MAX, mallopt(3). Pages that are
/// not touched cost nothing.
const MAPPED: usize = 33 * 1024;

impl Memory {
    fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.capacity() < count {
            self.0 = Vec::with_capacity(count.max(MAPPED));
        }
        self.0.resize(count, Block::new());
        &mut self.0
    }
}

impl Hasher {
    /// Creates a hasher with this cost.
    ///
    /// # Errors
    /// argon2 refuses the cost: less than 8 KiB of memory, or no pass.
    pub fn new(cost: HashCost) -> Result<Hasher, argon2::Error> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None)?;
        Ok(Hasher {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            spare: Arc::default(),
        })
    }

    /// Hashes with a fresh salt, into a PHC string. Slow by design.
    ///
    /// # Errors
    /// The system provides no randomness.
    pub fn hash(&self, password: &Password) -> Result<String, argon2::password_hash::Error> {
        let salt: [u8; 16] = random()?;
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        self.fill(&self.argon2, password, &salt, &mut output)?;
        self.phc(&salt, &output)
    }

    /// Creates a random PHC string of this cost. Passwords of unknown names are verified
    /// against it, so that the time of the answer does not reveal which names exist.
    ///
    /// # Errors
    /// The system provides no randomness.
    pub fn decoy(&self) -> Result<String, argon2::password_hash::Error> {
        self.phc(
            &random::<16>()?,
            &random::<{ Params::DEFAULT_OUTPUT_LEN }>()?,
        )
    }

    fn phc(&self, salt: &[u8], output: &[u8]) -> Result<String, argon2::password_hash::Error> {
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(self.argon2.params())?,
            salt: Some(Salt::new(salt)?),
            hash: Some(Output::new(output)?),
        };
        Ok(hash.to_string())
    }

    /// Whether the password made this PHC string. Slow by design.
    pub fn verify(&self, password: &Password, phc: &str) -> bool {
        PasswordHash::new(phc).is_ok_and(|hash| self.matches(password, &hash).is_some())
    }

    /// Returns `Some` if it matches; the comparison takes constant time.
    fn matches(&self, password: &Password, hash: &PasswordHash) -> Option<()> {
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = hash.version.map(Version::try_from).transpose().ok()?;
        let params = Params::try_from(hash).ok()?;
        let argon2 = Argon2::new(algorithm, version.unwrap_or_default(), params);
        let (salt, expected) = (hash.salt?, hash.hash?);
        let mut output = vec![0; expected.len()];
        self.fill(&argon2, password, &salt, &mut output).ok()?;
        (Output::new(&output).ok()? == expected).then_some(())
    }

    /// Returns the memory to the system, once no hash is wanted.
    pub fn release_memory(&self) {
        self.spare.lock().clear();
    }

    fn fill(
        &self,
        argon2: &Argon2<'_>,
        password: &Password,
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let mut memory = self.spare.lock().pop().unwrap_or_default();
        let blocks = memory.blocks(argon2.params().block_count());
        let filled =
            argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, blocks);
        self.spare.lock().push(memory);
        filled
    }
}

fn random<const N: usize>() -> Result<[u8; N], argon2::password_hash::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "system provides no randomness");
        argon2::password_hash::Error::Crypto // cannot hold the cause
    })?;
    Ok(bytes)
}

/// The most that a hash made elsewhere may cost to check: 1 GiB of memory, and as much
/// work as 16 passes over that.
const MOST_KIB: u32 = 1 << 20;
const MOST_WORK: u64 = 16 << 20;

/// Whether `text` is an argon2id hash in PHC form, as [`Hasher::hash`] makes them, that
/// can be checked at a cost that a server can bear.
pub fn is_phc(text: &str) -> bool {
    text.starts_with("$argon2id$") && PasswordHash::new(text).is_ok_and(|hash| is_checked(&hash))
}

/// Whether [`Hasher::verify`] can check it at an acceptable cost.
fn is_checked(hash: &PasswordHash) -> bool {
    let is_known = hash
        .version
        .is_none_or(|version| Version::try_from(version).is_ok());
    let is_borne = Params::try_from(hash).is_ok_and(|params| {
        let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
        params.m_cost() <= MOST_KIB && work <= MOST_WORK
    });
    is_known && is_borne && hash.salt.is_some() && hash.hash.is_some()
}
