//! What a password passes before it is hashed: the brake, the rates, the pool.

use std::time::{Duration, Instant};

use super::brake::{Attempt, Brakes, Verdict};
use super::pool::{NoPlace, Place, Pool};
use super::rates::Rates;
use super::table::Firsts;
use super::{Claim, LoginLimits, PeerId, Refusal, UserName};

/// Holds back whoever guesses, and lets the others in a few at a time.
#[derive(Debug)]
pub(super) struct Gate {
    brakes: Brakes,
    peers: Rates<PeerId>,
    pool: Pool,
}

/// What comes before a password is looked at.
pub(super) enum Next<'a> {
    /// It may be.
    Look(Look<'a>),
    /// Something has happened meanwhile: find the name again.
    Again,
}

/// A password that may be looked at. A first login that came second is no attempt, and
/// counts as none.
pub(super) struct Look<'a>(Option<Attempt<'a>>);

impl Gate {
    pub(super) fn new(limits: &LoginLimits) -> Gate {
        Gate {
            brakes: Brakes::new(limits.user_rate),
            peers: Rates::new(limits.peer_rate),
            pool: Pool::new(limits.hashing, limits.waiting),
        }
    }

    /// Whoever waits is told that nothing more is hashed.
    pub(super) fn close(&self) {
        self.pool.close();
        self.brakes.let_go();
    }

    /// Ends the back-off of this name and peer: its password was right. Of a login that
    /// passed no gate, as the password was known to be right, that is all that is noted.
    pub(super) fn forgive(&self, user: &UserName, peer: &PeerId) {
        self.brakes.forgive(user, peer);
    }

    /// Whether nothing is hashed, and nobody waits for it.
    pub(super) fn is_quiet(&self) -> bool {
        self.pool.is_quiet()
    }

    /// Whether a password may be looked at now: one that is held back is not even held
    /// against what is remembered, or it would have been tried all the same.
    pub(super) async fn next(
        &self,
        user: &UserName,
        claim: &Claim,
        firsts: &Firsts,
    ) -> Result<Next<'_>, Refusal> {
        if firsts.take() {
            return Ok(Next::Look(Look(None)));
        }
        match self.brakes.attempt(user, &claim.peer, Instant::now()) {
            Verdict::Look(attempt) => Ok(Next::Look(Look(Some(attempt)))),
            Verdict::Later(wait) => Err(throttled(OF_NAME, wait)),
            Verdict::Wait(over) => {
                over.await;
                Ok(Next::Again)
            }
        }
    }

    /// A place to hash for a look.
    pub(super) async fn place_for(&self, look: &Look<'_>, claim: &Claim) -> Result<Place, Refusal> {
        if let Some(attempt) = &look.0 {
            let taken = attempt.take_token(Instant::now());
            taken.map_err(|wait| throttled(OF_NAME, wait))?;
        }
        self.place(claim).await
    }

    /// A place to hash for somebody new.
    pub(super) async fn place(&self, claim: &Claim) -> Result<Place, Refusal> {
        let taken = self.peers.take(&claim.peer, Instant::now());
        taken.map_err(|wait| throttled("too many logins from there", wait))?;
        let place = self.pool.enter(&claim.peer).await;
        let place = place.map_err(|none| match none {
            NoPlace::Full => throttled("too many logins from there wait", Duration::from_secs(1)),
            NoPlace::Closed => Refusal::Stopping,
        })?;
        if claim.is_abandoned() {
            return Err(Refusal::Abandoned);
        }
        Ok(place)
    }
}

impl Look<'_> {
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

fn throttled(too_many: &'static str, wait: Duration) -> Refusal {
    Refusal::Throttled { too_many, wait }
}
