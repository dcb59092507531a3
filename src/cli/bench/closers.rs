//! Leitores that hear to the very end of their sessions.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Instant;

use arauto::wire::ServerFrame;
use arauto::wire::cbor::ScannedFrame;
use futures_util::future::try_join_all;
use tokio::sync::oneshot;

use super::door::Door;
use super::ear::{Buffer, Ear};
use super::stage::Stage;
use super::threads::{self, Work};
use super::watch::Count;
use crate::cli::exit::{Failure, sysexits};

/// What they heard.
pub(super) struct Closed {
    pub(super) messages: u64,
    pub(super) gaps: u64,
    /// Sessions that ended with `closing`, because the server stopped.
    pub(super) closings: u64,
    /// When the last byte of the last of them was read.
    pub(super) last_byte: Instant,
}

/// Leitores that are in.
pub(super) struct Closers {
    works: Vec<Work<Closed>>,
    /// Sessions that are over.
    pub(super) count: Count,
}

impl Closers {
    /// Lets them in.
    pub(super) async fn enter(
        stage: &mut Stage,
        sessions: usize,
        threads: usize,
    ) -> Result<Closers, Failure> {
        let (count, entered) = (Count::default(), Count::default());
        let (mut works, mut ready) = (Vec::new(), Vec::new());
        for share in threads::shares(sessions, threads) {
            let (tell_ready, is_ready) = oneshot::channel();
            let (door, entered, count) = (stage.door.clone(), entered.clone(), count.clone());
            let work = move || hear(door, share, entered, tell_ready, count);
            works.push(threads::begin("leitores", work)?);
            ready.push(is_ready);
        }
        let entering = threads::ready(ready);
        let goal = sessions as u64;
        if !stage.watch.step("logins", goal, &entered, entering).await? {
            threads::all(works).await?;
            return Err(Failure::new(sysexits::SOFTWARE, "the leitores have left"));
        }
        Ok(Closers { works, count })
    }

    /// Waits until all are over.
    pub(super) async fn done(self) -> Result<Closed, Failure> {
        let closed = threads::all(self.works).await?.into_iter();
        let all = closed.reduce(|mut all, closed| {
            all.messages += closed.messages;
            all.gaps += closed.gaps;
            all.closings += closed.closings;
            all.last_byte = all.last_byte.max(closed.last_byte);
            all
        });
        all.ok_or_else(|| Failure::new(sysexits::SOFTWARE, "nobody listens"))
    }
}

/// What one thread counts.
struct Tally {
    messages: Cell<u64>,
    gaps: Cell<u64>,
    closings: Cell<u64>,
    last_byte: Cell<Instant>,
}

async fn hear(
    door: Door,
    sessions: usize,
    entered: Count,
    ready: oneshot::Sender<()>,
    over: Count,
) -> Result<Closed, Failure> {
    let sessions = door.enter_all(sessions, 0..1, &entered).await?;
    let _ = ready.send(()); // nobody may wait any more
    let (buffer, tally) = (Buffer::new(), Tally::new());
    let hearing = sessions.into_iter().map(|session| {
        let (buffer, tally, over) = (&buffer, &tally, &over);
        async move {
            // Dropped at its end: the server waits for the client to close too.
            tally.hear_to_end(Ear::new(session), buffer).await?;
            over.add(1);
            Ok::<_, Failure>(())
        }
    });
    try_join_all(hearing).await?;
    Ok(Closed {
        messages: tally.messages.get(),
        gaps: tally.gaps.get(),
        closings: tally.closings.get(),
        last_byte: tally.last_byte.get(),
    })
}

impl Tally {
    fn new() -> Tally {
        Tally {
            messages: Cell::new(0),
            gaps: Cell::new(0),
            closings: Cell::new(0),
            last_byte: Cell::new(Instant::now()),
        }
    }

    fn hear(&self, frame: &ScannedFrame<'_>) {
        let count = match frame {
            ScannedFrame::Message { .. } => &self.messages,
            ScannedFrame::Gap(_) => &self.gaps,
            ScannedFrame::Other(ServerFrame::Closing(closing)) if closing.reason == "shutdown" => {
                &self.closings
            }
            _ => return,
        };
        count.set(count.get() + 1);
    }

    async fn hear_to_end(&self, mut ear: Ear, buffer: &Buffer) -> Result<(), Failure> {
        let mut show = |frame: ScannedFrame<'_>| self.hear(&frame);
        poll_fn(|cx| {
            match ear.poll_hear(cx, buffer, &mut show)? {
                Poll::Ready(0) => return Poll::Ready(Ok(())),
                Poll::Ready(_) => {
                    self.last_byte.set(Instant::now());
                    cx.waker().wake_by_ref(); // after the others
                }
                Poll::Pending => {}
            }
            Poll::Pending
        })
        .await
    }
}
