//! A client that hears: it reads into a buffer that all clients of its thread
//! share, counts, checks that no seq is missing, and keeps nothing.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use arauto::wire::cbor::{FrameScanner, ScannedFrame};
use arauto::{RawSession, Seq};
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, TryStreamExt};
use tokio::io::{AsyncRead, ReadBuf};

use crate::cli::exit::{Failure, sysexits};

/// More than a unix socket holds by default: one read takes what there is.
const BUFFER: usize = 256 * 1024;

/// Reads of one client in a row, before the others of its thread have their turn.
const TURN: usize = 8;

/// The one buffer of a thread.
pub(super) struct Buffer(RefCell<Box<[u8]>>);

impl Buffer {
    pub(super) fn new() -> Buffer {
        Buffer(RefCell::new(vec![0; BUFFER].into()))
    }
}

/// A logged-in client.
pub(super) struct Ear {
    pub(super) session: RawSession,
    scanner: FrameScanner,
    first: Seq,
}

impl Ear {
    pub(super) fn new(session: RawSession) -> Ear {
        let first = session.who_am_i().seq;
        let scanner = FrameScanner::new(first, session.max_frame());
        Ear {
            session,
            scanner,
            first,
        }
    }

    /// It is shown all of each message's bytes.
    #[must_use]
    pub(super) fn of_whole_frames(mut self) -> Ear {
        self.scanner = self.scanner.whole_frames();
        self
    }

    /// The last seq that it heard.
    pub(super) fn last(&self) -> Seq {
        self.scanner.last()
    }

    /// Broadcasts that it heard, or was told of as missed.
    pub(super) fn passed(&self) -> u64 {
        self.last().0.saturating_sub(self.first.0)
    }

    /// One read; how many bytes it brought, 0 at the end.
    pub(super) fn poll_hear(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &Buffer,
        show: &mut impl FnMut(ScannedFrame<'_>),
    ) -> Poll<Result<usize, Failure>> {
        let mut buffer = buffer.0.borrow_mut();
        let mut read = ReadBuf::new(&mut buffer);
        let outcome = ready!(Pin::new(&mut self.session).poll_read(cx, &mut read));
        outcome.map_err(|error| Failure::new(sysexits::IOERR, format!("reading: {error}")))?;
        let bytes = read.filled();
        let scanned = self.scanner.scan(bytes, show);
        scanned.map_err(|error| {
            let session = self.session.who_am_i().session;
            let message = format!("session {session} heard what cannot be: {error}");
            Failure::new(sysexits::PROTOCOL, message)
        })?;
        Poll::Ready(Ok(bytes.len()))
    }

    /// Hears until `enough`, of which each read is a step.
    pub(super) async fn hear_until(
        &mut self,
        buffer: &Buffer,
        mut show: impl FnMut(ScannedFrame<'_>),
        mut enough: impl FnMut(&Ear) -> bool,
    ) -> Result<(), Failure> {
        poll_fn(|cx| {
            for _ in 0..TURN {
                if enough(self) {
                    return Poll::Ready(Ok(()));
                }
                if ready!(self.poll_hear(cx, buffer, &mut show))? == 0 {
                    return Poll::Ready(Err(gone()));
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }
}

/// What many ears hear together.
pub(super) trait Hear {
    /// A frame.
    fn hear(&self, frame: ScannedFrame<'_>);
    /// A read is over.
    fn read(&self);
}

/// Hears with all of `ears` until each has heard the seq that `goal` will name.
pub(super) async fn hear_up_to(
    ears: &mut [Ear],
    buffer: &Buffer,
    hear: &impl Hear,
    goal: impl Future<Output = Result<Seq, Failure>>,
) -> Result<(), Failure> {
    let goal = {
        let hearing = all_until(ears, buffer, hear, Seq(u64::MAX));
        match select(std::pin::pin!(hearing), std::pin::pin!(goal)).await {
            Either::Left((ended, _)) => return ended,
            Either::Right((goal, _)) => goal?,
        }
    };
    all_until(ears, buffer, hear, goal).await
}

async fn all_until(
    ears: &mut [Ear],
    buffer: &Buffer,
    hear: &impl Hear,
    goal: Seq,
) -> Result<(), Failure> {
    let hearing: FuturesUnordered<_> = ears
        .iter_mut()
        .map(|ear| {
            let show = |frame: ScannedFrame<'_>| hear.hear(frame);
            let enough = move |ear: &Ear| {
                hear.read();
                ear.last() >= goal
            };
            ear.hear_until(buffer, show, enough)
        })
        .collect();
    hearing.try_collect().await
}

/// A connection that ended too early.
pub(super) fn gone() -> Failure {
    let message = "the server has ended a session of the bench";
    Failure::new(sysexits::IOERR, message)
}
