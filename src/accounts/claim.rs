//! A login's claim, and its answers.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Authorization, NameError, PeerId, UserName};
use crate::rate::Rate;
use crate::wire::{Quote, Role};

/// A client's claim to be a user.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The name, as received.
    pub user: String,
    /// The password, as received.
    pub password: String,
    /// The name in the client's certificate: it needs no password, and no other name can be
    /// claimed.
    pub certified_user: Option<String>,
    /// Whether an unknown name registers.
    pub may_register: bool,
    /// The peer.
    pub peer: PeerId,
    /// Cancelled when the client no longer waits for the answer.
    pub cancel: CancellationToken,
}

impl Claim {
    /// Returns why its name, which is unknown, does not register.
    pub(super) fn refusal_to_register(&self) -> LoginRefusal {
        match self.may_register {
            true => LoginRefusal::AccountLimitReached,
            false => LoginRefusal::RegistrationClosed,
        }
    }

    /// Whether a certificate names this user.
    ///
    /// # Errors
    /// The certificate names another user.
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

    /// Whether the client no longer waits for the answer.
    pub(super) fn is_abandoned(&self) -> bool {
        self.cancel.is_cancelled()
    }
}

/// An accepted claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The user.
    pub user: UserName,
    /// The account's authorization, which follows later changes.
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

/// Why a claim is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginRefusal {
    /// The name is not valid.
    #[error(transparent)]
    BadName(#[from] NameError),
    /// The password is wrong.
    #[error("wrong user name or password")]
    BadCredentials,
    /// The name is unknown and the endpoint does not register users.
    #[error(
        "unknown user, and registration is closed on this endpoint; ask the operator for an account"
    )]
    RegistrationClosed,
    /// The certificate names another user.
    #[error(
        "the certificate is for {}, and {} cannot log in with it",
        Quote::new(certificate),
        Quote::new(user)
    )]
    CertificateMismatch {
        /// The user in the certificate.
        certificate: String,
        /// The claimed user.
        user: String,
    },
    /// The name is unknown and the limit of accounts is reached.
    #[error(
        "unknown user, and the server has reached its limit of accounts; ask the operator for \
         one"
    )]
    AccountLimitReached,
    /// The account's row in the database is invalid; the server's log has the reason.
    #[error(
        "this account cannot be used, as its record is invalid; ask the operator: the server's \
         log has the reason"
    )]
    InvalidAccount,
    /// The accounts cannot be read, so the claim cannot be checked.
    #[error("the server cannot read its accounts and refuses all logins; try again later")]
    AccountsUnreadable,
    /// There are too many logins.
    #[error("{too_many}")]
    Throttled {
        /// Names the logins that are too many.
        too_many: &'static str,
        /// The time until a retry may succeed.
        wait: Duration,
    },
    /// The server takes no logins.
    #[error("the server takes no new sessions: log in to another one, or try again later")]
    Draining,
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// The client has disconnected.
    #[error("the client has disconnected")]
    Abandoned,
    /// The account could not be written; the server's log has the reason.
    #[error(
        "the account could not be written and is not registered; the server's log has the reason"
    )]
    Internal,
}

/// The limits of logins, and the role of new accounts.
#[derive(Debug, Clone, Copy)]
pub struct LoginLimits {
    /// Concurrent hashes.
    pub hashing: usize,
    /// Logins of one peer that may wait for a hash.
    pub waiting: usize,
    /// Login attempts per user and peer.
    pub user_rate: Rate,
    /// Login attempts per peer.
    pub peer_rate: Rate,
    /// The most accounts; with as many, no user registers.
    pub accounts: usize,
    /// The role of users who register themselves.
    pub default_role: Role,
}
