//! A login, from the claim to the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::brake::{Attempt, Brakes, Verdict};
use super::keeper::{Inserted, Keeper};
use super::peers::PeerRates;
use super::pool::{Full, Place, Pool};
use super::recent::Recents;
use super::table::{Found, Known, Reservation, Table};
use super::{Account, Hasher, NameError, Password, PeerId, StoreError, UserName};
use crate::rate::{Rate, try_again_in};
use crate::store::Store;
use crate::wire::{Millis, Role};

/// A client's word that it is somebody.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The name, as it came.
    pub user: String,
    /// The password, as it came.
    pub password: String,
    /// Whether an unknown name registers.
    pub may_register: bool,
    /// Where it comes from.
    pub peer: PeerId,
}

/// A claim that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The user.
    pub user: UserName,
    /// What the user may do.
    pub role: Role,
    /// Whether this login created the account.
    pub registered: bool,
}

/// A claim that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The name cannot be one.
    #[error(transparent)]
    BadName(#[from] NameError),
    /// The password is wrong.
    #[error("the name or the password is wrong")]
    BadCredentials,
    /// The name is unknown and nobody registers here.
    #[error(
        "nobody of that name, and this endpoint registers nobody: ask the operator for an account"
    )]
    RegistrationClosed,
    /// There are as many accounts as the server keeps.
    #[error(
        "nobody of that name, and there are as many accounts as this server keeps: ask the \
         operator for one"
    )]
    NoMoreAccounts,
    /// Not now.
    #[error("{too_many}: {}", try_again_in(*wait))]
    Throttled {
        /// What there are too many of.
        too_many: &'static str,
        /// When it can be tried again.
        wait: Duration,
    },
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// The account could not be kept; the server's log says why.
    #[error("the account could not be kept, nothing was registered: the server's log says why")]
    Internal,
}

/// How much login work there may be at once, and what registering gives.
#[derive(Debug, Clone, Copy)]
pub struct LoginLimits {
    /// Hashes at once.
    pub hashing: usize,
    /// Logins of one peer that wait for a hash.
    pub waiting: usize,
    /// Passwords of one name that one peer has looked at.
    pub user_rate: Rate,
    /// Passwords, of whatever name, that one peer has looked at.
    pub peer_rate: Rate,
    /// Accounts; above it nobody registers.
    pub accounts: usize,
    /// The role of those who register by themselves.
    pub default_role: Role,
}

/// The users of one server.
#[derive(Debug)]
pub struct Accounts {
    table: Arc<Table>,
    keeper: Keeper,
    hasher: Hasher,
    recents: Recents,
    pool: Pool,
    brakes: Brakes,
    peers: PeerRates,
    most: usize,
    default_role: Role,
    sealed: AtomicBool,
}

/// What looking at a password takes, beside a claim.
struct Turn<'a> {
    place: Place,
    attempt: Option<Attempt<'a>>,
}

/// What comes before a password is looked at.
enum Before<'a> {
    Turn(Turn<'a>),
    /// Something has happened meanwhile: find the name again.
    LookAgain,
}

impl Accounts {
    /// The accounts of `store`; without one they last as long as the process.
    ///
    /// # Errors
    /// The database cannot be read.
    ///
    /// # Panics
    /// If the system has no randomness to give.
    pub fn open(
        store: Option<Store>,
        hasher: Hasher,
        limits: LoginLimits,
    ) -> Result<Self, StoreError> {
        let table = Arc::new(Table::default());
        let keeper = match store {
            Some(store) => Keeper::open(store, Arc::clone(&table))?,
            None => Keeper::Memory,
        };
        Ok(Accounts {
            table,
            keeper,
            hasher,
            recents: Recents::new().expect("the system has randomness to give at the start"),
            pool: Pool::new(limits.hashing, limits.waiting),
            brakes: Brakes::new(limits.user_rate),
            peers: PeerRates::new(limits.peer_rate),
            most: limits.accounts,
            default_role: limits.default_role,
            sealed: AtomicBool::new(false),
        })
    }

    /// As if it had been registered, and last logged in to, long ago.
    #[cfg(test)]
    pub(super) fn forget(&self, user: &UserName) {
        self.table.forget(user);
    }

    /// Refuses every login that has not been answered yet.
    pub fn seal(&self) {
        self.sealed.store(true, Ordering::Release);
    }

    /// Checks a claim; the first claim to a name registers it.
    ///
    /// # Errors
    /// The claim does not hold.
    pub async fn login(&self, claim: &Claim) -> Result<Admitted, Refusal> {
        let outcome = self.judge(claim).await;
        if self.sealed.load(Ordering::Acquire) {
            return Err(Refusal::Stopping);
        }
        outcome
    }

    async fn judge(&self, claim: &Claim) -> Result<Admitted, Refusal> {
        let user = UserName::parse(&claim.user)?;
        let Ok(password) = Password::parse(&claim.password) else {
            return Err(Refusal::BadCredentials);
        };
        self.keeper.refresh().await;
        loop {
            if self.sealed.load(Ordering::Acquire) {
                return Err(Refusal::Stopping);
            }
            match self.table.find(&user, self.registers(claim)) {
                Found::Known(known) if self.was_right(&user, &password, &known) => {
                    return Ok(admitted(user, known.role));
                }
                Found::Known(known) => match self.turn(&user, claim, known.is_new()).await? {
                    Before::Turn(turn) => return self.check(user, &password, &known, turn).await,
                    Before::LookAgain => {}
                },
                // Closed when the other first login is over, however it ended.
                Found::Busy(mut over) => while over.changed().await.is_ok() {},
                Found::Free(Some(reservation)) => {
                    let registered = self.register(&user, &password, claim, reservation).await;
                    if let Some(outcome) = registered {
                        return outcome;
                    }
                }
                Found::Free(None) => match self.turn(&user, claim, false).await? {
                    Before::Turn(turn) => return self.turn_away(password, claim, turn).await,
                    Before::LookAgain => {}
                },
            }
        }
    }

