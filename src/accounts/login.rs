//! Checks logins and registers users.
//!
//! A login looks its name up, passes the throttle, and is compared with the password's hash; an
//! unknown name registers, where that is allowed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::account_store::{AccountStore, InsertOutcome};
use super::account_table::{AccountTable, FirstLogins, KnownAccount, Lookup, Reservation};
use super::hash_pool::{HashLoad, HashPermit};
use super::login_throttle::{AttemptPermit, LoginThrottle, ThrottleDecision};
use super::recent_login::RecentLogins;
use super::registration_policy::RegistrationPolicy;
use super::{
    Account, AccountNames, Admitted, Authorization, Claim, Hasher, LivePermissions, LoginLimits,
    LoginRefusal, Password, RevokedUsers, StoreError, UserName,
};
use crate::audit::AuditSink;
use crate::store::Store;
use crate::wire::Millis;

/// The users of one server.
#[derive(Debug)]
pub struct Accounts {
    table: Arc<AccountTable>,
    store: AccountStore,
    hasher: Hasher,
    /// The hash that passwords of unknown names are compared with.
    decoy_phc: Arc<str>,
    recents: RecentLogins,
    throttle: LoginThrottle,
    registration: RegistrationPolicy,
    sealed: AtomicBool,
    #[cfg(test)]
    hashed: std::sync::atomic::AtomicUsize,
}

const RANDOMNESS: &str = "the system provides randomness at the start";

impl Accounts {
    /// Opens the accounts of `store`; without one they last as long as the process.
    ///
    /// # Errors
    /// The database cannot be read.
    ///
    /// # Panics
    /// If the system provides no randomness.
    pub fn open(
        store: Option<Store>,
        hasher: Hasher,
        limits: LoginLimits,
    ) -> Result<Self, StoreError> {
        let table = Arc::new(AccountTable::default());
        let store = match store {
            Some(store) => AccountStore::open(store, Arc::clone(&table))?,
            None => AccountStore::Memory,
        };
        Ok(Accounts {
            table,
            store,
            decoy_phc: hasher.decoy().expect(RANDOMNESS).into(),
            hasher,
            recents: RecentLogins::new().expect(RANDOMNESS),
            throttle: LoginThrottle::new(&limits),
            registration: RegistrationPolicy::new(&limits),
            sealed: AtomicBool::new(false),
            #[cfg(test)]
            hashed: Default::default(),
        })
    }

    /// Returns the count of passwords that were hashed.
    #[cfg(test)]
    pub(super) fn hashed(&self) -> usize {
        self.hashed.load(Ordering::Acquire)
    }

    /// Makes the account one that was registered long ago.
    #[cfg(test)]
    pub(super) fn let_moment_pass(&self, user: &UserName) {
        self.table.let_moment_pass(user);
    }

    /// Makes the account one that was registered and last used long ago.
    #[cfg(test)]
    pub(super) fn forget(&self, user: &UserName) {
        self.table.forget(user);
    }

    /// Whether other processes may change the accounts while this one runs.
    pub fn are_shared(&self) -> bool {
        matches!(self.store, AccountStore::Disk { .. })
    }

    /// Returns what tells how many passwords are hashed and how many logins wait.
    pub fn hash_load(&self) -> HashLoad {
        self.throttle.load()
    }

    /// Returns what tells whether there is an account of a name.
    pub fn names(&self) -> AccountNames {
        AccountNames::new(&self.table)
    }

    /// Returns the permissions of sessions without an account: the rules for all accounts.
    pub fn nameless_permissions(&self) -> Arc<LivePermissions> {
        self.table.nameless()
    }

    /// Sets the callback for users whose sessions have lost a grant. It is called on the store's
    /// thread. Only the first one that is set is used.
    pub fn on_revoked(&self, callback: impl Fn(RevokedUsers) + Send + Sync + 'static) {
        self.store.on_revoked(Box::new(callback));
    }

    /// Sets the sink of the changes that other processes make. Only the first one that is set is used.
    pub(crate) fn set_audit(&self, audit: AuditSink) {
        self.store.set_audit(audit);
    }

    /// Reads the accounts again if another process has changed them. Waits for earlier jobs of
    /// the store.
    pub async fn reload_changes(&self) {
        self.store.refresh().await; // an error shows at the next login
    }

    /// Changes the limits and the role of new accounts. The number of hashes at once stays.
    pub fn set_limits(&self, limits: &LoginLimits) {
        self.registration.set(limits);
        self.throttle.set(limits);
    }

