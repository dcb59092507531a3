//! What `serve` can be told, by flags and by a file of the same names.

use std::path::{Path, PathBuf};
use std::time::Duration;

use arauto::{Config, Listen, Rate, Retention, Role, SlowPolicy, TlsConfig};
use bytesize::ByteSize;
use serde::{Deserialize, Deserializer};

use super::bounded;
use super::exit::{Failure, sysexits};
use super::logs::LogForm;
use super::os;
use super::tls::Pair;

/// The longest config file, in bytes.
const LONGEST_FILE: usize = 1 << 20;

/// Every setting of the server. A flag wins over the file, the file over the
/// default.
#[derive(Debug, Default, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Settings {
    /// Listen here; can be given more than once [default: pipe:arauto]. Options
    /// follow a `?`, as in `unix:/run/a.sock?dialect=text&max=10`.
    #[arg(long, value_name = "ENDPOINT")]
    pub(super) listen: Vec<String>,

    /// Keep accounts, and the journal, in this folder; `none`: accounts only while the
    /// server runs [default: $STATE_DIRECTORY, else /var/lib/arauto for root, else
    /// $XDG_STATE_HOME/arauto].
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,

    /// Keep broadcasts on disk too: each is there before anybody hears of it, and
    /// clients resume across a restart (see docs/journal.md).
    #[arg(long)]
    pub(super) journal: bool,

    /// The journal keeps the newest broadcasts, so many bytes of them [default: 1GiB].
    #[arg(long, value_name = "BYTES")]
    pub(super) retain_bytes: Option<ByteSize>,

    /// The journal keeps broadcasts for so long [default: as long as they fit].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "time")]
    pub(super) retain_age: Option<Duration>,

    /// The most that stopping may take [default: 20s].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "time")]
    pub(super) drain_timeout: Option<Duration>,

    /// Write the report of the stop into this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,

    /// The log's form [default: human].
    #[arg(long, value_name = "FORM")]
    pub(super) log: Option<LogForm>,

    /// Threads that sessions are spread over [default: 1; see docs/architecture.md].
    #[arg(long, value_name = "N")]
    pub(super) arbiters: Option<usize>,

    /// The most sessions at once [default: 20000, or as many as there are descriptors for].
    #[arg(long, value_name = "N")]
    pub(super) max_sessions: Option<usize>,

    /// The most sessions of one user [default: 10000].
    #[arg(long, value_name = "N")]
    pub(super) max_sessions_per_user: Option<usize>,

    /// The most sessions of one peer: a user of this machine, or an address [default: 16000].
    #[arg(long, value_name = "N")]
    pub(super) max_sessions_per_peer: Option<usize>,

    /// The most sessions that have not logged in [default: 18000].
    #[arg(long, value_name = "N")]
    pub(super) max_unauthenticated: Option<usize>,

    /// The longest frame [default: 1MiB].
    #[arg(long, value_name = "BYTES")]
    pub(super) max_frame: Option<ByteSize>,

    /// The longest frame of somebody who has not logged in [default: 16KiB].
    #[arg(long, value_name = "BYTES")]
    pub(super) max_frame_before_login: Option<ByteSize>,

    /// Publishes of one session that may wait for their answers at once [default: 32768].
    #[arg(long, value_name = "N")]
    pub(super) frames_in_work: Option<usize>,

    /// Requests and publishes of one session, as 1000/s, 100/m or 10/h; those above are
    /// answered `throttled` [default: as fast as they are answered].
    #[arg(long, value_name = "RATE")]
    pub(super) request_rate: Option<Rate>,

    /// Logins with one name that one peer has looked at [default: 100/m].
    #[arg(long, value_name = "RATE")]
    pub(super) login_rate_per_user: Option<Rate>,

    /// Logins that one peer has looked at [default: 10000/m].
    #[arg(long, value_name = "RATE")]
    pub(super) login_rate_per_peer: Option<Rate>,

    /// Passwords that are hashed at once [default: half the cores].
    #[arg(long, value_name = "N")]
    pub(super) hashing: Option<usize>,

    /// Logins of one peer that may wait for a hash [default: 20000].
    #[arg(long, value_name = "N")]
    pub(super) logins_waiting: Option<usize>,

    /// Accounts; where there are as many nobody registers [default: 100000].
    #[arg(long, value_name = "N")]
    pub(super) max_accounts: Option<usize>,

    /// From a connect to its login [default: 10s].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "time")]
    pub(super) login_timeout: Option<Duration>,

    /// End a session that sends no frame for so long [default: never].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "time")]
    pub(super) idle_timeout: Option<Duration>,

    /// Probe a TCP peer that has been silent for so long [default: 15s].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "time")]
    pub(super) keepalive_idle: Option<Duration>,

    /// Probe it again after so long without an answer [default: 5s].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "time")]
    pub(super) keepalive_interval: Option<Duration>,

    /// Give it up after so many probes without an answer [default: 3].
    #[arg(long, value_name = "N")]
    pub(super) keepalive_count: Option<u32>,

    /// Give up a TCP peer that has not acknowledged what was sent for so long [default: 30s].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "time")]
    pub(super) tcp_user_timeout: Option<Duration>,

    /// The certificate of tls: endpoints, with those that lead from it to a root: a PEM
    /// file [default: tls/cert.pem in the data folder, as `arauto tls init` makes it].
    #[arg(long, value_name = "FILE")]
    pub(super) tls_cert: Option<PathBuf>,

    /// The key of --tls-cert: a PEM file that nobody else may read [default: tls/key.pem in
    /// the data folder].
    #[arg(long, value_name = "FILE")]
    pub(super) tls_key: Option<PathBuf>,

    /// Ask clients of tls: endpoints for a certificate that one in this PEM file vouches
    /// for: its common name is the user.
    #[arg(long, value_name = "FILE")]
    pub(super) tls_client_ca: Option<PathBuf>,

    /// From a connect to the end of its tls handshake [default: 5s].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "time")]
    pub(super) handshake_timeout: Option<Duration>,

    /// What becomes of a reader that falls off the log's tail: it is told of the
    /// gap and goes on, or it is disconnected [default: gap].
    #[arg(long, value_name = "POLICY", value_parser = ["gap", "disconnect"])]
    pub(super) slow: Option<String>,

    /// How much the log of broadcasts keeps for readers that lag [default: 64MiB].
    #[arg(long, value_name = "BYTES")]
    pub(super) log_bytes: Option<ByteSize>,

    /// The role of those who register by a first login [default: escritor].
    #[arg(long, value_name = "ROLE")]
    pub(super) default_role: Option<Role>,
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map(Some)
        .map_err(|error| serde::de::Error::custom(format!("{text:?} is no time: {error}")))
}

