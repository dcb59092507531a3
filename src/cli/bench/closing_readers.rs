//! Leitores that read to the very end of their sessions.

use std::future::poll_fn;
use std::task::{Poll, ready};
use std::time::Instant;

use arauto::RawSession;
use arauto::wire::ServerFrame;
use arauto::wire::cbor::ScannedFrame;
use futures_util::future::try_join_all;

use super::client::{Buffer, Listener, SessionClient};
use super::progress::Counter;
use super::target::Target;
use super::threads::{self, Merge, Worker};
use crate::cli::exit::Failure;

/// What they received.
pub(super) struct Closed {
    pub(super) messages: u64,
    pub(super) gaps: u64,
    /// Sessions that ended with `closing`, because the server stopped.
    pub(super) closings: u64,
    /// When the last byte of the last of them was read.
    pub(super) last_byte: Instant,
}

/// Leitores that are logged in.
pub(super) struct ClosingReaders {
    workers: Vec<Worker<Closed>>,
    /// Sessions that have ended.
    pub(super) count: Counter,
}

impl ClosingReaders {
    /// Logs them in.
    pub(super) async fn log_in(
        target: &mut Target,
        sessions: usize,
        threads: usize,
    ) -> Result<ClosingReaders, Failure> {
        let count = Counter::default();
        let ended = count.clone();
        let work = move |sessions| read(sessions, ended.clone());
        let spread = (sessions, threads);
        let workers = threads::log_in_and(target, ("leitores", 0), spread, work).await?;
        Ok(ClosingReaders { workers, count })
    }

    /// Waits until all have ended.
    pub(super) async fn done(self) -> Result<Closed, Failure> {
        threads::merged(self.workers).await
    }
}

impl Closed {
    fn new() -> Closed {
        Closed {
            messages: 0,
            gaps: 0,
            closings: 0,
            last_byte: Instant::now(),
        }
    }
}

impl Merge for Closed {
    fn merge(&mut self, other: Closed) {
        self.messages += other.messages;
        self.gaps += other.gaps;
        self.closings += other.closings;
        self.last_byte = self.last_byte.max(other.last_byte);
    }
}

impl Listener for Closed {
    fn frame(&mut self, frame: ScannedFrame<'_>) {
        match frame {
            ScannedFrame::Message { .. } => self.messages += 1,
            ScannedFrame::Gap(_) => self.gaps += 1,
            ScannedFrame::Other(ServerFrame::Closing(closing)) if closing.reason == "shutdown" => {
                self.closings += 1;
            }
            _ => {}
        }
    }
}

async fn read(sessions: Vec<RawSession>, ended: Counter) -> Result<Closed, Failure> {
    let (buffer, mut all) = (Buffer::new(), Closed::new());
    let reading = sessions.into_iter().map(|session| {
        let (buffer, ended) = (&buffer, &ended);
        async move {
            // Dropped at its end: the server waits for the client to close too.
            let closed = read_to_end(session, buffer).await?;
            ended.add(1);
            Ok::<_, Failure>(closed)
        }
    });
    for closed in try_join_all(reading).await? {
        all.merge(closed);
    }
    Ok(all)
}

async fn read_to_end(session: RawSession, buffer: &Buffer) -> Result<Closed, Failure> {
    let mut client = SessionClient::new(session, Closed::new(), ());
    poll_fn(|cx| {
        if ready!(client.poll_read_into(cx, buffer))? == 0 {
            return Poll::Ready(Ok::<_, Failure>(()));
        }
        client.decoder.listener.last_byte = Instant::now();
        cx.waker().wake_by_ref(); // after the others
        Poll::Pending
    })
    .await?;
    Ok(client.decoder.listener)
}
