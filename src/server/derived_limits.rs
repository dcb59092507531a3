//! The limits of each part of the server, as they follow from a configuration.

use super::config::Config;
use crate::accounts::LoginLimits;
use crate::actors::hub::{HubLimits, PresenceLimits};
use crate::actors::session::{FeatureLimits, SessionLimits};
use crate::log::KeptLimits;
use crate::rate::Rate;
use crate::services::ServiceLimits;

/// Frames of a session that has not logged in: a ping or two, and a few logins.
const RATE_BEFORE_LOGIN: Rate = Rate::a_minute(30);

/// Returns the limits of sessions at a listener whose connections carry frames of `longest_frame`
/// bytes at most.
pub(super) fn session_limits(config: &Config, longest_frame: usize) -> SessionLimits {
    let (limits, timeouts) = (&config.limits, &config.timeouts);
    let max_frame = limits.max_frame.min(longest_frame);
    SessionLimits {
        max_frame,
        max_frame_before_login: limits.max_frame_before_login.min(max_frame),
        frames_in_work: limits.frames_in_work,
        patterns: limits.patterns,
        request_rate: limits.request_rate,
        rate_before_login: RATE_BEFORE_LOGIN,
        login_timeout: timeouts.login,
        idle_timeout: timeouts.idle,
        drain_timeout: timeouts.drain,
        slow: config.slow,
    }
}

/// Returns the limits that `welcome` lists.
pub(super) fn feature_limits(config: &Config) -> FeatureLimits {
    let limits = &config.limits;
    FeatureLimits {
        patterns: limits.patterns as u64,
        kept_topics: limits.kept_topics as u64,
        kept_bytes: limits.kept_bytes as u64,
        producers: limits.producers as u64,
        cursors: limits.cursors as u64,
        offers: limits.offers as u64,
        calls: limits.calls as u64,
        waiting_calls: limits.waiting_calls as u64,
    }
}

/// Returns the bounds of services.
pub(super) fn service_limits(config: &Config) -> ServiceLimits {
    let limits = &config.limits;
    ServiceLimits {
        offers: limits.offers,
        calls: limits.calls,
        waiting_calls: limits.waiting_calls,
        waiting_bytes: limits.waiting_call_bytes,
    }
}

/// Returns the limits of logins.
pub(super) fn login_limits(config: &Config) -> LoginLimits {
    let limits = &config.limits;
    LoginLimits {
        hashing: limits.hashing,
        waiting: limits.logins_waiting,
        user_rate: limits.login_rate_per_user,
        peer_rate: limits.login_rate_per_peer,
        accounts: limits.max_accounts,
        default_role: config.default_role,
    }
}

/// Returns the limits of the hub.
pub(super) fn hub_limits(config: &Config) -> HubLimits {
    let (limits, retention) = (&config.limits, config.storage.journal);
    let retained = retention.map_or(u64::MAX, |retention| retention.bytes);
    HubLimits {
        presence: PresenceLimits::share_of(retained.min(limits.log_bytes as u64)),
        producers: limits.producers,
        cursors: limits.cursors,
        kept: KeptLimits {
            topics: limits.kept_topics,
            bytes: limits.kept_bytes,
        },
        retention,
    }
}
