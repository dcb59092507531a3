//! The configuration of a server.
//!
//! [`Config`] is plain data in groups: [`Limits`], [`Timeouts`] and [`Storage`] beside the
//! endpoints, the certificate and the functions that an embedding program brings.

mod applies;
mod entry;
mod limits;
mod storage;
mod timeouts;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::applies::Applies;
pub(super) use self::entry::{Described, Entry};
pub use self::limits::Limits;
pub use self::storage::Storage;
pub use self::timeouts::Timeouts;
pub use self::value::{Unit, Value};
use super::listen::Listen;
use crate::accounts::HashCost;
use crate::actors::handler::{Handler, Upper};
use crate::actors::hub::Clock;
use crate::actors::session::SlowPolicy;
use crate::actors::supervisor::PhaseObserver;
use crate::audit::Audit;
use crate::log::{BackpressureLimits, LogLimits};
use crate::transport::{Endpoint, PassedSocket, TlsConfig};
use crate::wire::{Millis, Role};

/// The configuration of a server. [`Config::default`] is that of `arauto serve`, without
/// its data folder: an embedding program chooses its own.
///
/// ```
/// use std::time::Duration;
///
/// let mut config = arauto::Config::default();
/// config.limits.max_sessions = 100;
/// config.timeouts.idle = Some(Duration::from_secs(60));
/// config.storage.data = Some("/var/lib/prices".into());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The endpoints to listen on.
    pub listen: Vec<Listen>,
    /// Listening sockets that were made elsewhere, for the endpoints `systemd:NAME`. Each is for the
    /// endpoint of its name, and several may have one name.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// let folder = tempfile::tempdir()?;
    /// let socket = std::os::unix::net::UnixListener::bind(folder.path().join("a.sock"))?;
    ///
    /// let mut config = arauto::Config::default();
    /// config.listen = vec!["systemd:web?dialect=text".parse()?];
    /// config.sockets = vec![arauto::PassedSocket::new("web", socket)];
    /// # }
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub sockets: Vec<PassedSocket>,
    /// Where accounts and broadcasts are kept.
    pub storage: Storage,
    /// The certificate of `tls:` endpoints, which need one.
    pub tls: Option<TlsConfig>,
    /// How many there may be, how long and how fast.
    pub limits: Limits,
    /// How long the server waits.
    pub timeouts: Timeouts,
    /// How long publishers wait for readers that lag.
    pub backpressure: BackpressureLimits,
    /// The policy for a reader that the log no longer reaches back to.
    pub slow: SlowPolicy,
    /// The role of users who register by their first login.
    pub default_role: Role,
    /// The cost of one password hash.
    pub hash_cost: HashCost,
    /// Answers requests, on endpoints that name no handler of their own.
    pub handler: Arc<dyn Handler>,
    /// Handlers under the names of services: the server itself answers requests that name them, and no
    /// client may offer them. A name has 1 to 64 bytes.
    pub services: BTreeMap<String, Arc<dyn Handler>>,
    /// Tells the time of a broadcast.
    pub clock: Clock,
    /// Is called at the end of each phase of the stop; the first is `trigger`.
    pub on_phase: PhaseObserver,
    /// Is told of logins, refusals, and changes of accounts and rules.
    pub audit: Option<Arc<dyn Audit>>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: vec![Listen::new(Endpoint::Pipe("arauto".to_owned()))],
            sockets: Vec::new(),
            storage: Storage::default(),
            tls: None,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            backpressure: BackpressureLimits::default(),
            slow: SlowPolicy::Gap,
            default_role: Role::Escritor,
            hash_cost: HashCost::default(),
            handler: Arc::new(Upper),
            services: BTreeMap::new(),
            clock: Arc::new(Millis::now),
            on_phase: Arc::new(|_| {}),
            audit: None,
        }
    }
}

impl Config {
    /// Returns the limits of the log in memory.
    pub(super) fn log(&self) -> LogLimits {
        LogLimits {
            bytes: self.limits.log_bytes,
            backpressure: self.backpressure,
        }
    }
}
