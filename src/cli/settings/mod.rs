//! The settings of `arauto serve`: flags, variables of the environment, and keys of the same names
//! in a config file. [`sources`] joins the three.
//!
//! The limits come from the library's table ([`limits`]); the other settings stand here.

pub(super) mod environment;
mod file;
pub(super) mod keys;
pub(super) mod limits;
pub(super) mod sources;
mod time;
pub(super) mod values;

use std::path::PathBuf;
use std::time::Duration;

use arauto::{Config, ConfigError, Listen, Retention, Role, SlowPolicy, TlsConfig};
use bytesize::ByteSize;
use serde::Deserialize;

use self::limits::LimitSettings;
use super::exit::{Failure, sysexits};
use super::logs::LogFormat;
use super::os;
use super::tls::Pair;

/// Every setting of the server.
#[derive(Debug, Default, Clone, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Settings {
    /// Listen here; can be given more than once [default: pipe:arauto]. Options
    /// follow a `?`, as in `unix:/run/a.sock?dialect=text&max=10`.
    #[arg(long, value_name = "ENDPOINT")]
    pub(super) listen: Vec<String>,

    /// Keep accounts and the journal in this folder; with `none` accounts last as long as the
    /// server runs [default: $STATE_DIRECTORY, else /var/lib/arauto for root, else
    /// $XDG_STATE_HOME/arauto].
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,

    /// Keep broadcasts on disk too: each is written before it is sent, and clients resume
    /// across a restart (see docs/journal.md) [default: false].
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub(super) journal: Option<bool>,

    /// The most bytes of broadcasts that the journal keeps [default: 1GiB].
    #[arg(long, value_name = "BYTES")]
    pub(super) retain_bytes: Option<ByteSize>,

    /// The longest time that the journal keeps a broadcast [default: as long as it fits].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "time::some_time")]
    pub(super) retain_age: Option<Duration>,

    /// The bytes above --retain-bytes up to which the journal keeps what a cursor has not passed yet,
    /// also what is older than --retain-age [default: 0, cursors keep nothing].
    #[arg(long, value_name = "BYTES")]
    pub(super) cursor_hold: Option<ByteSize>,

    /// Write the report of the stop into this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,

    /// Answer HTTP about the server here, for operators and monitoring: a unix socket, a Windows
    /// pipe or a loopback address (see docs/operations.md).
    #[arg(long, value_name = "ENDPOINT")]
    pub(super) admin: Option<String>,

    /// The token of requests to a loopback --admin endpoint: the first line of this file. Without it
    /// they get to know of the server's health only.
    #[arg(long, value_name = "FILE")]
    pub(super) admin_token: Option<PathBuf>,

    /// Append a record of each login, refusal, change of an account and act of an operator to this
    /// file, as a line of JSON (see docs/operations.md).
    #[arg(long, value_name = "FILE")]
    pub(super) audit: Option<PathBuf>,

    /// The form of the log on stderr [default: human].
    #[arg(long, value_name = "FORM")]
    pub(super) log: Option<LogFormat>,

    /// The certificate of tls: endpoints, followed by the certificates between it and its root:
    /// a PEM file [default: tls/cert.pem in the data folder, as `arauto tls init` makes it].
    #[arg(long, value_name = "FILE")]
    pub(super) tls_cert: Option<PathBuf>,

    /// The key of --tls-cert: a PEM file that no other user may read [default: tls/key.pem in
    /// the data folder].
    #[arg(long, value_name = "FILE")]
    pub(super) tls_key: Option<PathBuf>,

    /// Ask clients of tls: endpoints for a certificate that an authority in this PEM file has
    /// signed. Its common name is the user.
    #[arg(long, value_name = "FILE")]
    pub(super) tls_client_ca: Option<PathBuf>,

    /// The policy for a reader that lags behind the oldest broadcast in the log: it gets a
    /// `gap` and goes on, or it is disconnected [default: gap].
    #[arg(long, value_name = "POLICY", value_parser = ["gap", "disconnect"])]
    pub(super) slow: Option<String>,

    /// The role of users who register by their first login [default: escritor].
    #[arg(long, value_name = "ROLE")]
    pub(super) default_role: Option<Role>,

    /// The limits.
    #[command(flatten)]
    #[serde(skip)]
    limits: LimitSettings,
}

impl Settings {
    /// Returns these settings, and those of `file` that are not among them.
    pub(super) fn or(self, file: Settings) -> Settings {
        Settings {
            listen: if self.listen.is_empty() {
                file.listen
            } else {
                self.listen
            },
            data: self.data.or(file.data),
            journal: self.journal.or(file.journal),
            retain_bytes: self.retain_bytes.or(file.retain_bytes),
            retain_age: self.retain_age.or(file.retain_age),
            cursor_hold: self.cursor_hold.or(file.cursor_hold),
            report: self.report.or(file.report),
            admin: self.admin.or(file.admin),
            admin_token: self.admin_token.or(file.admin_token),
            audit: self.audit.or(file.audit),
            log: self.log.or(file.log),
            tls_cert: self.tls_cert.or(file.tls_cert),
            tls_key: self.tls_key.or(file.tls_key),
            tls_client_ca: self.tls_client_ca.or(file.tls_client_ca),
            slow: self.slow.or(file.slow),
            default_role: self.default_role.or(file.default_role),
            limits: self.limits.or(file.limits),
        }
    }

