//! How many there may be, how long and how fast.

use crate::rate::Rate;
use crate::wire::{MAX_FRAME, MAX_FRAME_BEFORE_LOGIN};

/// How many there may be, how long and how fast.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Sessions at once.
    pub max_sessions: usize,
    /// Sessions of one user.
    pub max_sessions_per_user: usize,
    /// Sessions of one peer: a user of this machine (a uid, a SID), or an address.
    pub max_sessions_per_peer: usize,
    /// Sessions that have not logged in.
    pub max_unauthenticated: usize,
    /// The longest frame, in bytes without its prefix.
    pub max_frame: usize,
    /// The longest frame of a client that has not logged in.
    pub max_frame_before_login: usize,
    /// Publishes of one session that are admitted and not answered; those behind them are
    /// read later. Other frames are served one at a time.
    pub frames_in_work: usize,
    /// Requests and publishes of one session; `None`: as fast as they are answered.
    pub request_rate: Option<Rate>,
    /// Logins of one peer with one name. Logins with a password that was right a short while
    /// ago do not count.
    pub login_rate_per_user: Rate,
    /// Logins of one peer, with any name.
    pub login_rate_per_peer: Rate,
    /// Accounts, however they were made. At the limit nobody registers.
    pub max_accounts: usize,
    /// Password hashes at once.
    pub hashing: usize,
    /// Logins of one peer that may wait for a hash.
    pub logins_waiting: usize,
    /// Threads that sessions are spread over.
    pub arbiters: usize,
    /// Bytes of the newest broadcasts that stay in memory for readers that lag.
    pub log_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Limits {
            max_sessions: 20_000,
            max_sessions_per_user: 10_000,
            max_sessions_per_peer: 16_000,
            max_unauthenticated: 18_000,
            max_frame: MAX_FRAME,
            max_frame_before_login: MAX_FRAME_BEFORE_LOGIN,
            frames_in_work: 32_768,
            request_rate: None,
            login_rate_per_user: Rate::a_minute(100),
            login_rate_per_peer: Rate::a_minute(10_000),
            max_accounts: 100_000,
            hashing: (cores / 2).max(1),
            logins_waiting: 20_000,
            arbiters: 1,
            log_bytes: 64 << 20,
        }
    }
}
