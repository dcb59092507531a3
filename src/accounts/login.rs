//! A login, from the claim to the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::keeper::{Inserted, Keeper};
use super::pool::{Place, Pool};
use super::recent::Recents;
use super::table::{Found, Known, Reservation, Table};
use super::{Account, Hasher, NameError, Password, StoreError, UserName};
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
    /// Too many logins wait.
    #[error("too many logins wait: try again in a second")]
    Throttled,
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
    /// Logins that wait for a hash.
    pub waiting: usize,
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
    default_role: Role,
    sealed: AtomicBool,
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
            default_role: limits.default_role,
            sealed: AtomicBool::new(false),
        })
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
            match self.table.find(&user, claim.may_register) {
                Found::Known(known) => return self.check(user, &password, &known).await,
                // Closed when the other first login is over, however it ended.
                Found::Busy(mut over) => while over.changed().await.is_ok() {},
                Found::Free(Some(reservation)) => {
                    if let Some(outcome) = self.register(&user, &password, reservation).await {
                        return outcome;
                    }
                }
                Found::Free(None) => return self.turn_away(password).await,
            }
        }
    }

    async fn check(
        &self,
        user: UserName,
        password: &Password,
        known: &Known,
    ) -> Result<Admitted, Refusal> {
        let admitted = Admitted {
            role: known.role,
            registered: false,
            user,
        };
        if self.was_right(&admitted.user, password, known) {
            return Ok(admitted);
        }
        let place = self.pool.enter().await.map_err(|_| Refusal::Throttled)?;
        // Another login of the same user may have been found right meanwhile.
        if let Found::Known(known) = self.table.find(&admitted.user, false)
            && self.was_right(&admitted.user, password, &known)
        {
            return Ok(admitted);
        }
        let (phc, guess) = (Arc::clone(&known.phc), password.clone());
        let right = self.work(place, move |hasher| hasher.verify(&guess, &phc));
        match right.await {
            Some(true) => {
                self.remember(&admitted.user, password, &known.phc);
                Ok(admitted)
            }
            Some(false) => Err(Refusal::BadCredentials),
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
        reservation: Reservation,
    ) -> Option<Result<Admitted, Refusal>> {
        let Ok(place) = self.pool.enter().await else {
            return Some(Err(Refusal::Throttled));
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
                user: user.clone(),
                role: account.role,
                registered: true,
            })),
            Inserted::NameTaken => None,
            Inserted::Failed => Some(Err(Refusal::Internal)),
        }
    }

    async fn turn_away(&self, password: Password) -> Result<Admitted, Refusal> {
        let place = self.pool.enter().await.map_err(|_| Refusal::Throttled)?;
        self.work(place, move |hasher| hasher.pretend(&password))
            .await;
        Err(Refusal::RegistrationClosed)
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