    /// Refuses every login that is not answered yet; those that wait are refused at once.
    pub fn seal(&self) {
        self.sealed.store(true, Ordering::Release);
        self.throttle.close();
    }

    /// Checks a claim; the first claim to a name registers it. Dropping the future cancels the
    /// login; an account that is being registered may exist all the same.
    ///
    /// # Errors
    /// The claim is refused.
    pub async fn login(&self, claim: &Claim) -> Result<Admitted, LoginRefusal> {
        let outcome = self.try_login(claim).await;
        if self.sealed.load(Ordering::Acquire) {
            return Err(LoginRefusal::Stopping);
        }
        outcome
    }

    async fn try_login(&self, claim: &Claim) -> Result<Admitted, LoginRefusal> {
        let user = UserName::parse(&claim.user)?;
        let is_certified = claim.is_certified(&user)?;
        let password = Password::parse(&claim.password).ok();
        if !self.store.refresh().await {
            return Err(LoginRefusal::AccountsUnreadable);
        }
        match password {
            _ if is_certified => self.log_in_certified(user, password, claim).await,
            Some(password) => {
                let outcome = self.log_in_by_password(user, password, claim).await;
                if let Ok(admitted) = &outcome {
                    self.throttle.forgive(&admitted.user, &claim.peer);
                }
                outcome
            }
            None => Err(LoginRefusal::BadCredentials),
        }
    }

    /// Logs in a user whose certificate names it. The password is used only if the name
    /// registers: it becomes the account's.
    async fn log_in_certified(
        &self,
        user: UserName,
        password: Option<Password>,
        claim: &Claim,
    ) -> Result<Admitted, LoginRefusal> {
        loop {
            if self.sealed.load(Ordering::Acquire) {
                return Err(LoginRefusal::Stopping);
            }
            let may_register = self.registers(claim);
            match self.table.find(&user, may_register && password.is_some()) {
                Lookup::Known(known) => return Ok(admitted(user, known.by_certificate())),
                Lookup::Invalid => return Err(LoginRefusal::InvalidAccount),
                Lookup::Registering(mut over) => while over.changed().await.is_ok() {},
                Lookup::Unknown(Some(reservation)) => {
                    let password = password.as_ref().expect("without one nothing is reserved");
                    let registered = self.register(&user, password, claim, reservation).await;
                    if let Some(outcome) = registered {
                        return outcome;
                    }
                }
                Lookup::Unknown(None) if may_register => return Err(LoginRefusal::BadCredentials),
                Lookup::Unknown(None) => return Err(claim.refusal_to_register()),
            }
        }
    }

    /// Logs in a user with the right password; the first login of an unknown name registers it.
    async fn log_in_by_password(
        &self,
        user: UserName,
        password: Password,
        claim: &Claim,
    ) -> Result<Admitted, LoginRefusal> {
        loop {
            if self.sealed.load(Ordering::Acquire) {
                return Err(LoginRefusal::Stopping);
            }
            match self.table.find(&user, self.registers(claim)) {
                Lookup::Known(known) => {
                    let was_right = self.was_right(&user, &password, &known);
                    if was_right && known.was_last_local_user(&claim.peer) {
                        return Ok(admitted(user, known.by_password()));
                    }
                    match self
                        .throttle
                        .admit(&user, claim, &known.first_logins)
                        .await?
                    {
                        ThrottleDecision::LookUpAgain => {}
                        ThrottleDecision::Permitted(permit) if was_right => {
                            permit.succeed();
                            return Ok(admitted(user, known.by_password()));
                        }
                        ThrottleDecision::Permitted(permit) => {
                            return self.check(user, &password, claim, &known, permit).await;
                        }
                    }
                }
                Lookup::Invalid => return Err(LoginRefusal::InvalidAccount),
                // The channel closes when the other first login ends, whatever its result.
                Lookup::Registering(mut over) => while over.changed().await.is_ok() {},
                Lookup::Unknown(Some(reservation)) => {
                    let registered = self.register(&user, &password, claim, reservation).await;
                    if let Some(outcome) = registered {
                        return outcome;
                    }
                }
                Lookup::Unknown(None) => {
                    self.match_decoy(&user, &password);
                    if let ThrottleDecision::Permitted(permit) = self
                        .throttle
                        .admit(&user, claim, &FirstLogins::NONE)
                        .await?
                    {
                        return self.refuse_unknown(&user, password, claim, permit).await;
                    }
                }
            }
        }
    }

    /// Whether an unknown name registers now.
    fn registers(&self, claim: &Claim) -> bool {
        claim.may_register && self.registration.has_room(self.table.len())
    }

