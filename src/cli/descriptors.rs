//! Fits the limits of sessions to the limit of descriptors.

use arauto::Config;

use super::os;
use super::settings::Settings;

/// Descriptors for the server itself: the database and its readers, files in memory,
/// listeners, standard streams. If the limit is below twice this, half of it.
const OWN_DESCRIPTORS: u64 = 64;

/// Returns how many of the `wanted` sessions the limit of descriptors allows. Each session
/// takes one, and so do an eighth as many connections that are being refused. So a client
/// too many is told so, and a stop can write its report.
pub(super) fn sessions_within(limit: Option<u64>, wanted: usize) -> usize {
    let Some(limit) = limit else { return wanted };
    let free = limit - OWN_DESCRIPTORS.min(limit / 2);
    let most = usize::try_from(free * 8 / 9).unwrap_or(usize::MAX).max(1);
    wanted.min(most)
}

/// Raises the process's limit of descriptors, and reduces the limits of sessions to it.
pub(super) fn fit_sessions(settings: &Settings, config: &mut Config) {
    let limit = os::raise_descriptor_limit();
    let sessions = sessions_within(limit, config.limits.max_sessions);
    if sessions < config.limits.max_sessions {
        tracing::warn!(
            limit,
            sessions,
            "descriptor limit is too low; reducing max-sessions"
        );
    }
    config.limits.max_sessions = sessions;
    settings.share_sessions(config);
}

#[cfg(test)]
mod tests {
    use super::sessions_within;

    #[test]
    fn session_limit_leaves_descriptors_for_server_and_refusals() {
        for limit in [16, 64, 256, 1024, 1_048_576] {
            let sessions = sessions_within(Some(limit), 20_000) as u64;
            assert!((1..=20_000).contains(&sessions));
            assert!(
                sessions + sessions / 8 + limit.min(128) / 2 <= limit,
                "{limit}: {sessions}"
            );
        }
        assert_eq!(sessions_within(Some(256), 20_000), 170);
        assert_eq!(sessions_within(Some(1 << 20), 100), 100);
        assert_eq!(sessions_within(None, 100), 100);
    }
}
