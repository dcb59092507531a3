//! A login, from the claim to the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::gate::{Gate, Look, Next};
use super::keeper::{Inserted, Keeper};
use super::pool::Place;
use super::recent::Recents;
use super::table::{Firsts, Found, Known, Reservation, Table};
use super::{
    Account, Admitted, Claim, Hasher, LoginLimits, Password, Refusal, Standing, StoreError,
    UserName,
};
use crate::store::Store;
use crate::wire::{Millis, Role};

/// The users of one server.
#[derive(Debug)]
pub struct Accounts {
    table: Arc<Table>,
    keeper: Keeper,
    hasher: Hasher,
    /// What the passwords of unknown names are held against.
    nobodys: Arc<str>,
    recents: Recents,
    gate: Gate,
    most: usize,
    default_role: Role,
    sealed: AtomicBool,
    #[cfg(test)]
    hashed: std::sync::atomic::AtomicUsize,
}

const RANDOMNESS: &str = "the system has randomness to give at the start";

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
            nobodys: hasher.nobodys().expect(RANDOMNESS).into(),
            hasher,
            recents: Recents::new().expect(RANDOMNESS),
            gate: Gate::new(&limits),
            most: limits.accounts,
            default_role: limits.default_role,
            sealed: AtomicBool::new(false),
            #[cfg(test)]
            hashed: Default::default(),
        })
    }

    /// How many passwords have been hashed.
    #[cfg(test)]
    pub(super) fn hashed(&self) -> usize {
        self.hashed.load(Ordering::Acquire)
    }

    /// As if it had been registered long ago.
    #[cfg(test)]
    pub(super) fn let_moment_pass(&self, user: &UserName) {
        self.table.let_moment_pass(user);
    }

    /// As if it had been registered, and last logged in to, long ago.
    #[cfg(test)]
    pub(super) fn forget(&self, user: &UserName) {
        self.table.forget(user);
    }

    /// Whether other processes may change the accounts while this one runs.
    pub fn are_shared(&self) -> bool {
        matches!(self.keeper, Keeper::Disk { .. })
    }

    /// Has `tell` called, on the store's thread, with the users whose sessions have been
    /// granted less. The first caller counts.
    pub fn on_revoked(&self, tell: impl Fn(Vec<UserName>) + Send + Sync + 'static) {
        self.keeper.on_revoked(Box::new(tell));
    }

    /// Takes over what other processes have changed. Waits behind what the store does.
    pub async fn look_for_changes(&self) {
        self.keeper.refresh().await; // the next login fails where this does
    }

    /// Refuses every login that has not been answered yet, at once where it only waits.
    pub fn seal(&self) {
        self.sealed.store(true, Ordering::Release);
        self.gate.close();
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
        let is_vouched = claim.is_vouched(&user)?;
        let password = Password::parse(&claim.password).ok();
        if !self.keeper.refresh().await {
            return Err(Refusal::AccountsUnreadable);
        }
        match password {
            _ if is_vouched => self.admit(user, password, claim).await,
            Some(password) => {
                let outcome = self.compare(user, password, claim).await;
                if let Ok(admitted) = &outcome {
                    self.gate.forgive(&admitted.user, &claim.peer);
                }
                outcome
            }
            None => Err(Refusal::BadCredentials),
        }
    }

    /// Lets in whom somebody trusted vouches for. The password counts only where the name
    /// registers: it becomes the account's.
    async fn admit(
        &self,
        user: UserName,
        password: Option<Password>,
        claim: &Claim,
    ) -> Result<Admitted, Refusal> {
        loop {
            if self.sealed.load(Ordering::Acquire) {
                return Err(Refusal::Stopping);
            }
            let may_register = self.registers(claim);
            match self.table.find(&user, may_register && password.is_some()) {
                Found::Known(known) => return Ok(admitted(user, known.by_certificate())),
                Found::Unusable => return Err(Refusal::Unusable),
                Found::Busy(mut over) => while over.changed().await.is_ok() {},
                Found::Free(Some(reservation)) => {
                    let password = password.as_ref().expect("without one nothing is reserved");
                    let registered = self.register(&user, password, claim, reservation).await;
                    if let Some(outcome) = registered {
                        return outcome;
                    }
                }
                Found::Free(None) if may_register => return Err(Refusal::BadCredentials),
                Found::Free(None) => return Err(closed(claim)),
            }
        }
    }

    /// Lets in whose password is right; of an unknown name the first that comes.
    async fn compare(
        &self,
        user: UserName,
        password: Password,
        claim: &Claim,
    ) -> Result<Admitted, Refusal> {
        loop {
            if self.sealed.load(Ordering::Acquire) {
                return Err(Refusal::Stopping);
            }
            match self.table.find(&user, self.registers(claim)) {
                Found::Known(known) => {
                    let was_right = self.was_right(&user, &password, &known);
                    if was_right && known.is_at_home(&claim.peer) {
                        return Ok(admitted(user, known.by_password()));
                    }
                    match self.gate.next(&user, claim, &known.firsts).await? {
                        Next::Again => {}
                        Next::Look(look) if was_right => {
                            look.right();
                            return Ok(admitted(user, known.by_password()));
                        }
                        Next::Look(look) => {
                            return self.check(user, &password, claim, &known, look).await;
                        }
                    }
                }
                Found::Unusable => return Err(Refusal::Unusable),
                // Closed when the other first login is over, however it ended.
                Found::Busy(mut over) => while over.changed().await.is_ok() {},
                Found::Free(Some(reservation)) => {
                    let registered = self.register(&user, &password, claim, reservation).await;
                    if let Some(outcome) = registered {
                        return outcome;
                    }
                }
                Found::Free(None) => {
                    self.look_for_nobody(&user, &password);
                    if let Next::Look(look) = self.gate.next(&user, claim, &Firsts::NONE).await? {
                        return self.turn_away(&user, password, claim, look).await;
                    }
                }
            }
        }
    }

    /// Whether an unknown name registers now.
    fn registers(&self, claim: &Claim) -> bool {
        claim.may_register && self.table.len() < self.most
    }

    async fn check(
        &self,
        user: UserName,
        password: &Password,
        claim: &Claim,
        known: &Known,
        look: Look<'_>,
    ) -> Result<Admitted, Refusal> {
        let place = self.gate.place_for(&look, claim).await?;
        // Another login of the same user may have been found right meanwhile.
        if let Found::Known(known) = self.table.find(&user, false)
            && self.was_right(&user, password, &known)
        {
            look.right();
            return Ok(admitted(user, known.by_password()));
        }
        let (phc, guess) = (Arc::clone(&known.phc), password.clone());
        let right = self.work(place, move |hasher| hasher.verify(&guess, &phc));
        match right.await {
            Some(true) => {
                self.remember(&user, password, &known.phc, claim);
                look.right();
                Ok(admitted(user, known.by_password()))
            }
            Some(false) => {
                look.wrong();
                Err(Refusal::BadCredentials)
            }
            None => Err(Refusal::Internal),
        }
    }

    fn was_right(&self, user: &UserName, password: &Password, known: &Known) -> bool {
        let recent = known.recent.as_ref();
        self.recents.knows(recent, user, &known.phc, password)
    }

    /// The work of [`Accounts::was_right`] for a name that nobody has.
    fn look_for_nobody(&self, user: &UserName, password: &Password) {
        let never = self.recents.knows(None, user, &self.nobodys, password);
        debug_assert!(!never, "nothing is remembered of nobody");
    }

    fn remember(&self, user: &UserName, password: &Password, phc: &str, claim: &Claim) {
        let recent = self.recents.remember(user, phc, password, &claim.peer);
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
        let place = match self.gate.place(claim).await {
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
        if matches!(inserted, Inserted::Yes(_)) {
            self.remember(user, password, &account.phc, claim);
        }
        drop(reservation);
        match inserted {
            Inserted::Yes(known) => Some(Ok(Admitted {
                registered: true,
                ..admitted(user.clone(), granted(&known, claim))
            })),
            Inserted::NameTaken => None,
            Inserted::Failed => Some(Err(Refusal::Internal)),
        }
    }

    /// An unknown name costs what a known one with a wrong password costs.
    async fn turn_away(
        &self,
        user: &UserName,
        password: Password,
        claim: &Claim,
        look: Look<'_>,
    ) -> Result<Admitted, Refusal> {
        let place = self.gate.place_for(&look, claim).await?;
        self.look_for_nobody(user, &password);
        let phc = Arc::clone(&self.nobodys);
        self.work(place, move |hasher| hasher.verify(&password, &phc))
            .await;
        look.wrong();
        Err(closed(claim))
    }

    /// Hashes in the pool. `None` if it panicked.
    async fn work<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&Hasher) -> T + Send + 'static,
    ) -> Option<T> {
        #[cfg(test)]
        self.hashed.fetch_add(1, Ordering::AcqRel);
        let hasher = self.hasher.clone();
        let done = place.run(move || work(&hasher)).await;
        if self.gate.is_quiet() {
            self.hasher.let_go();
        }
        done
    }
}

/// Why nobody registers.
fn closed(claim: &Claim) -> Refusal {
    match claim.may_register {
        true => Refusal::NoMoreAccounts,
        false => Refusal::RegistrationClosed,
    }
}

fn admitted(user: UserName, standing: Standing) -> Admitted {
    Admitted {
        user,
        standing,
        registered: false,
    }
}

/// Returns the grant of a new account to the login that made it.
fn granted(known: &Known, claim: &Claim) -> Standing {
    match claim.vouched {
        Some(_) => known.by_certificate(),
        None => known.by_password(),
    }
}
