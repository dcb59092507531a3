//! Checks before a server starts: its configuration, and the system's randomness.

use std::io;
use std::time::Duration;

use super::config::Config;
use super::error::ServerError;

/// Checks that the system has randomness: salts, keys and the stream's name need it.
pub(super) fn check_randomness() -> Result<(), ServerError> {
    getrandom::fill(&mut [0; 32])
        .map_err(|error| ServerError::no("randomness")(io::Error::other(error)))
}

/// Checks the values of a configuration, each and together.
pub(super) fn check(config: &Config) -> Result<(), ServerError> {
    let wrong = |what: &str| Err(ServerError::Config(what.to_owned()));
    if config.listen.is_empty() {
        return wrong("there is nothing to listen on: give --listen");
    }
    for listen in &config.listen {
        let problem = |what| ServerError::Config(format!("endpoint {}: {what}", listen.endpoint));
        listen.check().map_err(problem)?;
    }
    let above_zero = [
        ("arbiters", config.limits.arbiters),
        ("hashing", config.limits.hashing),
        ("max-sessions", config.limits.max_sessions),
        ("max-sessions-per-user", config.limits.max_sessions_per_user),
        ("max-sessions-per-peer", config.limits.max_sessions_per_peer),
        ("max-unauthenticated", config.limits.max_unauthenticated),
        ("frames-in-work", config.limits.frames_in_work),
    ];
    if let Some((name, _)) = above_zero.iter().find(|(_, value)| *value == 0) {
        return Err(ServerError::Config(format!("{name} must be above 0")));
    }
    if config.limits.hashing > 1024 {
        return wrong("hashing must be 1024 at most");
    }
    if config.timeouts.login.is_zero() {
        return wrong("login-timeout must be above 0");
    }
    let day = Duration::from_secs(24 * 60 * 60);
    if config.timeouts.drain > day || config.timeouts.login > day {
        return wrong("drain-timeout and login-timeout must be a day at most");
    }
    if config
        .timeouts
        .idle
        .is_some_and(|idle| idle < Duration::from_millis(10))
    {
        return wrong("idle-timeout must be 10 ms at least");
    }
    let timeouts = &config.timeouts.peer;
    let (second, longest) = (Duration::from_secs(1), Duration::from_secs(32_767));
    let in_range = |time: Duration| (second..=longest).contains(&time);
    if !(in_range(timeouts.keepalive_idle) && in_range(timeouts.keepalive_interval)) {
        return wrong("keepalive-idle and keepalive-interval must be between 1 s and 32767 s");
    }
    if !(1..=127).contains(&timeouts.keepalive_count) {
        return wrong("keepalive-count must be between 1 and 127");
    }
    if !(second..=day).contains(&timeouts.user_timeout) {
        return wrong("tcp-user-timeout must be between 1 s and a day");
    }
    if config.limits.arbiters > 1024 {
        return wrong("arbiters must be 1024 at most");
    }
    if !(1024..=1 << 30).contains(&config.limits.max_frame) {
        return wrong("max-frame must be between 1 KiB and 1 GiB");
    }
    if !(1024..=1 << 20).contains(&config.limits.max_frame_before_login) {
        return wrong("max-frame-before-login must be between 1 KiB and 1 MiB");
    }
    if config.storage.journal.is_some() && config.storage.data.is_none() {
        return wrong("a journal needs a data folder: give --data a folder, or leave --journal");
    }
    if config.limits.log_bytes < 4 * config.limits.max_frame.min(64 << 10) {
        return wrong("log-bytes must be at least 256 KiB");
    }
    Ok(())
}
