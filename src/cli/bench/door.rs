//! How the bench's clients come in.

use std::ops::Range;
use std::time::Duration;

use arauto::{Client, ClientError, Endpoint, ErrorCode, RawSession, Trust};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::watch::Count;
use crate::cli::exit::{Failure, sysexits};

/// Logins at once, where a storm is not the work.
const AT_ONCE: usize = 64;

/// No login takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How soon to knock again at a door that has too many before it.
const AGAIN: Duration = Duration::from_millis(1);

/// Where the server is, and who the clients are: `bench-1`, `bench-2`, …
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub(super) endpoint: Endpoint,
    pub(super) trust: Trust,
    /// What each account's name begins with.
    pub(super) user: String,
    pub(super) password: String,
    /// How often one was told to come again, as too many were before it.
    pub(super) again: Count,
}

impl Door {
    /// Connects and logs in as the account of this number.
    pub(super) async fn enter(&self, account: usize) -> Result<RawSession, Failure> {
        let user = format!("{}-{}", self.user, account + 1);
        let entered = async {
            loop {
                match self.try_enter(&user).await {
                    Err(error) if may_pass(&error) => {
                        self.again.add(1);
                        tokio::time::sleep(AGAIN).await;
                    }
                    outcome => break outcome,
                }
            }
        };
        match tokio::time::timeout(PATIENCE, entered).await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => {
                let message = format!("{user} was not let in within {PATIENCE:?}");
                Err(Failure::new(sysexits::TEMPFAIL, message))
            }
        }
    }

    async fn try_enter(&self, user: &str) -> Result<RawSession, ClientError> {
        let visitor = Client::connect_with(&self.endpoint, &self.trust).await?;
        visitor.login_raw(user, &self.password).await
    }

    /// Lets `count` clients in, a few at a time, spread over the accounts.
    pub(super) async fn enter_all(
        &self,
        count: usize,
        accounts: Range<usize>,
        entered: &Count,
    ) -> Result<Vec<RawSession>, Failure> {
        let (first, accounts) = (accounts.start, accounts.len().max(1));
        let enter = |client| async move {
            let session = self.enter(first + client % accounts).await?;
            entered.add(1);
            Ok(session)
        };
        let entering = stream::iter((0..count).map(enter));
        entering.buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Registers the accounts and checks their passwords, so that what follows
    /// waits for no hash.
    pub(super) async fn register(&self, accounts: usize, done: &Count) -> Result<(), Failure> {
        self.enter_all(accounts, 0..accounts, done).await.map(drop)
    }
}

/// The backlog is full (EAGAIN of connect(2)), or too many logins wait.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::Connect { kind, .. } => *kind == std::io::ErrorKind::WouldBlock,
        _ => error.code() == Some(ErrorCode::Throttled),
    }
}
