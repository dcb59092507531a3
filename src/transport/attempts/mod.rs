//! Retries a connection's reads and writes that fail for a moment, and remembers failures that
//! last.
//!
//! Invariants:
//! - an operation that failed has moved no byte, so repeating it is safe;
//! - the pauses of one series add up to [`LONGEST_SERIES`] at most; then the error is
//!   returned, and counts as a failure of the server's own side;
//! - while a pause runs the operation is `Pending`, as it is while a peer does not read:
//!   deadlines and the stop end it in the same way, and dropping the connection drops the
//!   timer;
//! - once an operation has failed for good, [`Attempts::has_failed`] stays true. The error
//!   that reports a peer's reset comes once, and may come to a read or to a write.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use super::failure::failure_of;
use crate::framing::Failure;

/// The first pause and the longest one; each is twice as long as the one before it.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The sum of the pauses between one success and the next, at most.
const LONGEST_SERIES: Duration = Duration::from_secs(5);

/// The pauses of one series of failed attempts. It uses no clock: only the pauses count.
#[derive(Debug, Default)]
struct Backoff {
    last: Option<Duration>,
    waited: Duration,
}

impl Backoff {
    /// Returns the next pause, or `None` once the series has lasted long enough.
    fn next_pause(&mut self) -> Option<Duration> {
        let left = LONGEST_SERIES.saturating_sub(self.waited);
        if left.is_zero() {
            return None;
        }
        let pause = self.last.map_or(FIRST_PAUSE, |last| last * 2);
        let pause = pause.min(LONGEST_PAUSE).min(left);
        self.last = Some(pause);
        self.waited += pause;
        Some(pause)
    }
}

/// One direction of a connection. It allocates memory only while attempts fail.
#[derive(Debug, Default)]
struct Direction {
    series: Option<Box<Series>>,
}

#[derive(Debug)]
struct Series {
    backoff: Backoff,
    pause: Pin<Box<Sleep>>,
}

impl Direction {
    /// Begins the next pause; returns `false` once the series has lasted long enough.
    fn begin_pause(&mut self) -> bool {
        let series = self.series.take();
        let mut backoff = series.map(|series| series.backoff).unwrap_or_default();
        let Some(pause) = backoff.next_pause() else {
            return false;
        };
        let pause = Box::pin(sleep(pause));
        self.series = Some(Box::new(Series { backoff, pause }));
        true
    }

    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        loop {
            if let Some(series) = &mut self.series {
                ready!(series.pause.as_mut().poll(cx));
            }
            match ready!(attempt(cx)) {
                Err(error) if failure_of(&error) == Failure::Transient => {
                    if !self.begin_pause() {
                        return Poll::Ready(Err(error));
                    }
                    tracing::debug!(%error, "transient failure, retrying");
                }
                outcome => {
                    self.series = None;
                    return Poll::Ready(outcome);
                }
            }
        }
    }
}

/// The attempts of one connection, in both directions.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    reads: Direction,
    writes: Direction,
    has_failed: bool,
}

impl Attempts {
    /// Whether a read waits for the pause behind a transient failure.
    pub(super) fn is_reading_paused(&self) -> bool {
        self.reads.series.is_some()
    }

    /// Reads, and retries transient failures.
    pub(super) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        attempt: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let read = ready!(self.reads.poll(cx, attempt));
        Poll::Ready(self.note(read))
    }

    /// Writes, and retries transient failures. An `attempt` that fails must have written
    /// nothing.
    pub(super) fn poll_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        attempt: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let written = ready!(self.writes.poll(cx, attempt));
        Poll::Ready(self.note(written))
    }

    /// Remembers a failure that ends the connection.
    pub(super) fn note<T>(&mut self, outcome: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &outcome {
            // sendfile(2) fails so where it does not work; the bytes are then copied.
            let is_refusal = matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            );
            let is_over = failure_of(error) != Failure::MessageTooLong;
            self.has_failed |= is_over && !is_refusal;
        }
        outcome
    }

    /// Returns whether an operation has failed for good. From then on an empty send queue
    /// proves nothing: a reset discards what was in it.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }
}

#[cfg(test)]
mod tests;