impl Settings {
    /// What the file says.
    pub(super) fn read(path: &Path) -> Result<Settings, Failure> {
        let named = |error: String| format!("the config file {}: {error}", path.display());
        let text = bounded::read_text(path, LONGEST_FILE)
            .map_err(|error| Failure::new(error.code(), named(error.to_string())))?;
        Settings::parse(&text)
            .map_err(|error| Failure::new(sysexits::CONFIG, named(error.to_string())))
    }

    /// What a file with this text says.
    pub(super) fn parse(text: &str) -> Result<Settings, toml::de::Error> {
        toml::from_str(text)
    }

    /// These settings, and the file's where these say nothing.
    pub(super) fn or(self, file: Settings) -> Settings {
        Settings {
            listen: if self.listen.is_empty() {
                file.listen
            } else {
                self.listen
            },
            data: self.data.or(file.data),
            journal: self.journal || file.journal,
            retain_bytes: self.retain_bytes.or(file.retain_bytes),
            retain_age: self.retain_age.or(file.retain_age),
            drain_timeout: self.drain_timeout.or(file.drain_timeout),
            report: self.report.or(file.report),
            log: self.log.or(file.log),
            arbiters: self.arbiters.or(file.arbiters),
            max_sessions: self.max_sessions.or(file.max_sessions),
            max_sessions_per_user: self.max_sessions_per_user.or(file.max_sessions_per_user),
            max_sessions_per_peer: self.max_sessions_per_peer.or(file.max_sessions_per_peer),
            max_unauthenticated: self.max_unauthenticated.or(file.max_unauthenticated),
            max_frame: self.max_frame.or(file.max_frame),
            max_frame_before_login: self.max_frame_before_login.or(file.max_frame_before_login),
            frames_in_work: self.frames_in_work.or(file.frames_in_work),
            request_rate: self.request_rate.or(file.request_rate),
            login_rate_per_user: self.login_rate_per_user.or(file.login_rate_per_user),
            login_rate_per_peer: self.login_rate_per_peer.or(file.login_rate_per_peer),
            hashing: self.hashing.or(file.hashing),
            logins_waiting: self.logins_waiting.or(file.logins_waiting),
            max_accounts: self.max_accounts.or(file.max_accounts),
            login_timeout: self.login_timeout.or(file.login_timeout),
            idle_timeout: self.idle_timeout.or(file.idle_timeout),
            keepalive_idle: self.keepalive_idle.or(file.keepalive_idle),
            keepalive_interval: self.keepalive_interval.or(file.keepalive_interval),
            keepalive_count: self.keepalive_count.or(file.keepalive_count),
            tcp_user_timeout: self.tcp_user_timeout.or(file.tcp_user_timeout),
            tls_cert: self.tls_cert.or(file.tls_cert),
            tls_key: self.tls_key.or(file.tls_key),
            tls_client_ca: self.tls_client_ca.or(file.tls_client_ca),
            handshake_timeout: self.handshake_timeout.or(file.handshake_timeout),
            slow: self.slow.or(file.slow),
            log_bytes: self.log_bytes.or(file.log_bytes),
            default_role: self.default_role.or(file.default_role),
        }
    }

