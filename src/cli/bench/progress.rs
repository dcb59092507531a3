//! Waits for a step of a measurement, shows how far it is, and ends it on a signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::exit::{Failure, sysexits};
use crate::cli::os::StopSignals;

/// How often the progress bar moves.
const TICK: Duration = Duration::from_millis(100);

/// A step in which nothing moves for so long has failed.
const STUCK: Duration = Duration::from_secs(60);

/// The exit code that a shell shows for a command that SIGINT has ended.
const INTERRUPTED: u8 = 130;

/// Counts how far a step is; clones share the count.
#[derive(Debug, Clone, Default)]
pub(super) struct Counter(Arc<AtomicU64>);

impl Counter {
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Shows how far each step is, if stderr is a terminal, and waits for signals.
pub(super) struct Progress {
    signals: StopSignals,
}

impl Progress {
    pub(super) fn new() -> Progress {
        Progress {
            signals: StopSignals::new(),
        }
    }

    /// Waits for a step that counts up to `goal`.
    ///
    /// # Errors
    /// The step's own, a signal came, or nothing has moved for a minute.
    pub(super) async fn step<T>(
        &mut self,
        what: &'static str,
        goal: u64,
        count: &Counter,
        step: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let bar = bar(what, goal);
        let mut step = std::pin::pin!(step);
        let mut tick = tokio::time::interval(TICK);
        let mut moved = (count.get(), Instant::now());
        let outcome = loop {
            tokio::select! {
                outcome = &mut step => break outcome,
                () = self.signals.next() => {
                    break Err(Failure::new(INTERRUPTED, "interrupted"));
                }
                _ = tick.tick() => {
                    let now = count.get();
                    bar.set_position(now);
                    if now != moved.0 {
                        moved = (now, Instant::now());
                    } else if moved.1.elapsed() > STUCK {
                        let message = format!(
                            "{what}: nothing has moved for {STUCK:?}, at {now} of {goal}"
                        );
                        break Err(Failure::new(sysexits::TEMPFAIL, message));
                    }
                }
            }
        };
        bar.finish_and_clear();
        outcome
    }
}

/// Returns a bar that indicatif draws on stderr, only if that is a terminal.
fn bar(what: &'static str, goal: u64) -> ProgressBar {
    let style = "{msg:<12} {wide_bar} {human_pos}/{human_len} {per_sec:>12} {eta:>4}";
    let style = ProgressStyle::with_template(style).expect("the template is valid");
    ProgressBar::new(goal).with_style(style).with_message(what)
}
