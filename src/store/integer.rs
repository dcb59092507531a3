//! Integers as SQLite stores them.

/// Converts to SQLite's signed 64-bit integer. No time and no seq reaches 2^63.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