    /// The server's configuration.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let mut config = Config::default();
        if !self.listen.is_empty() {
            let listen = self.listen.iter().map(|text| text.parse::<Listen>());
            config.listen = listen
                .collect::<Result<_, _>>()
                .map_err(|error| Failure::new(sysexits::USAGE, error.to_string()))?;
        }
        config.storage.data = self.data_folder();
        config.storage.journal = self.retention()?;
        config.tls = self.tls()?;
        config.timeouts.idle = self.idle_timeout;
        set(&mut config.timeouts.drain, self.drain_timeout);
        set(&mut config.limits.arbiters, self.arbiters);
        set(&mut config.limits.max_sessions, self.max_sessions);
        set(&mut config.limits.max_frame, self.max_frame.map(bytes));
        set(&mut config.timeouts.login, self.login_timeout);
        self.set_limits(&mut config);
        set(&mut config.default_role, self.default_role);
        if let Some(log_bytes) = self.log_bytes {
            config.limits.log_bytes = bytes(log_bytes);
            // Publishers must wait well before the log's tail comes near.
            let window = config.backpressure.window.min(log_bytes.as_u64() / 8);
            config.backpressure.window = window;
        }
        match self.slow.as_deref() {
            None | Some("gap") => {}
            Some("disconnect") => config.slow = SlowPolicy::Disconnect,
            Some(other) => {
                let message = format!("no policy {other:?} for slow readers: gap or disconnect");
                return Err(Failure::new(sysexits::CONFIG, message));
            }
        }
        Ok(config)
    }

    /// Where the operator has said nothing of it: one peer leaves a fifth of the places to
    /// others, and those who have not logged in a tenth to those who have.
    pub(super) fn leave_places(&self, config: &mut Config) {
        if self.max_sessions.is_some() {
            return;
        }
        let of_ten = |parts: usize| (config.limits.max_sessions * parts / 10).max(1);
        let (peer, strangers) = (of_ten(8), of_ten(9));
        if self.max_sessions_per_peer.is_none() {
            config.limits.max_sessions_per_peer = peer;
        }
        if self.max_unauthenticated.is_none() {
            config.limits.max_unauthenticated = strangers;
        }
    }

    fn set_limits(&self, config: &mut Config) {
        config.limits.request_rate = self.request_rate;
        let before_login = self.max_frame_before_login.map(bytes);
        set(&mut config.limits.max_frame_before_login, before_login);
        set(
            &mut config.limits.max_sessions_per_user,
            self.max_sessions_per_user,
        );
        set(
            &mut config.limits.max_sessions_per_peer,
            self.max_sessions_per_peer,
        );
        set(
            &mut config.limits.max_unauthenticated,
            self.max_unauthenticated,
        );
        set(&mut config.limits.frames_in_work, self.frames_in_work);
        set(
            &mut config.limits.login_rate_per_user,
            self.login_rate_per_user,
        );
        set(
            &mut config.limits.login_rate_per_peer,
            self.login_rate_per_peer,
        );
        set(&mut config.limits.hashing, self.hashing);
        set(&mut config.limits.logins_waiting, self.logins_waiting);
        set(&mut config.limits.max_accounts, self.max_accounts);
        set(&mut config.timeouts.handshake, self.handshake_timeout);
        let timeouts = &mut config.timeouts.peer;
        set(&mut timeouts.keepalive_idle, self.keepalive_idle);
        set(&mut timeouts.keepalive_interval, self.keepalive_interval);
        set(&mut timeouts.keepalive_count, self.keepalive_count);
        set(&mut timeouts.user_timeout, self.tcp_user_timeout);
    }

    /// The certificate of tls endpoints, should there be any.
    fn tls(&self) -> Result<Option<TlsConfig>, Failure> {
        let pair = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(Pair {
                certificate: certificate.clone(),
                key: key.clone(),
            }),
            (None, None) => self.data_folder().as_deref().map(Pair::of_data),
            _ => {
                let message = "tls-cert and tls-key belong together: give both, or neither";
                return Err(Failure::new(sysexits::CONFIG, message));
            }
        };
        Ok(pair.map(|pair| {
            let mut tls = TlsConfig::new(pair.certificate, pair.key);
            tls.client_ca = self.tls_client_ca.clone();
            tls
        }))
    }

    /// How much the journal keeps, where there is one.
    fn retention(&self) -> Result<Option<Retention>, Failure> {
        if !self.journal {
            let retains = self.retain_bytes.is_some() || self.retain_age.is_some();
            let message = "retain-bytes and retain-age are of the journal: add --journal";
            return if retains {
                Err(Failure::new(sysexits::CONFIG, message))
            } else {
                Ok(None)
            };
        }
        let mut retention = Retention::default();
        set(
            &mut retention.bytes,
            self.retain_bytes.map(|size| size.as_u64()),
        );
        retention.age = self.retain_age;
        Ok(Some(retention))
    }

    fn data_folder(&self) -> Option<PathBuf> {
        match &self.data {
            Some(path) if path.as_os_str() == "none" => None,
            Some(path) => Some(path.clone()),
            None => Some(os::default_data_folder()),
        }
    }
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

fn bytes(size: ByteSize) -> usize {
    usize::try_from(size.as_u64()).unwrap_or(usize::MAX)
}
