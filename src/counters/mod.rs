//! Counts of a server's life, for monitoring: each only rises.
//!
//! They are added to where something ends, begins or goes wrong, and once for each write to a client:
//! never for a single message.

mod durations;

pub use self::durations::{DurationCounts, Durations};
use crate::sync::{AtomicU64, Ordering};
use crate::wire::{CloseReason, ErrorCode};

/// The counts of a server, shared by everything in it.
#[derive(Debug)]
pub struct Counters {
    sessions: AtomicU64,
    logins: AtomicU64,
    gaps: AtomicU64,
    deliveries: AtomicU64,
    sent_bytes: AtomicU64,
    /// In the order of [`ErrorCode::ALL`].
    errors: Box<[AtomicU64]>,
    /// In the order of [`reasons`].
    ends: Box<[AtomicU64]>,
    commits: Durations,
    failed_commits: AtomicU64,
    committed_bytes: AtomicU64,
    /// The one that rises and falls.
    wal_bytes: AtomicU64,
}

/// The counts at one moment.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Sessions that began, those that were refused included.
    pub sessions: u64,
    /// Logins that succeeded.
    pub logins: u64,
    /// Gaps that readers were told of.
    pub gaps: u64,
    /// Broadcasts that were written to readers, once for each reader.
    pub deliveries: u64,
    /// Bytes that were written to clients.
    pub sent_bytes: u64,
    /// Errors that clients were told, by code.
    pub errors: Vec<(ErrorCode, u64)>,
    /// Sessions that ended, by reason.
    pub ends: Vec<(CloseReason, u64)>,
    /// Batches of the journal that were committed, and how long each took.
    pub commits: DurationCounts,
    /// Batches of the journal that failed.
    pub failed_commits: u64,
    /// The bytes of the batches that were committed.
    pub committed_bytes: u64,
    /// The length of the write-ahead log behind the last batch, in bytes.
    pub wal_bytes: u64,
}

/// Returns every reason for the end of a session.
fn reasons() -> impl Iterator<Item = CloseReason> {
    let errors = ErrorCode::ALL.iter().copied().map(CloseReason::Error);
    CloseReason::PLAIN.into_iter().chain(errors)
}

fn zeros(count: usize) -> Box<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

fn value(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Default for Counters {
    fn default() -> Self {
        Counters {
            sessions: AtomicU64::new(0),
            logins: AtomicU64::new(0),
            gaps: AtomicU64::new(0),
            deliveries: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            errors: zeros(ErrorCode::ALL.len()),
            ends: zeros(reasons().count()),
            commits: Durations::default(),
            failed_commits: AtomicU64::new(0),
            committed_bytes: AtomicU64::new(0),
            wal_bytes: AtomicU64::new(0),
        }
    }
}

impl Counters {
    /// Counts a session that begins.
    pub fn session_began(&self) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a session that has ended.
    pub fn session_ended(&self, reason: CloseReason) {
        if let Some(place) = reasons().position(|one| one == reason) {
            self.ends[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a login that succeeded.
    pub fn logged_in(&self) {
        self.logins.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an error that a client is told.
    pub fn error_told(&self, code: ErrorCode) {
        if let Some(place) = ErrorCode::ALL.iter().position(|one| *one == code) {
            self.errors[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a gap that a reader is told of.
    pub fn gap_told(&self) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts broadcasts that are written to a reader.
    pub fn delivered(&self, broadcasts: u64) {
        self.deliveries.fetch_add(broadcasts, Ordering::Relaxed);
    }

    /// Counts bytes that were written to a client.
    pub fn sent(&self, bytes: u64) {
        self.sent_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a batch of the journal that was committed, and notes the length of the write-ahead log.
    pub fn committed(&self, took: std::time::Duration, bytes: u64, wal_bytes: u64) {
        self.commits.note(took);
        self.committed_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.wal_bytes.store(wal_bytes, Ordering::Relaxed);
    }

    /// Counts a batch of the journal that failed.
    pub fn commit_failed(&self) {
        self.failed_commits.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the counts. They are read one after the other, so that two that belong together may
    /// differ by what happens meanwhile.
    pub fn counts(&self) -> Counts {
        let errors = ErrorCode::ALL
            .iter()
            .copied()
            .zip(self.errors.iter().map(value));
        Counts {
            sessions: value(&self.sessions),
            logins: value(&self.logins),
            gaps: value(&self.gaps),
            deliveries: value(&self.deliveries),
            sent_bytes: value(&self.sent_bytes),
            errors: errors.collect(),
            ends: reasons().zip(self.ends.iter().map(value)).collect(),
            commits: self.commits.counts(),
            failed_commits: value(&self.failed_commits),
            committed_bytes: value(&self.committed_bytes),
            wal_bytes: value(&self.wal_bytes),
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_event_is_counted_under_its_own_name() {
        let counters = Counters::default();
        counters.session_began();
        counters.session_ended(CloseReason::Fim);
        counters.session_ended(CloseReason::Error(ErrorCode::Internal));
        counters.logged_in();
        counters.error_told(ErrorCode::Throttled);
        counters.error_told(ErrorCode::Throttled);
        counters.error_told(ErrorCode::Unknown); // never sent, and no count of its own
        counters.gap_told();
        counters.delivered(4);
        counters.sent(900);
        counters.committed(Duration::from_millis(3), 700, 4096);
        counters.commit_failed();
        let counts = counters.counts();
        assert_eq!((counts.sessions, counts.logins, counts.gaps), (1, 1, 1));
        assert_eq!((counts.deliveries, counts.sent_bytes), (4, 900));
        assert_eq!((counts.failed_commits, counts.committed_bytes), (1, 700));
        assert_eq!(counts.wal_bytes, 4096);
        let errors: Vec<_> = counts
            .errors
            .iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        assert_eq!(errors, [&(ErrorCode::Throttled, 2)]);
        let ends: Vec<_> = counts.ends.iter().filter(|(_, count)| *count > 0).collect();
        let internal = CloseReason::Error(ErrorCode::Internal);
        assert_eq!(ends, [&(CloseReason::Fim, 1), &(internal, 1)]);
        assert_eq!(counts.commits.count(), 1);
    }
}
