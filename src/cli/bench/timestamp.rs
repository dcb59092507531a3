//! The time in a message's body: its last 16 bytes are digits that say when it was
//! sent, and as the body is the last of a frame, they are the frame's last too.

use std::time::{Duration, Instant};

/// Hexadecimal digits of a time.
pub(super) const LENGTH: usize = 16;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The instant that all times are counted from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Epoch(Instant);

impl Epoch {
    pub(super) fn now() -> Epoch {
        Epoch(Instant::now())
    }

    /// Returns the nanoseconds from the epoch to `at`.
    pub(super) fn nanos(self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.0);
        u64::try_from(since.as_nanos()).expect("no bench runs for 500 years")
    }

    /// Returns how long ago a timestamp is; `None` for one in the future.
    pub(super) fn since(self, nanos: u64) -> Option<Duration> {
        let now = self.nanos(Instant::now());
        now.checked_sub(nanos).map(Duration::from_nanos)
    }
}

/// Returns a body of that many bytes, without a timestamp.
pub(super) fn body(size: usize) -> String {
    "arauto bench ".chars().cycle().take(size).collect()
}

/// Writes a timestamp over the end of a frame with such a body.
pub(super) fn set(frame: &mut [u8], nanos: u64) {
    if let Some(end) = frame.last_chunk_mut::<LENGTH>() {
        for (index, digit) in end.iter_mut().rev().enumerate() {
            *digit = DIGITS[(nanos >> (4 * index)) as usize % DIGITS.len()];
        }
    }
}

/// Returns the timestamp at the end of a frame, where there is one.
pub(super) fn get(frame: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(frame.last_chunk::<LENGTH>()?).ok()?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affinity_that_is_set_is_returned() {
        let mut frame = body(40).into_bytes();
        assert_eq!(get(&frame), None);
        for nanos in [0, 0xabc, u64::MAX, 0x0123_4567_89ab_cdef] {
            set(&mut frame, nanos);
            assert_eq!(get(&frame), Some(nanos));
        }
        assert!(frame.starts_with(b"arauto bench"));
    }
}
