//! How long a server waits, and for what.

use std::time::Duration;

use super::applies::Applies;
use super::entry::{ANY_TIME, Entry, Range, Row, limits};
use super::value::Field;
use crate::transport::PeerTimeouts;

const TIMEOUTS: &str = "Timeouts";
const PEERS: &str = "TCP peers that do not answer";

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest time between keep-alive probes that Linux takes (tcp(7)).
const LONGEST_KEEPALIVE: Duration = Duration::from_secs(32_767);

limits! {
/// How long a server waits, and for what. docs/limits.md says what each does.
pub struct Timeouts;

/// The longest time that a stop may take.
drain: Duration = Duration::from_secs(20) => Row {
    name: "drain-timeout",
    section: TIMEOUTS,
    applies: Applies::AtOnce,
    range: Range::Time(Duration::ZERO..=DAY),
    default: None,
    effect: "`stopping` says how much of it is left",
};

/// The longest time from a connect to its login.
login: Duration = Duration::from_secs(10) => Row {
    name: "login-timeout",
    section: TIMEOUTS,
    applies: Applies::ToNewSessions,
    range: Range::Time(MILLISECOND..=DAY),
    default: None,
    effect: "`login-timeout`",
};

/// The longest time from a connect to the end of its TLS handshake.
handshake: Duration = Duration::from_secs(5) => Row {
    name: "handshake-timeout",
    section: TIMEOUTS,
    applies: Applies::ToNewSessions,
    range: Range::Time(MILLISECOND..=DAY),
    default: None,
    effect: "the connection is closed",
};

/// The longest time that a session may send no frame.
///
/// `None`: sessions may be silent for ever.
idle: Option<Duration> = None => Row {
    name: "idle-timeout",
    section: TIMEOUTS,
    applies: Applies::ToNewSessions,
    range: Range::Time(Duration::from_millis(10)..=ANY_TIME),
    default: Some("never"),
    effect: "`idle-timeout`",
};

/// The time that a TCP peer may be silent before it is probed.
///
/// In whole seconds. It applies to `tcp:` and `tls:` endpoints, as the next three do.
keepalive_idle: Duration = PeerTimeouts::default().keepalive_idle => Row {
    name: "keepalive-idle",
    section: PEERS,
    applies: Applies::ToNewSessions,
    range: Range::Time(SECOND..=LONGEST_KEEPALIVE),
    default: None,
    effect: "nothing, where it answers",
};

/// The time between two probes without an answer.
///
/// In whole seconds.
keepalive_interval: Duration = PeerTimeouts::default().keepalive_interval => Row {
    name: "keepalive-interval",
    section: PEERS,
    applies: Applies::ToNewSessions,
    range: Range::Time(SECOND..=LONGEST_KEEPALIVE),
    default: None,
    effect: "nothing, where it answers",
};

/// Probes without an answer before the connection is given up.
keepalive_count: u32 = PeerTimeouts::default().keepalive_count => Row {
    name: "keepalive-count",
    section: PEERS,
    applies: Applies::ToNewSessions,
    range: Range::Count(1..=127),
    default: None,
    effect: "the connection is closed",
};

/// The longest time that a TCP peer may leave sent data unacknowledged.
///
/// TCP_USER_TIMEOUT, on Linux only; elsewhere the system's own limit holds.
tcp_user: Duration = PeerTimeouts::default().user_timeout => Row {
    name: "tcp-user-timeout",
    section: PEERS,
    applies: Applies::ToNewSessions,
    range: Range::Time(SECOND..=DAY),
    default: None,
    effect: "the connection is closed",
};
}

impl Timeouts {
    /// Returns when a TCP peer that answers nothing is given up.
    pub(in crate::server) fn peer(&self) -> PeerTimeouts {
        PeerTimeouts {
            keepalive_idle: self.keepalive_idle,
            keepalive_interval: self.keepalive_interval,
            keepalive_count: self.keepalive_count,
            user_timeout: self.tcp_user,
        }
    }
}
