//! Checks before a server starts: its configuration, and the system's randomness.

use std::io;

use super::config::Config;
use super::error::{ConfigError, ServerError};
use super::limit::Limit;
use super::passed_sockets::check_sockets;

/// Checks that the system has randomness: salts, keys and the stream's name need it.
pub(super) fn check_randomness() -> Result<(), ServerError> {
    getrandom::fill(&mut [0; 32])
        .map_err(|error| ServerError::no("randomness")(io::Error::other(error)))
}

impl Config {
    /// Checks that each limit is in its range and that values go together. A server is not started
    /// with a configuration that fails the check.
    ///
    /// # Errors
    /// See [`ConfigError`]: the first thing that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        check(self)
    }
}

/// Checks a configuration: each limit as the table says, and what must go together.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    check_values(config)?;
    check_sockets(config)
}

/// As [`check`], without the sockets that were passed: they are known only at the start.
pub(super) fn check_values(config: &Config) -> Result<(), ConfigError> {
    if config.listen.is_empty() {
        return Err(ConfigError::NoEndpoint);
    }
    for listen in &config.listen {
        listen.check().map_err(|problem| ConfigError::Endpoint {
            endpoint: listen.endpoint.clone(),
            problem,
        })?;
    }
    for limit in Limit::all() {
        limit.check(config)?;
    }
    if config.storage.journal.is_some() && config.storage.data.is_none() {
        return Err(ConfigError::JournalWithoutData);
    }
    // The log keeps four of the longest frames, as far as those are 64 KiB at most.
    let least = 4 * config.limits.max_frame.min(64 << 10);
    if config.limits.log_bytes < least {
        return Err(ConfigError::LogTooSmall { least });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Retention;

    #[track_caller]
    fn refusal(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        let refused = check(&config).expect_err("it is refused");
        refused.to_string()
    }

    #[test]
    fn default_configuration_passes_the_check() {
        assert_eq!(check(&Config::default()), Ok(()));
    }

    #[test]
    fn value_out_of_range_is_refused_by_the_flags_name() {
        assert_eq!(
            refusal(|config| config.limits.arbiters = 0),
            "arbiters must be between 1 and 1024, not 0"
        );
        assert_eq!(
            refusal(|config| config.limits.max_sessions = 0),
            "max-sessions must be at least 1, not 0"
        );
        assert_eq!(
            refusal(|config| config.limits.max_frame = 1),
            "max-frame must be between 1KiB and 1GiB, not 1B"
        );
        let short = std::time::Duration::from_millis(1);
        assert_eq!(
            refusal(|config| config.timeouts.tcp_user = short),
            "tcp-user-timeout must be between 1s and 1d, not 1ms"
        );
        assert_eq!(
            refusal(|config| config.timeouts.idle = Some(short)),
            "idle-timeout must be at least 10ms, not 1ms"
        );
    }

    #[test]
    fn values_that_contradict_each_other_are_refused() {
        let journal = refusal(|config| config.storage.journal = Some(Retention::default()));
        assert!(journal.contains("--data"), "{journal}");
        let log = refusal(|config| config.limits.log_bytes = 64 << 10);
        assert!(log.contains("262144"), "{log}");
        let none = refusal(|config| config.listen.clear());
        assert!(none.contains("--listen"), "{none}");
    }
}
