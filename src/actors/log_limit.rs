//! Limits the log records that clients cause.
//!
//! A client that is not logged in can send bad frames and wrong passwords as fast as it
//! connects. Each peer has a rate of log records, and all of them together have one; the
//! records above it are counted, and the count is logged.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::accounts::{PeerId, Rates};
use crate::rate::{Bucket, Rate};

/// The time from the first suppressed record to the record that counts them.
const SUMMARY: Duration = Duration::from_secs(10);

/// Decides which records about clients are logged.
#[derive(Debug)]
pub struct LogLimit {
    bad_input: Limit,
    logins: Limit,
    suppressed: AtomicU64,
    /// Notified when a record is suppressed.
    is_suppressing: Notify,
}

#[derive(Debug)]
struct Limit {
    peers: Rates<PeerId>,
    all: Mutex<Bucket>,
}

impl Limit {
    fn new(of_a_peer: Rate, of_all: Rate) -> Limit {
        Limit {
            peers: Rates::new(of_a_peer),
            all: Mutex::new(Bucket::full(of_all, Instant::now())),
        }
    }

    fn admits(&self, peer: &PeerId, now: Instant) -> bool {
        self.peers.take(peer, now).is_ok() && self.all.lock().take(now).is_ok()
    }
}

impl Default for LogLimit {
    fn default() -> Self {
        LogLimit {
            bad_input: Limit::new(Rate::a_minute(60), Rate::a_minute(600)),
            logins: Limit::new(Rate::a_minute(1_000), Rate::a_minute(6_000)),
            suppressed: AtomicU64::new(0),
            is_suppressing: Notify::new(),
        }
    }
}

impl LogLimit {
    /// Whether to log a record about an invalid frame or a refused login now. A suppressed
    /// record is counted.
    pub fn admits_bad_input(&self, peer: &PeerId) -> bool {
        self.note(self.bad_input.admits(peer, Instant::now()))
    }

    /// Whether to log a record about a login now. A suppressed record is counted.
    pub fn admits_login(&self, peer: &PeerId) -> bool {
        self.note(self.logins.admits(peer, Instant::now()))
    }

    fn note(&self, admitted: bool) -> bool {
        if !admitted {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            self.is_suppressing.notify_one();
        }
        admitted
    }

    /// Logs the count of suppressed records, at most once in [`SUMMARY`]. It never ends, and
    /// wakes up only if there are some.
    pub async fn summarize(&self) {
        loop {
            self.is_suppressing.notified().await;
            tokio::time::sleep(SUMMARY).await;
            let records = self.suppressed.swap(0, Ordering::Relaxed);
            if records > 0 {
                tracing::warn!(records, "log records about clients suppressed");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(limit: &LogLimit, peer: &PeerId, now: Instant) -> usize {
        let tries = 0..1000;
        tries
            .filter(|_| limit.note(limit.bad_input.admits(peer, now)))
            .count()
    }

    #[test]
    fn log_limit_applies_per_peer_and_in_total() {
        let limit = LogLimit::default();
        let now = Instant::now();
        let peers: Vec<PeerId> = (0..20).map(PeerId::Uid).collect();
        let counts = peers.iter().map(|peer| admitted(&limit, peer, now));
        let counts: Vec<usize> = counts.collect();
        assert_eq!(counts[0], 60);
        assert_eq!(counts.iter().sum::<usize>(), 600);
        assert_eq!(limit.suppressed.load(Ordering::Relaxed), 20 * 1000 - 600);
    }
}
