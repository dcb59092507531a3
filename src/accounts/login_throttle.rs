//! Throttles logins before a password is hashed: the back-off, the rates, the pool.

use std::time::{Duration, Instant};

use super::account_table::FirstLogins;
use super::hash_pool::{HashLoad, HashPermit, HashPool, PoolRefusal};
use super::login_backoff::{Attempt, AttemptDecision, BackoffTable};
use super::rates::Rates;
use super::{Claim, LoginLimits, LoginRefusal, PeerId, UserName};

/// Slows down peers with failed logins, and bounds the concurrent hashes.
#[derive(Debug)]
pub(super) struct LoginThrottle {
    backoffs: BackoffTable,
    peers: Rates<PeerId>,
    pool: HashPool,
}

/// The decision about a login attempt.
pub(super) enum ThrottleDecision<'a> {
    /// The password may be checked.
    Permitted(AttemptPermit<'a>),
    /// Other attempts have ended meanwhile: look the account up again.
    LookUpAgain,
}

/// Permits one password check. It counts as an attempt, except for a first login that came
/// second.
pub(super) struct AttemptPermit<'a>(Option<Attempt<'a>>);

impl LoginThrottle {
    pub(super) fn new(limits: &LoginLimits) -> LoginThrottle {
        LoginThrottle {
            backoffs: BackoffTable::new(limits.user_rate),
            peers: Rates::new(limits.peer_rate),
            pool: HashPool::new(limits.hashing, limits.waiting),
        }
    }

    /// Changes the rates, and how many logins may wait. The number of hashes at once stays.
    pub(super) fn set(&self, limits: &LoginLimits) {
        self.backoffs.set_rate(limits.user_rate, Instant::now());
        self.peers.set(limits.peer_rate);
        self.pool.set_longest(limits.waiting);
    }

    /// Ends every wait: nothing more is hashed.
    pub(super) fn close(&self) {
        self.pool.close();
        self.backoffs.wake_waiting();
    }

    /// Ends the back-off of this user and peer after a successful login, including one that
    /// needed no permit.
    pub(super) fn forgive(&self, user: &UserName, peer: &PeerId) {
        self.backoffs.forgive(user, peer);
    }

    /// Returns what tells how many logins are hashed and wait.
    pub(super) fn load(&self) -> HashLoad {
        self.pool.load()
    }

    /// Whether nothing is hashed and no login waits.
    pub(super) fn is_quiet(&self) -> bool {
        self.pool.is_quiet()
    }

    /// Decides whether a password may be checked now. A throttled password is not compared with
    /// a remembered one either, as that would be an attempt too.
    pub(super) async fn admit(
        &self,
        user: &UserName,
        claim: &Claim,
        first_logins: &FirstLogins,
    ) -> Result<ThrottleDecision<'_>, LoginRefusal> {
        if first_logins.take() {
            return Ok(ThrottleDecision::Permitted(AttemptPermit(None)));
        }
        match self.backoffs.attempt(user, &claim.peer, Instant::now()) {
            AttemptDecision::Allowed(attempt) => {
                Ok(ThrottleDecision::Permitted(AttemptPermit(Some(attempt))))
            }
            AttemptDecision::RetryAfter(wait) => Err(throttled(WITH_NAME, wait)),
            AttemptDecision::WaitForOthers(over) => {
                over.await;
                Ok(ThrottleDecision::LookUpAgain)
            }
        }
    }

    /// Waits for a place in the pool, for a permitted attempt.
    pub(super) async fn hash_permit(
        &self,
        permit: &AttemptPermit<'_>,
        claim: &Claim,
    ) -> Result<HashPermit, LoginRefusal> {
        if let Some(attempt) = &permit.0 {
            let taken = attempt.take_token(Instant::now());
            taken.map_err(|wait| throttled(WITH_NAME, wait))?;
        }
        self.registration_permit(claim).await
    }

    /// Waits for a place in the pool, for a registration.
    pub(super) async fn registration_permit(
        &self,
        claim: &Claim,
    ) -> Result<HashPermit, LoginRefusal> {
        let taken = self.peers.take(&claim.peer, Instant::now());
        taken.map_err(|wait| throttled("too many logins from this peer", wait))?;
        let place = self.pool.acquire(&claim.peer).await;
        let place = place.map_err(|none| match none {
            PoolRefusal::QueueFull => throttled(
                "too many logins from this peer are waiting",
                Duration::from_secs(1),
            ),
            PoolRefusal::Closed => LoginRefusal::Stopping,
        })?;
        if claim.is_abandoned() {
            return Err(LoginRefusal::Abandoned);
        }
        Ok(place)
    }
}

impl AttemptPermit<'_> {
    /// Reports that the password was right.
    pub(super) fn succeed(self) {
        if let Some(attempt) = self.0 {
            attempt.succeed();
        }
    }

    /// Reports that the password was wrong.
    pub(super) fn fail(self) {
        if let Some(attempt) = self.0 {
            attempt.fail(Instant::now());
        }
    }
}

const WITH_NAME: &str = "too many logins with this name";

fn throttled(too_many: &'static str, wait: Duration) -> LoginRefusal {
    LoginRefusal::Throttled { too_many, wait }
}
