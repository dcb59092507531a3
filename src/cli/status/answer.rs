//! The answer of the admin endpoint's `/status`, as far as it is printed.

use serde::Deserialize;

use crate::admin::SettingChange;

/// The state and the figures of a server. A newer server may have more keys.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Status {
    pub(super) version: String,
    pub(super) state: String,
    pub(super) stop: Option<Stop>,
    pub(super) stop_within_ms: Option<u64>,
    #[serde(flatten)]
    pub(super) figures: Option<Figures>,
    pub(super) parts: Vec<Part>,
    #[serde(default)]
    pub(super) restart: Vec<SettingChange>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Stop {
    pub(super) reason: String,
    pub(super) phase: String,
    pub(super) remaining_ms: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Figures {
    pub(super) stream: String,
    pub(super) head: u64,
    pub(super) held_bytes: u64,
    pub(super) written_bytes: u64,
    pub(super) requests_in_work: usize,
    pub(super) sessions: Vec<Sessions>,
    pub(super) readers: usize,
    pub(super) lag_max: u64,
    pub(super) sessions_started: u64,
    pub(super) logins: u64,
    pub(super) gaps: u64,
    pub(super) services: Vec<Service>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Sessions {
    pub(super) endpoint: String,
    pub(super) logged_in: usize,
    pub(super) unauthenticated: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Service {
    pub(super) service: String,
    pub(super) offers: usize,
    pub(super) in_work: u64,
    pub(super) waiting: usize,
    pub(super) answered: u64,
    pub(super) failed: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Part {
    pub(super) part: String,
    pub(super) state: String,
    pub(super) took_us: Option<u64>,
}