    async fn check(
        &self,
        user: UserName,
        password: &Password,
        claim: &Claim,
        known: &KnownAccount,
        permit: AttemptPermit<'_>,
    ) -> Result<Admitted, LoginRefusal> {
        let place = self.throttle.hash_permit(&permit, claim).await?;
        // Another login of the same user may have succeeded meanwhile.
        if let Lookup::Known(known) = self.table.find(&user, false)
            && self.was_right(&user, password, &known)
        {
            permit.succeed();
            return Ok(admitted(user, known.by_password()));
        }
        let (phc, guess) = (Arc::clone(&known.phc), password.clone());
        let right = self.work(place, move |hasher| hasher.verify(&guess, &phc));
        match right.await {
            Some(true) => {
                self.remember(&user, password, &known.phc, claim);
                permit.succeed();
                Ok(admitted(user, known.by_password()))
            }
            Some(false) => {
                permit.fail();
                Err(LoginRefusal::BadCredentials)
            }
            None => Err(LoginRefusal::Internal),
        }
    }

    fn was_right(&self, user: &UserName, password: &Password, known: &KnownAccount) -> bool {
        let recent = known.recent.as_ref();
        self.recents.matches(recent, user, &known.phc, password)
    }

    /// Does the work of [`Accounts::was_right`] for an unknown name.
    fn match_decoy(&self, user: &UserName, password: &Password) {
        let never = self.recents.matches(None, user, &self.decoy_phc, password);
        debug_assert!(!never, "no login of an unknown name is remembered");
    }

    fn remember(&self, user: &UserName, password: &Password, phc: &str, claim: &Claim) {
        let recent = self.recents.remember(user, phc, password, &claim.peer);
        self.table.remember(user, phc, recent);
    }

    /// Registers the name. Returns `None` if another process has registered it meanwhile.
    async fn register(
        &self,
        user: &UserName,
        password: &Password,
        claim: &Claim,
        reservation: Reservation,
    ) -> Option<Result<Admitted, LoginRefusal>> {
        let place = match self.throttle.registration_permit(claim).await {
            Ok(place) => place,
            Err(refusal) => return Some(Err(refusal)),
        };
        let secret = password.clone();
        let Some(Ok(phc)) = self.work(place, move |hasher| hasher.hash(&secret)).await else {
            return Some(Err(LoginRefusal::Internal));
        };
        let account = Account {
            name: user.clone(),
            phc,
            role: self.registration.role(),
            created: Millis::now(),
        };
        let inserted = self.store.insert(&self.table, account.clone()).await;
        if matches!(inserted, InsertOutcome::Registered(_)) {
            self.remember(user, password, &account.phc, claim);
        }
        drop(reservation);
        match inserted {
            InsertOutcome::Registered(known) => Some(Ok(Admitted {
                registered: true,
                ..admitted(user.clone(), granted(&known, claim))
            })),
            InsertOutcome::NameTaken => None,
            InsertOutcome::Failed => Some(Err(LoginRefusal::Internal)),
        }
    }

    /// Refuses an unknown name, with the same work as a wrong password.
    async fn refuse_unknown(
        &self,
        user: &UserName,
        password: Password,
        claim: &Claim,
        permit: AttemptPermit<'_>,
    ) -> Result<Admitted, LoginRefusal> {
        let place = self.throttle.hash_permit(&permit, claim).await?;
        self.match_decoy(user, &password);
        let phc = Arc::clone(&self.decoy_phc);
        self.work(place, move |hasher| hasher.verify(&password, &phc))
            .await;
        permit.fail();
        Err(claim.refusal_to_register())
    }

    /// Hashes in the pool. Returns `None` if that panicked.
    async fn work<T: Send + 'static>(
        &self,
        place: HashPermit,
        work: impl FnOnce(&Hasher) -> T + Send + 'static,
    ) -> Option<T> {
        #[cfg(test)]
        self.hashed.fetch_add(1, Ordering::AcqRel);
        let hasher = self.hasher.clone();
        let done = place.run(move || work(&hasher)).await;
        if self.throttle.is_quiet() {
            self.hasher.release_memory();
        }
        done
    }
}

fn admitted(user: UserName, authorization: Authorization) -> Admitted {
    Admitted {
        user,
        authorization,
        registered: false,
    }
}

/// Returns the authorization of the login that created the account.
fn granted(known: &KnownAccount, claim: &Claim) -> Authorization {
    match claim.certified_user {
        Some(_) => known.by_certificate(),
        None => known.by_password(),
    }
}