    /// Returns the configuration of the server.
    ///
    /// # Errors
    /// A value is out of range, or settings contradict each other.
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
        set(&mut config.default_role, self.default_role);
        let out_of_range = |error: ConfigError| Failure::new(sysexits::CONFIG, error.to_string());
        self.limits.set(&mut config).map_err(out_of_range)?;
        // Publishers must wait well before the log's tail comes near.
        let eighth = config.limits.log_bytes as u64 / 8;
        config.backpressure.window = config.backpressure.window.min(eighth);
        match self.slow.as_deref() {
            None | Some("gap") => {}
            Some("disconnect") => config.slow = SlowPolicy::Disconnect,
            Some(other) => {
                let message =
                    format!("unknown policy for slow readers {other:?}: use gap or disconnect");
                return Err(Failure::new(sysexits::CONFIG, message));
            }
        }
        Ok(config)
    }

    /// Returns the longest time that a stop may take, as far as these settings say.
    pub(super) fn drain_timeout(&self) -> Duration {
        let mut config = Config::default();
        // A value out of range is an error later, when the config file is read too.
        let _ = self.limits.set(&mut config);
        config.timeouts.drain
    }

    /// Leaves a fifth of the sessions to other peers, and a tenth to users who have logged
    /// in, unless the settings say otherwise.
    pub(super) fn share_sessions(&self, config: &mut Config) {
        if self.limits.has("max-sessions") {
            return;
        }
        let limits = &mut config.limits;
        let tenths = |parts: usize| (limits.max_sessions * parts / 10).max(1);
        let (peer, unauthenticated) = (tenths(8), tenths(9));
        if !self.limits.has("max-sessions-per-peer") {
            limits.max_sessions_per_peer = peer;
        }
        if !self.limits.has("max-unauthenticated") {
            limits.max_unauthenticated = unauthenticated;
        }
    }

    /// Returns the certificate for `tls:` endpoints, if there should be any.
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

    /// Returns how much the journal keeps; `None`: there is no journal.
    fn retention(&self) -> Result<Option<Retention>, Failure> {
        if self.journal != Some(true) {
            let retains = self.retain_bytes.is_some()
                || self.retain_age.is_some()
                || self.cursor_hold.is_some();
            let message = "retain-bytes, retain-age and cursor-hold need a journal: add --journal";
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
        set(
            &mut retention.cursor_hold,
            self.cursor_hold.map(|size| size.as_u64()),
        );
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

#[cfg(test)]
mod tests {
    use arauto::limits::{Limit, Unit};
    use clap::{Args, FromArgMatches};

    use super::*;

    fn by_flags(flags: &[&str]) -> Settings {
        let command = Settings::augment_args(clap::Command::new("serve").no_binary_name(true));
        let matches = command.get_matches_from(flags);
        Settings::from_arg_matches(&matches).expect("the flags are right")
    }

    fn by_file(text: &str) -> Settings {
        Settings::parse(text).expect("the file is right")
    }

    #[test]
    fn limit_from_flag_or_file_changes_the_configuration() {
        for limit in Limit::all() {
            let (flag, key) = match limit.unit() {
                Unit::Bytes => ("300KiB", "\"300KiB\""),
                Unit::Time => ("77s", "\"77s\""),
                Unit::Rate => ("7/h", "\"7/h\""),
                _ => ("9", "9"),
            };
            let name = limit.name();
            let flags = by_flags(&[&format!("--{name}"), flag]);
            let file = by_file(&format!("{name} = {key}\n"));
            assert_eq!(flags.limits, file.limits, "{name}");
            let config = flags.config().expect("the value is in range");
            assert_ne!(limit.get(&config), limit.get(&Config::default()), "{name}");
        }
    }

    #[test]
    fn limit_by_flag_takes_precedence_over_the_file() {
        let file = "max-sessions = 5\nmax-frame = 2048\nslow = \"disconnect\"\n";
        let settings = by_flags(&["--max-sessions", "7"]).or(by_file(file));
        let config = settings.config().expect("they go together");
        assert_eq!(config.limits.max_sessions, 7);
        assert_eq!(config.limits.max_frame, 2048);
        assert_eq!(config.slow, SlowPolicy::Disconnect);
    }

    #[test]
    fn value_out_of_range_is_an_error_that_names_the_limit() {
        for settings in [
            by_flags(&["--keepalive-count", "300"]),
            by_file("keepalive-count = 300\n"),
        ] {
            let failure = settings.config().err().expect("it is out of range");
            assert_eq!(failure.code(), sysexits::CONFIG);
            assert_eq!(
                failure.message(),
                "keepalive-count must be between 1 and 127, not 300"
            );
        }
    }

    #[test]
    fn share_of_a_peer_is_derived_unless_it_is_set() {
        let shared = |flags: &[&str]| {
            let settings = by_flags(flags);
            let mut config = settings.config().expect("they go together");
            config.limits.max_sessions = 100;
            settings.share_sessions(&mut config);
            let limits = config.limits;
            (limits.max_sessions_per_peer, limits.max_unauthenticated)
        };
        assert_eq!(shared(&[]), (80, 90));
        assert_eq!(shared(&["--max-sessions-per-peer", "5"]), (5, 90));
        let usual = Config::default().limits;
        let usual = (usual.max_sessions_per_peer, usual.max_unauthenticated);
        assert_eq!(shared(&["--max-sessions", "100"]), usual);
    }
}
