//! Publishers wait for readers that move.
//!
//! Without a brake, a publisher that outruns the machine pushes every reader off
//! the log's tail, the healthy ones too. With a brake on lag alone, one stalled
//! reader stops everybody. So both count: a reader that lags by more than the
//! window holds publishers back only while it moves, and one that does not is let
//! go, to fall off the tail in its own time.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::sync::Mutex;

/// When publishers wait.
#[derive(Debug, Clone, Copy)]
pub struct PaceLimits {
    /// Bytes that a moving reader may lag before publishers wait for it.
    pub window: u64,
    /// Bytes a second that a lagging reader must take to count as moving.
    pub min_rate: u64,
    /// How long a lagging reader is given the benefit of the doubt.
    pub patience: Duration,
}

/// Knows who lags, and lets publishers through or not.
#[derive(Debug)]
pub struct Pace {
    limits: PaceLimits,
    board: Arc<Mutex<Board>>,
}

#[derive(Debug, Default)]
struct Board {
    laggards: Vec<Option<Laggard>>,
    free: Vec<usize>,
    publishers: Vec<Waker>,
    /// Where the log's end was when a publisher was last held back.
    held_at: u64,
    /// Bytes that were let through and are not in the log yet.
    on_their_way: u64,
    /// What the last look at every laggard showed, where it held nobody back.
    looked: Option<Look>,
}

/// A look at every laggard, so that not each publish must look again.
#[derive(Debug)]
struct Look {
    at: Instant,
    /// No laggard is behind this: none of them ever goes back.
    lowest: u64,
}

#[derive(Debug)]
struct Laggard {
    position: u64,
    taken: u64,
    mark: Mark,
    moves: bool,
}

/// Where a laggard was when it was last judged.
#[derive(Debug)]
struct Mark {
    at: Instant,
    taken: u64,
}

/// A reader's entry among those that lag; dropping it takes the entry away.
#[derive(Debug)]
pub struct Lag {
    index: usize,
    board: Arc<Mutex<Board>>,
}

impl Drop for Lag {
    fn drop(&mut self) {
        let mut board = self.board.lock();
        board.laggards[self.index] = None;
        board.free.push(self.index);
        board.wake_publishers();
    }
}

/// Bytes on their way to the log; dropping it says that they are there.
#[derive(Debug)]
pub struct OnItsWay {
    bytes: u64,
    board: Arc<Mutex<Board>>,
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        let mut board = self.board.lock();
        board.on_their_way -= self.bytes;
        board.wake_publishers();
    }
}

impl Pace {
    /// Counts bytes that were let through, until they are in the log: many
    /// publishers that are let through at the same moment could fill it otherwise.
    pub fn send(&self, bytes: usize) -> OnItsWay {
        let bytes = bytes as u64;
        self.board.lock().on_their_way += bytes;
        OnItsWay {
            bytes,
            board: Arc::clone(&self.board),
        }
    }

    pub(super) fn new(limits: PaceLimits) -> Self {
        Pace {
            limits,
            board: Arc::default(),
        }
    }

    /// Notes that a reader lags: it is at `position`, and has taken `taken` bytes
    /// so far (which a gap does not count towards).
    pub fn note(&self, lag: &mut Option<Lag>, position: u64, taken: u64) {
        let mut board = self.board.lock();
        let Some(lag) = lag else {
            let index = board.enter(Laggard {
                position,
                taken,
                mark: Mark {
                    at: Instant::now(),
                    taken,
                },
                moves: true,
            });
            drop(board);
            *lag = Some(Lag {
                index,
                board: Arc::clone(&self.board),
            });
            return;
        };
        if let Some(laggard) = &mut board.laggards[lag.index] {
            (laggard.position, laggard.taken) = (position, taken);
        }
        // Not for every step that a reader takes: only for the one that lets go.
        if board.held_at.saturating_sub(position) <= self.limits.window {
            board.wake_publishers();
        }
    }

    /// Whether a publisher may go on, with the log's end at `written`.
    ///
    /// Where it may not, `waker` is woken when a reader has moved; as a reader
    /// that stands still moves nothing, ask again after [`PaceLimits::patience`]
    /// at the latest.
    pub fn may_publish(&self, written: u64, waker: &Waker) -> bool {
        let mut board = self.board.lock();
        let now = Instant::now();
        let limits = self.limits;
        let written = written + board.on_their_way;
        let full = board.on_their_way > limits.window;
        if !full && board.is_known_clear(written, now, limits) {
            return true;
        }
        let held = board.look(written, now, limits) || full;
        if held {
            board.held_at = written;
        }
        if held && !board.publishers.iter().any(|known| known.will_wake(waker)) {
            board.publishers.push(waker.clone());
        }
        !held
    }

    /// How long a lagging reader is given the benefit of the doubt.
    pub fn patience(&self) -> Duration {
        self.limits.patience
    }
}

impl Board {
    /// Whether the last look tells, without another one, that nobody holds
    /// publishers back. It counts for a short while, so that those who stand still
    /// are found out in time.
    fn is_known_clear(&self, written: u64, now: Instant, limits: PaceLimits) -> bool {
        self.looked.as_ref().is_some_and(|look| {
            now.duration_since(look.at) < limits.patience / 8
                && written.saturating_sub(look.lowest) <= limits.window
        })
    }

    /// Judges every laggard. Whether one of them holds publishers back.
    fn look(&mut self, written: u64, now: Instant, limits: PaceLimits) -> bool {
        let (mut lowest, mut held) = (written, false);
        for laggard in self.laggards.iter_mut().flatten() {
            lowest = lowest.min(laggard.position);
            held |= laggard.holds(written, now, limits);
        }
        self.looked = (!held).then_some(Look { at: now, lowest });
        held
    }

    fn enter(&mut self, laggard: Laggard) -> usize {
        if let Some(look) = &mut self.looked {
            look.lowest = look.lowest.min(laggard.position);
        }
        if let Some(index) = self.free.pop() {
            self.laggards[index] = Some(laggard);
            return index;
        }
        self.laggards.push(Some(laggard));
        self.laggards.len() - 1
    }

    fn wake_publishers(&mut self) {
        self.publishers.drain(..).for_each(Waker::wake);
    }
}

impl Laggard {
    fn holds(&mut self, written: u64, now: Instant, limits: PaceLimits) -> bool {
        if self.position >= written {
            self.judge(now, true);
        }
        let spent = now.duration_since(self.mark.at);
        if spent >= limits.patience {
            let taken = (self.taken - self.mark.taken) as f64;
            self.judge(now, taken >= limits.min_rate as f64 * spent.as_secs_f64());
        }
        self.moves && written.saturating_sub(self.position) > limits.window
    }

    fn judge(&mut self, now: Instant, moves: bool) {
        self.moves = moves;
        self.mark = Mark {
            at: now,
            taken: self.taken,
        };
    }
}
