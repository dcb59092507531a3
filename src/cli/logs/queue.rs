//! The queue of log records for stderr, bounded in bytes.
//!
//! A thread writes them, so that a blocked stderr blocks no other thread. Records that do not
//! fit into the queue are dropped, and the log says how many.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// The most bytes of records in the queue, with [`RECORD_OVERHEAD`] for each.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// Bytes that a record takes besides its text.
const RECORD_OVERHEAD: usize = 64;

/// The message of the record that says how many records were dropped.
pub(super) const DROPPED: &str = "log records dropped";

/// How often the log says so while records are being dropped.
const NOTICE_INTERVAL: Duration = Duration::from_secs(1);

/// How long dropping [`LogGuard`] waits for the records in the queue.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// The sending end of the queue; clones share the queue.
#[derive(Clone)]
pub(super) struct LogQueue {
    shared: Arc<Shared>,
}

/// Flushes the queue when it is dropped: waits, at most [`FLUSH_LIMIT`], until all records are
/// written.
pub(in crate::cli) struct LogGuard {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<QueueState>,
    changed: Condvar,
}

#[derive(Default)]
struct QueueState {
    records: VecDeque<Vec<u8>>,
    /// The bytes of the records in the queue and of the one that is being written.
    bytes: usize,
    /// Records that were dropped since the last notice.
    dropped: u64,
    is_closed: bool,
}

/// Makes the record that says how many records were dropped.
pub(super) type Notice = fn(u64) -> Vec<u8>;

/// Starts the thread that writes to `sink`.
///
/// # Panics
/// If the system starts no thread.
pub(super) fn start(sink: impl Write + Send + 'static, notice: Notice) -> (LogQueue, LogGuard) {
    let shared = Arc::new(Shared {
        state: Mutex::default(),
        changed: Condvar::new(),
    });
    let writer = Arc::clone(&shared);
    let thread = thread::Builder::new().name("log".to_owned());
    let started = thread.spawn(move || writer.write_all(sink, notice));
    started.expect("the system starts a thread for the log");
    let queue = LogQueue {
        shared: Arc::clone(&shared),
    };
    (queue, LogGuard { shared })
}

impl Shared {
    fn put(&self, record: &[u8]) {
        let mut state = self.state.lock();
        let cost = record.len() + RECORD_OVERHEAD;
        if state.bytes + cost > MAX_BYTES {
            state.dropped += 1;
            return;
        }
        state.bytes += cost;
        state.records.push_back(record.to_vec());
        drop(state);
        self.changed.notify_all();
    }

    /// Writes records until the queue is closed and empty.
    fn write_all(&self, mut sink: impl Write, notice: Notice) {
        let mut last_notice: Option<Instant> = None;
        let mut state = self.state.lock();
        loop {
            let is_due =
                last_notice.is_none_or(|last_notice| last_notice.elapsed() >= NOTICE_INTERVAL);
            if state.dropped > 0 && (is_due || state.records.is_empty()) {
                let dropped = std::mem::take(&mut state.dropped);
                last_notice = Some(Instant::now());
                drop(state);
                let _ = sink.write_all(&notice(dropped)); // a log that fails stops nothing
            } else if let Some(record) = state.records.pop_front() {
                drop(state);
                let _ = sink.write_all(&record);
                state = self.state.lock();
                state.bytes -= record.len() + RECORD_OVERHEAD;
                if state.records.is_empty() {
                    state.records = VecDeque::new(); // frees the memory of a burst
                    self.changed.notify_all();
                }
                continue;
            } else if state.is_closed {
                return;
            } else {
                self.changed.wait(&mut state);
                continue;
            }
            state = self.state.lock();
        }
    }
}

impl Write for &LogQueue {
    /// Queues one whole record.
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        self.shared.put(record);
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogQueue {
    type Writer = &'a LogQueue;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let until = Instant::now() + FLUSH_LIMIT;
        let mut state = self.shared.state.lock();
        state.is_closed = true;
        self.shared.changed.notify_all();
        while state.bytes > 0
            && !self
                .shared
                .changed
                .wait_until(&mut state, until)
                .timed_out()
        {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A writer that waits for permission before each record, and sends it to the test.
    struct Slow {
        written: Sender<Vec<u8>>,
        go_on: Receiver<()>,
    }

    impl Write for Slow {
        fn write(&mut self, record: &[u8]) -> io::Result<usize> {
            let _ = self.go_on.recv();
            let _ = self.written.send(record.to_vec());
            Ok(record.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn notice(dropped: u64) -> Vec<u8> {
        format!("dropped {dropped}").into_bytes()
    }

    #[test]
    fn stuck_log_holds_bounded_bytes_and_counts_dropped_records() {
        let (written, records) = channel();
        let (go_on, stuck) = channel();
        let slow = Slow {
            written,
            go_on: stuck,
        };
        let (queue, guard) = start(slow, notice);
        let record = vec![b'x'; 64 << 10];
        for _ in 0..1000 {
            (&queue).write_all(&record).expect("it takes all");
        }
        let (bytes, dropped) = {
            let state = queue.shared.state.lock();
            (state.bytes, state.dropped)
        };
        assert!(bytes <= MAX_BYTES, "{bytes}");
        let fit = MAX_BYTES / (record.len() + RECORD_OVERHEAD);
        assert_eq!(dropped, 1000 - fit as u64);

        drop(go_on);
        drop(guard); // writes all records in the queue
        let written: Vec<Vec<u8>> = records.try_iter().collect();
        let last_notice = notice(dropped);
        assert_eq!(written.iter().filter(|one| **one == last_notice).count(), 1);
        assert_eq!(written.iter().filter(|one| **one == record).count(), fit);
    }

    #[test]
    fn log_guard_waits_until_all_is_written() {
        let (written, records) = channel();
        let (_go_on, idle) = channel::<()>();
        drop(_go_on);
        let slow = Slow {
            written,
            go_on: idle,
        };
        let (queue, guard) = start(slow, notice);
        for record in 0..100_u8 {
            (&queue).write_all(&[record]).expect("it takes all");
        }
        drop(guard);
        let written: Vec<u8> = records.try_iter().flatten().collect();
        assert_eq!(written, (0..100).collect::<Vec<u8>>());
    }
}
