//! What a password passes before it is hashed: the backoff, the rates, the pool.

use std::time::{Duration, Instant};

use super::account_table::FirstLogins;
use super::hash_pool::{HashPermit, HashPool, PoolRefusal};
use super::login_backoff::{Attempt, AttemptDecision, BackoffTable};
use super::rates::Rates;
use super::{Claim, LoginLimits, LoginRefusal, PeerId, UserName};

/// Holds back whoever guesses, and lets the others in a few at a time.
#[derive(Debug)]
pub(super) struct LoginThrottle {
    backoffs: BackoffTable,
    peers: Rates<PeerId>,
    pool: HashPool,
}

/// What comes before a password is looked at.
pub(super) enum ThrottleDecision<'a> {
    /// It may be.
    Permitted(AttemptPermit<'a>),
    /// Something has happened meanwhile: find the name again.
    LookUpAgain,
}

/// A password that may be looked at. A first login that came second is no attempt, and
/// counts as none.
pub(super) struct AttemptPermit<'a>(Option<Attempt<'a>>);

impl LoginThrottle {
    pub(super) fn new(limits: &LoginLimits) -> LoginThrottle {
        LoginThrottle {
            backoffs: BackoffTable::new(limits.user_rate),
            peers: Rates::new(limits.peer_rate),
            pool: HashPool::new(limits.hashing, limits.waiting),
        }
    }

    /// Whoever waits is told that nothing more is hashed.
    pub(super) fn close(&self) {
        self.pool.close();
        self.backoffs.let_go();
    }

    /// Ends the back-off of this name and peer: its password was right. Of a login that
    /// passed no throttle, as the password was known to be right, that is all that is noted.
    pub(super) fn forgive(&self, user: &UserName, peer: &PeerId) {
        self.backoffs.forgive(user, peer);
    }

    /// Whether nothing is hashed, and nobody waits for it.
    pub(super) fn is_quiet(&self) -> bool {
        self.pool.is_quiet()
    }

    /// Whether a password may be looked at now: one that is held back is not even held
    /// against what is remembered, or it would have been tried all the same.
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
            AttemptDecision::RetryAfter(wait) => Err(throttled(OF_NAME, wait)),
            AttemptDecision::WaitForOthers(over) => {
                over.await;
                Ok(ThrottleDecision::LookUpAgain)
            }
        }
    }

    /// A place to hash for a look.
    pub(super) async fn hash_permit(
        &self,
        permit: &AttemptPermit<'_>,
        claim: &Claim,
    ) -> Result<HashPermit, LoginRefusal> {
        if let Some(attempt) = &permit.0 {
            let taken = attempt.take_token(Instant::now());
            taken.map_err(|wait| throttled(OF_NAME, wait))?;
        }
        self.registration_permit(claim).await
    }

    /// A place to hash for somebody new.
    pub(super) async fn registration_permit(
        &self,
        claim: &Claim,
    ) -> Result<HashPermit, LoginRefusal> {
        let taken = self.peers.take(&claim.peer, Instant::now());
        taken.map_err(|wait| throttled("too many logins from there", wait))?;
        let place = self.pool.enter(&claim.peer).await;
        let place = place.map_err(|none| match none {
            PoolRefusal::QueueFull => {
                throttled("too many logins from there wait", Duration::from_secs(1))
            }
            PoolRefusal::Closed => LoginRefusal::Stopping,
        })?;
        if claim.is_abandoned() {
            return Err(LoginRefusal::Abandoned);
        }
        Ok(place)
    }
}

impl AttemptPermit<'_> {
    /// The password was right.
    pub(super) fn right(self) {
        if let Some(attempt) = self.0 {
            attempt.right();
        }
    }

    /// The password was wrong.
    pub(super) fn wrong(self) {
        if let Some(attempt) = self.0 {
            attempt.wrong(Instant::now());
        }
    }
}

const OF_NAME: &str = "too many logins with that name";

fn throttled(too_many: &'static str, wait: Duration) -> LoginRefusal {
    LoginRefusal::Throttled { too_many, wait }
}
