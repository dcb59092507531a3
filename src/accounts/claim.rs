//! What a login says, and what it is told.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Authorization, NameError, PeerId, UserName};
use crate::rate::Rate;
use crate::wire::{Quote, Role};

/// A client's word that it is somebody.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The name, as it came.
    pub user: String,
    /// The password, as it came.
    pub password: String,
    /// The name that somebody trusted vouches for: whoever claims it needs no password,
    /// and nothing else can be claimed.
    pub certified_user: Option<String>,
    /// Whether an unknown name registers.
    pub may_register: bool,
    /// Where it comes from.
    pub peer: PeerId,
    /// Is cancelled when nobody waits for the answer any more.
    pub cancel: CancellationToken,
}

impl Claim {
    /// Whether somebody vouches for this user.
    pub(super) fn is_certified(&self, user: &UserName) -> Result<bool, LoginRefusal> {
        match &self.certified_user {
            None => Ok(false),
            Some(name) if UserName::parse(name).as_ref() == Ok(user) => Ok(true),
            Some(name) => Err(LoginRefusal::CertificateMismatch {
                certificate: name.clone(),
                user: user.to_string(),
            }),
        }
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.cancel.is_cancelled()
    }
}

/// A claim that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The user.
    pub user: UserName,
    /// The account's grant, now and later.
    pub authorization: Authorization,
    /// Whether this login created the account.
    pub registered: bool,
}

impl Admitted {
    /// Returns the user's current role.
    pub fn role(&self) -> Role {
        self.authorization.role()
    }
}

/// A claim that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginRefusal {
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
    /// The certificate is another user's.
    #[error(
        "the certificate is for {}, and {} cannot log in with it",
        Quote::new(certificate),
        Quote::new(user)
    )]
    CertificateMismatch {
        /// Whom the certificate vouches for.
        certificate: String,
        /// Who was claimed.
        user: String,
    },
    /// There are as many accounts as the server keeps.
    #[error(
        "nobody of that name, and there are as many accounts as this server keeps: ask the \
         operator for one"
    )]
    AccountLimitReached,
    /// The account's row in the database is invalid; the server's log says why.
    #[error(
        "this account cannot be used, as its record is invalid: ask the operator, the server's \
         log says what is wrong"
    )]
    InvalidAccount,
    /// The accounts cannot be read, so that nobody knows whether the claim holds.
    #[error(
        "the server cannot read its accounts, and lets nobody in until it can: try again later"
    )]
    AccountsUnreadable,
    /// Not now.
    #[error("{too_many}")]
    Throttled {
        /// What there are too many of.
        too_many: &'static str,
        /// When it can be tried again.
        wait: Duration,
    },
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// Whoever asked has gone.
    #[error("nobody waits for this login any more")]
    Abandoned,
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
    /// Accounts, whoever made them; where there are as many nobody registers.
    pub accounts: usize,
    /// The role of those who register by themselves.
    pub default_role: Role,
}
