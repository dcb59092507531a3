//! Log records on their way to stderr: a queue that is bounded in bytes.
//!
//! A thread of its own writes, so that a stderr that nobody reads blocks no other thread. Records
//! that do not fit into the queue are dropped, and the log says how many were.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// The most bytes of records that wait, their own bookkeeping included.
pub(super) const MOST: usize = 4 << 20;

/// Bytes that a record costs besides its text.
const RECORD: usize = 64;

/// While records keep being dropped, how often the log says so.
const NOTICE: Duration = Duration::from_secs(1);

/// How long the end waits for what still has to be written.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The end of the queue that records are put into; clones share it.
#[derive(Clone)]
pub(super) struct LogQueue {
    shared: Arc<Shared>,
}

/// Dropping it waits, for [`LAST_WORDS`] at most, until all records are written.
pub(in crate::cli) struct LogGuard {
    shared: Arc<Shared>,
}

struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    records: VecDeque<Vec<u8>>,
    /// Of the records that wait and of the one that is being written.
    bytes: usize,
    /// Records that there was no room for, since the log last said so.
    dropped: u64,
    is_over: bool,
}

/// Makes the record that says how many were dropped.
pub(super) type Notice = fn(u64) -> Vec<u8>;

/// Starts the thread that writes to `sink`.
///
/// # Panics
/// If the system starts no thread.
pub(super) fn start(sink: impl Write + Send + 'static, notice: Notice) -> (LogQueue, LogGuard) {
    let shared = Arc::new(Shared {
        waiting: Mutex::default(),
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
        let mut waiting = self.waiting.lock();
        let cost = record.len() + RECORD;
        if waiting.bytes + cost > MOST {
            waiting.dropped += 1;
            return;
        }
        waiting.bytes += cost;
        waiting.records.push_back(record.to_vec());
        drop(waiting);
        self.changed.notify_all();
    }

    /// Writes until the queue is over and empty.
    fn write_all(&self, mut sink: impl Write, notice: Notice) {
        let mut said: Option<Instant> = None;
        let mut waiting = self.waiting.lock();
        loop {
            let is_due = said.is_none_or(|said| said.elapsed() >= NOTICE);
            if waiting.dropped > 0 && (is_due || waiting.records.is_empty()) {
                let dropped = std::mem::take(&mut waiting.dropped);
                said = Some(Instant::now());
                drop(waiting);
                let _ = sink.write_all(&notice(dropped)); // nobody reads the log: go on
            } else if let Some(record) = waiting.records.pop_front() {
                drop(waiting);
                let _ = sink.write_all(&record);
                waiting = self.waiting.lock();
                waiting.bytes -= record.len() + RECORD;
                if waiting.records.is_empty() {
                    waiting.records = VecDeque::new(); // what a burst took is given back
                    self.changed.notify_all();
                }
                continue;
            } else if waiting.is_over {
                return;
            } else {
                self.changed.wait(&mut waiting);
                continue;
            }
            waiting = self.waiting.lock();
        }
    }
}

impl Write for &LogQueue {
    /// Takes one whole record.
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
        let until = Instant::now() + LAST_WORDS;
        let mut waiting = self.shared.waiting.lock();
        waiting.is_over = true;
        self.shared.changed.notify_all();
        while waiting.bytes > 0
            && !self
                .shared
                .changed
                .wait_until(&mut waiting, until)
                .timed_out()
        {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Hands each record over, and takes the next one only when told to.
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
            let waiting = queue.shared.waiting.lock();
            (waiting.bytes, waiting.dropped)
        };
        assert!(bytes <= MOST, "{bytes}");
        let fit = MOST / (record.len() + RECORD);
        assert_eq!(dropped, 1000 - fit as u64);

        drop(go_on);
        drop(guard); // all that waits is written now
        let written: Vec<Vec<u8>> = records.try_iter().collect();
        let said = notice(dropped);
        assert_eq!(written.iter().filter(|one| **one == said).count(), 1);
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
