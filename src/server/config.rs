//! What a server is made with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::listen::Listen;
use crate::accounts::HashCost;
use crate::actors::handler::{Handler, Upper};
use crate::actors::hub::Clock;
use crate::actors::session::SlowPolicy;
use crate::actors::supervisor::PhaseObserver;
use crate::log::{LogLimits, PaceLimits, Retention};
use crate::rate::Rate;
use crate::transport::{Endpoint, PeerTimeouts, TlsConfig};
use crate::wire::{MAX_FRAME, MAX_FRAME_BEFORE_LOGIN, Millis, Role};

/// What a server is made with. [`Config::default`] is what `arauto serve` runs,
/// but for the data folder, which is the embedding program's to choose.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen.
    pub listen: Vec<Listen>,
    /// Where accounts, and the journal, are kept; `None`: accounts last as long as
    /// the server runs.
    pub data: Option<PathBuf>,
    /// Keep broadcasts on disk, and how much of them; `None`: in memory only. It
    /// needs [`Config::data`].
    pub journal: Option<Retention>,
    /// The most that stopping may take.
    pub drain_timeout: Duration,
    /// Threads that sessions are spread over.
    pub arbiters: usize,
    /// The most sessions at once.
    pub max_sessions: usize,
    /// The most of one user.
    pub max_sessions_per_user: usize,
    /// The most of one peer: a user of this machine (a uid, a SID), or an address.
    pub max_sessions_per_peer: usize,
    /// The most that have not logged in.
    pub max_unauthenticated: usize,
    /// The certificate of `tls:` endpoints, which need one.
    pub tls: Option<TlsConfig>,
    /// The longest frame, in bytes without its prefix.
    pub max_frame: usize,
    /// The longest of somebody who has not logged in.
    pub max_frame_before_login: usize,
    /// Publishes of one session that are admitted and not answered, at most: those
    /// behind them are read later. Other frames are served one at a time.
    pub frames_in_work: usize,
    /// Requests and publishes of one session; `None` is as fast as they are answered.
    pub request_rate: Option<Rate>,
    /// Logins of one peer with one name, those left out that were right a short while
    /// ago.
    pub login_rate_per_user: Rate,
    /// The same, with whatever name.
    pub login_rate_per_peer: Rate,
    /// Accounts, whoever made them; where there are as many nobody registers.
    pub max_accounts: usize,
    /// From a connect to its login.
    pub login_timeout: Duration,
    /// Without a frame from a client; `None` is for ever.
    pub idle_timeout: Option<Duration>,
    /// When a TCP peer that answers nothing, because it lost power say, is given up.
    pub peer_timeouts: PeerTimeouts,
    /// What becomes of a reader that falls off the log's tail.
    pub slow: SlowPolicy,
    /// How much the log keeps, and how long publishers wait for readers.
    pub log: LogLimits,
    /// The role of those who register by themselves.
    pub default_role: Role,
    /// What one password hash costs.
    pub hash_cost: HashCost,
    /// Password hashes at once.
    pub hashing: usize,
    /// Logins of one peer that may wait for a hash.
    pub logins_waiting: usize,
    /// What answers requests, where the endpoint does not say.
    pub handler: Arc<dyn Handler>,
    /// Tells the time of a broadcast.
    pub clock: Clock,
    /// Hears of each phase of the stop when it is over; the first is `trigger`.
    pub on_phase: PhaseObserver,
}

impl Default for Config {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Config {
            listen: vec![Listen::new(Endpoint::Pipe("arauto".to_owned()))],
            data: None,
            journal: None,
            drain_timeout: Duration::from_secs(20),
            arbiters: 1,
            max_sessions: 20_000,
            max_sessions_per_user: 10_000,
            max_sessions_per_peer: 16_000,
            max_unauthenticated: 18_000,
            tls: None,
            max_frame: MAX_FRAME,
            max_frame_before_login: MAX_FRAME_BEFORE_LOGIN,
            frames_in_work: 32_768,
            request_rate: None,
            login_rate_per_user: Rate::a_minute(100),
            login_rate_per_peer: Rate::a_minute(10_000),
            max_accounts: 100_000,
            login_timeout: Duration::from_secs(10),
            idle_timeout: None,
            peer_timeouts: PeerTimeouts::default(),
            slow: SlowPolicy::Gap,
            log: LogLimits {
                bytes: 64 << 20,
                pace: PaceLimits::default(),
            },
            default_role: Role::Escritor,
            hash_cost: HashCost::default(),
            hashing: (cores / 2).max(1),
            logins_waiting: 20_000,
            handler: Arc::new(Upper),
            clock: Arc::new(Millis::now),
            on_phase: Arc::new(|_| {}),
        }
    }
}
