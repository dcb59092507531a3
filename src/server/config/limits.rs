//! The limits of how many there may be, how large and how fast.

use std::sync::LazyLock;

use super::applies::Applies;
use super::entry::{ANY_NUMBER, Entry, Range, Row, limits};
use super::value::Field;
use crate::rate::Rate;
use crate::wire::{MAX_FRAME, MAX_FRAME_BEFORE_LOGIN};

const SESSIONS: &str = "Sessions";
const FRAMES: &str = "Frames and requests";
const LOGINS: &str = "Logins and accounts";
const LOG: &str = "Log and threads";

/// Returns half the cores: the other half serves while passwords are hashed.
fn half_the_cores() -> usize {
    // Each flag's default comes from a whole value of `Limits`, and the system's answer takes
    // several reads of files.
    static CORES: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));
    (*CORES / 2).max(1)
}

limits! {
/// How many there may be, how large and how fast. docs/limits.md says what each does.
pub struct Limits;

/// The most sessions at once.
max_sessions: usize = 20_000 => Row {
    name: "max-sessions",
    section: SESSIONS,
    applies: Applies::AtOnce,
    range: Range::Count(1..=ANY_NUMBER),
    default: Some("20000, or fewer if the descriptor limit is lower"),
    effect: "`too-many-sessions`",
};

/// The most sessions of one user.
max_sessions_per_user: usize = 10_000 => Row {
    name: "max-sessions-per-user",
    section: SESSIONS,
    applies: Applies::AtOnce,
    range: Range::Count(1..=ANY_NUMBER),
    default: None,
    effect: "`too-many-sessions`",
};

/// The most sessions of one peer: a user of this machine, or an address.
max_sessions_per_peer: usize = 16_000 => Row {
    name: "max-sessions-per-peer",
    section: SESSIONS,
    applies: Applies::AtOnce,
    range: Range::Count(1..=ANY_NUMBER),
    default: None,
    effect: "`too-many-sessions`",
};

/// The most sessions that have not logged in, shared fairly between peers.
max_unauthenticated: usize = 18_000 => Row {
    name: "max-unauthenticated",
    section: SESSIONS,
    applies: Applies::AtOnce,
    range: Range::Count(1..=ANY_NUMBER),
    default: None,
    effect: "`too-many-sessions`",
};

/// The longest frame.
///
/// In bytes, without the prefix of its length.
max_frame: usize = MAX_FRAME => Row {
    name: "max-frame",
    section: FRAMES,
    applies: Applies::ToNewSessions,
    range: Range::Bytes(1 << 10..=1 << 30),
    default: None,
    effect: "`frame-too-large`",
};

/// The longest frame of a client that has not logged in.
///
/// In bytes, without the prefix of its length.
max_frame_before_login: usize = MAX_FRAME_BEFORE_LOGIN => Row {
    name: "max-frame-before-login",
    section: FRAMES,
    applies: Applies::ToNewSessions,
    range: Range::Bytes(1 << 10..=1 << 20),
    default: None,
    effect: "`frame-too-large`",
};

/// Publishes of one session that may wait for their answers at once.
///
/// Those behind them are read later. Other frames are served one at a time.
frames_in_work: usize = 32_768 => Row {
    name: "frames-in-work",
    section: FRAMES,
    applies: Applies::ToNewSessions,
    range: Range::Count(1..=ANY_NUMBER),
    default: None,
    effect: "later publishes stay unread until one is answered",
};

/// The most patterns in the filter of a session.
patterns: usize = 1_000 => Row {
    name: "patterns",
    section: FRAMES,
    applies: Applies::ToNewSessions,
    range: Range::Count(1..=100_000),
    default: None,
    effect: "`too-many`",
};

/// Requests and publishes of one session, as 1000/s, 100/m or 10/h; those above are
/// answered `throttled`.
///
/// `None`: as fast as they are answered.
request_rate: Option<Rate> = None => Row {
    name: "request-rate",
    section: FRAMES,
    applies: Applies::ToNewSessions,
    range: Range::Rate,
    default: Some("no limit"),
    effect: "`throttled`",
};

/// The most topics with a kept value.
///
/// Those that have one may change it.
kept_topics: usize = 100_000 => Row {
    name: "kept-topics",
    section: FRAMES,
    applies: Applies::AtOnce,
    range: Range::Count(0..=ANY_NUMBER),
    default: None,
    effect: "`too-many`",
};

/// The most bytes of all kept values and their topics.
kept_bytes: usize = 64 << 20 => Row {
    name: "kept-bytes",
    section: FRAMES,
    applies: Applies::AtOnce,
    range: Range::Bytes(0..=ANY_NUMBER),
    default: None,
    effect: "`too-many`",
};

/// The most producers of an account; the one that was unused for longest is forgotten.
///
/// A forgotten producer may begin anywhere again, so a message that it repeats is published again.
producers: usize = 64 => Row {
    name: "producers",
    section: FRAMES,
    applies: Applies::AtOnce,
    range: Range::Count(1..=100_000),
    default: None,
    effect: "a message that a forgotten producer repeats is published again",
};

/// The most cursors of an account: read positions that the server remembers.
///
/// They stay until an operator removes them or the account is removed.
cursors: usize = 64 => Row {
    name: "cursors",
    section: FRAMES,
    applies: Applies::AtOnce,
    range: Range::Count(1..=100_000),
    default: None,
    effect: "`too-many`",
};

/// The most services that a session may offer.
offers: usize = 64 => Row {
    name: "offers",
    section: FRAMES,
    applies: Applies::AtOnce,
    range: Range::Count(1..=100_000),
    default: None,
    effect: "`too-many`",
};

/// The most calls of services that a session may have made and that are in work.
calls: usize = 256 => Row {
    name: "calls",
    section: FRAMES,
    applies: Applies::AtOnce,
    range: Range::Count(1..=100_000),
    default: None,
    effect: "`throttled`",
};

/// The most calls of one service that may wait for a free session.
waiting_calls: usize = 1024 => Row {
    name: "waiting-calls",
    section: FRAMES,
    applies: Applies::AtOnce,
    range: Range::Count(0..=100_000),
    default: None,
    effect: "`throttled`",
};

/// The most bytes of the calls of one service that wait for a free session.
///
/// One call may always wait, however long it is.
waiting_call_bytes: usize = 8 << 20 => Row {
    name: "waiting-call-bytes",
    section: FRAMES,
    applies: Applies::AtOnce,
    range: Range::Bytes(0..=ANY_NUMBER),
    default: None,
    effect: "`throttled`",
};

/// Logins of one peer with one name.
///
/// A login with a password that was right a short while ago does not count.
login_rate_per_user: Rate = Rate::a_minute(100) => Row {
    name: "login-rate-per-user",
    section: LOGINS,
    applies: Applies::AtOnce,
    range: Range::Rate,
    default: None,
    effect: "`throttled`",
};

/// Logins of one peer, with any name.
///
/// A login with a password that was right a short while ago does not count.
login_rate_per_peer: Rate = Rate::a_minute(10_000) => Row {
    name: "login-rate-per-peer",
    section: LOGINS,
    applies: Applies::AtOnce,
    range: Range::Rate,
    default: None,
    effect: "`throttled`",
};

/// Passwords that are hashed at once.
hashing: usize = half_the_cores() => Row {
    name: "hashing",
    section: LOGINS,
    applies: Applies::AtRestart,
    range: Range::Count(1..=1024),
    default: Some("half the cores"),
    effect: "the login waits until a hash can start",
};

/// Logins of one peer that may wait for a hash.
logins_waiting: usize = 20_000 => Row {
    name: "logins-waiting",
    section: LOGINS,
    applies: Applies::AtOnce,
    range: Range::Count(0..=ANY_NUMBER),
    default: None,
    effect: "`throttled`",
};

/// The most accounts, however they were made; at the limit no name is registered.
max_accounts: usize = 100_000 => Row {
    name: "max-accounts",
    section: LOGINS,
    applies: Applies::AtOnce,
    range: Range::Count(0..=ANY_NUMBER),
    default: None,
    effect: "`registration-closed`",
};

/// The most bytes of broadcasts that stay in memory, for readers that lag.
log_bytes: usize = 64 << 20 => Row {
    name: "log-bytes",
    section: LOG,
    applies: Applies::AtRestart,
    range: Range::Bytes(4 << 10..=ANY_NUMBER),
    default: None,
    effect: "`gap`, or `slow-consumer` with `--slow disconnect`",
};

/// Threads that sessions are spread over; docs/architecture.md says when more than one helps.
arbiters: usize = 1 => Row {
    name: "arbiters",
    section: LOG,
    applies: Applies::AtRestart,
    range: Range::Count(1..=1024),
    default: None,
    effect: "nothing",
};
}