    /// Whether an unknown name registers now.
    fn registers(&self, claim: &Claim) -> bool {
        claim.may_register && self.table.len() < self.most
    }

    /// Waits until a password may be looked at: for other attempts like it, and for a
    /// place among all that hash.
    async fn turn(
        &self,
        user: &UserName,
        claim: &Claim,
        is_new: bool,
    ) -> Result<Before<'_>, Refusal> {
        let attempt = if is_new {
            None // a first login that came second, and no guess
        } else {
            match self.brakes.attempt(user, &claim.peer, Instant::now()) {
                Verdict::Look(attempt) => Some(attempt),
                Verdict::Later(wait) => {
                    let too_many = "too many logins with that name";
                    return Err(Refusal::Throttled { too_many, wait });
                }
                Verdict::Wait(over) => {
                    over.await;
                    return Ok(Before::LookAgain);
                }
            }
        };
        let place = self.place(&claim.peer).await?;
        Ok(Before::Turn(Turn { place, attempt }))
    }

    async fn place(&self, peer: &PeerId) -> Result<Place, Refusal> {
        let throttled = |too_many, wait| Refusal::Throttled { too_many, wait };
        self.peers
            .take(peer, Instant::now())
            .map_err(|wait| throttled("too many logins from there", wait))?;
        self.pool
            .enter(peer)
            .await
            .map_err(|Full| throttled("too many logins from there wait", Duration::from_secs(1)))
    }

    async fn check(
        &self,
        user: UserName,
        password: &Password,
        known: &Known,
        Turn { place, attempt }: Turn<'_>,
    ) -> Result<Admitted, Refusal> {
        // Another login of the same user may have been found right meanwhile.
        if let Found::Known(known) = self.table.find(&user, false)
            && self.was_right(&user, password, &known)
        {
            return Ok(admitted(user, known.role));
        }
        let (phc, guess) = (Arc::clone(&known.phc), password.clone());
        let right = self.work(place, move |hasher| hasher.verify(&guess, &phc));
        match right.await {
            Some(true) => {
                self.remember(&user, password, &known.phc);
                conclude(attempt, true);
                Ok(admitted(user, known.role))
            }
            Some(false) => {
                conclude(attempt, false);
                Err(Refusal::BadCredentials)
            }
            None => Err(Refusal::Internal),
        }
    }

    fn was_right(&self, user: &UserName, password: &Password, known: &Known) -> bool {
        known
            .recent
            .as_ref()
            .is_some_and(|recent| self.recents.knows(recent, user, &known.phc, password))
    }

    fn remember(&self, user: &UserName, password: &Password, phc: &str) {
        let recent = self.recents.remember(user, phc, password);
        self.table.remember(user, phc, recent);
    }

    /// `None`: another process took the name meanwhile; look again.
    async fn register(
        &self,
        user: &UserName,
        password: &Password,
        claim: &Claim,
        reservation: Reservation,
    ) -> Option<Result<Admitted, Refusal>> {
        let place = match self.place(&claim.peer).await {
            Ok(place) => place,
            Err(refusal) => return Some(Err(refusal)),
        };
        let secret = password.clone();
        let Some(Ok(phc)) = self.work(place, move |hasher| hasher.hash(&secret)).await else {
            return Some(Err(Refusal::Internal));
        };
        let account = Account {
            name: user.clone(),
            phc,
            role: self.default_role,
            created: Millis::now(),
        };
        let inserted = self.keeper.insert(&self.table, account.clone()).await;
        if inserted == Inserted::Yes {
            self.remember(user, password, &account.phc);
        }
        drop(reservation);
        match inserted {
            Inserted::Yes => Some(Ok(Admitted {
                registered: true,
                ..admitted(user.clone(), account.role)
            })),
            Inserted::NameTaken => None,
            Inserted::Failed => Some(Err(Refusal::Internal)),
        }
    }

    /// An unknown name costs what a known one with a wrong password costs.
    async fn turn_away(
        &self,
        password: Password,
        claim: &Claim,
        Turn { place, attempt }: Turn<'_>,
    ) -> Result<Admitted, Refusal> {
        self.work(place, move |hasher| hasher.pretend(&password))
            .await;
        conclude(attempt, false);
        Err(if claim.may_register {
            Refusal::NoMoreAccounts
        } else {
            Refusal::RegistrationClosed
        })
    }

    /// Hashes in the pool. `None` if it panicked.
    async fn work<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&Hasher) -> T + Send + 'static,
    ) -> Option<T> {
        let hasher = self.hasher.clone();
        let done = place.run(move || work(&hasher)).await;
        if self.pool.is_quiet() {
            self.hasher.let_go();
        }
        done
    }
}

/// Tells the brake how a password was.
fn conclude(attempt: Option<Attempt<'_>>, is_right: bool) {
    match attempt {
        Some(attempt) if is_right => attempt.right(),
        Some(attempt) => attempt.wrong(Instant::now()),
        None => {}
    }
}

fn admitted(user: UserName, role: Role) -> Admitted {
    Admitted {
        user,
        role,
        registered: false,
    }
}
