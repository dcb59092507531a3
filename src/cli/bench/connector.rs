//! How the bench's clients log in.

use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use arauto::{Client, ClientError, Endpoint, ErrorCode, RawSession, Trust};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::progress::Counter;
use crate::cli::exit::{Failure, sysexits};

/// Logins at once, where a burst of logins is not what is measured.
const AT_ONCE: usize = 64;

/// No login takes longer.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long to wait before another attempt where the server was busy.
const RETRY: Duration = Duration::from_millis(1);

/// Connects clients to the server, under the accounts `bench-1`, `bench-2`, …
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) endpoint: Endpoint,
    pub(super) trust: Trust,
    /// The prefix of each account's name.
    pub(super) user: String,
    pub(super) password: String,
    /// Attempts that were made again, as the server was busy.
    pub(super) retries: Counter,
}

impl Connector {
    /// Connects and logs in as the account of this number, counted from 0.
    pub(super) async fn log_in(&self, account: usize) -> Result<RawSession, Failure> {
        let user = self.account_name(account);
        let logging_in = async {
            loop {
                match self.try_log_in(&user).await {
                    Err(error) if is_busy(&error) => {
                        self.retries.add(1);
                        tokio::time::sleep(RETRY).await;
                    }
                    outcome => break outcome,
                }
            }
        };
        match tokio::time::timeout(DEADLINE, logging_in).await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => {
                let message = format!("{user} was not logged in within {DEADLINE:?}");
                Err(Failure::new(sysexits::TEMPFAIL, message))
            }
        }
    }

    /// Returns the name of the account of this number, counted from 0.
    pub(super) fn account_name(&self, account: usize) -> String {
        format!("{}-{}", self.user, account + 1)
    }

    async fn try_log_in(&self, user: &str) -> Result<RawSession, ClientError> {
        let connected = Client::connect_with(&self.endpoint, &self.trust).await?;
        connected.login_raw(user, &self.password).await
    }

    /// Logs `count` clients in, some at a time, spread over the accounts.
    pub(super) async fn log_in_all(
        &self,
        count: usize,
        accounts: Range<usize>,
        logged_in: &Counter,
    ) -> Result<Vec<RawSession>, Failure> {
        let accounts = accounts.cycle().take(count);
        let timed = self.log_in_timed(accounts, AT_ONCE, logged_in).await?;
        Ok(timed.into_iter().map(|(session, _)| session).collect())
    }

    /// Logs a client in for each of these accounts, `at_once` at a time, and returns how
    /// long each took.
    pub(super) async fn log_in_timed(
        &self,
        accounts: impl Iterator<Item = usize>,
        at_once: usize,
        logged_in: &Counter,
    ) -> Result<Vec<(RawSession, Duration)>, Failure> {
        let log_in = |account| async move {
            let began = Instant::now();
            let session = self.log_in(account).await?;
            logged_in.add(1);
            Ok((session, began.elapsed()))
        };
        let logging_in = stream::iter(accounts.map(log_in));
        logging_in.buffer_unordered(at_once).try_collect().await
    }
}

/// Returns whether the backlog is full (EAGAIN of connect(2)), or too many logins wait.
fn is_busy(error: &ClientError) -> bool {
    match error {
        ClientError::Connect { kind, .. } => *kind == io::ErrorKind::WouldBlock,
        _ => error.code() == Some(ErrorCode::Throttled),
    }
}
