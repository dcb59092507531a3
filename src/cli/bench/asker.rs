//! A client that asks in a closed loop: so many requests on their way, and another
//! for each that is answered.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use arauto::wire::cbor::{self, ScannedFrame};
use arauto::wire::{BodyFrame, ClientFrame};
use arauto::{Body, RawSession};
use tokio::io::AsyncWrite;

use super::ear::{Buffer, Ear, gone};
use super::latency::Latencies;
use super::stamp;
use super::watch::Count;
use crate::cli::exit::{Failure, sysexits};

/// How long to ask, and which answers are timed.
#[derive(Debug, Clone)]
pub(super) enum Until {
    /// That many are answered, all timed.
    Answered(u64),
    /// The storm is over; those are timed that are answered while it lasts.
    Over(Storm),
}

/// Something that begins and ends, on another thread.
#[derive(Debug, Clone, Default)]
pub(super) struct Storm(Arc<AtomicU8>);

const LASTS: u8 = 1;
const OVER: u8 = 2;

impl Storm {
    pub(super) fn begin(&self) {
        self.0.store(LASTS, Ordering::Release);
    }

    pub(super) fn end(&self) {
        self.0.store(OVER, Ordering::Release);
    }

    fn is(&self, state: u8) -> bool {
        self.0.load(Ordering::Acquire) == state
    }
}

/// A logged-in client that asks.
pub(super) struct Asker {
    ear: Ear,
    frame: Vec<u8>,
    /// Where the frame's id is, in 8 bytes.
    id: usize,
    /// When each of those on their way was sent.
    on_their_way: VecDeque<Instant>,
    /// Bytes that the socket has yet to take.
    out: Vec<u8>,
    sent: u64,
    answered: u64,
}

impl Asker {
    pub(super) fn new(session: RawSession, size: usize) -> Result<Asker, Failure> {
        let body = stamp::body(size);
        let (mut frame, id) = (Vec::new(), u64::MAX);
        let body = Body::text(&body);
        cbor::encode(&ClientFrame::Request(BodyFrame { id, body }), &mut frame);
        if frame.len() > session.max_frame() {
            let message = format!("requests of {size} bytes are more than the server takes");
            return Err(Failure::new(sysexits::USAGE, message));
        }
        let wide = id.to_be_bytes();
        let id = frame.windows(wide.len()).position(|bytes| bytes == wide);
        Ok(Asker {
            ear: Ear::new(session),
            frame,
            id: id.expect("it was just encoded"),
            on_their_way: VecDeque::new(),
            out: Vec::new(),
            sent: 0,
            answered: 0,
        })
    }

    /// Asks, `in_flight` at a time.
    pub(super) async fn ask(
        &mut self,
        until: &Until,
        in_flight: usize,
        buffer: &Buffer,
        latencies: &RefCell<Latencies>,
        count: &Count,
    ) -> Result<(), Failure> {
        poll_fn(|cx| {
            loop {
                while self.on_their_way.len() < in_flight && self.wants_more(until) {
                    self.send();
                }
                if self.on_their_way.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                self.poll_write(cx)?;
                let before = self.answered;
                match self.poll_answers(cx, until, buffer, latencies)? {
                    Poll::Ready(()) => count.add(self.answered - before),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    fn wants_more(&self, until: &Until) -> bool {
        match until {
            Until::Answered(all) => self.sent < *all,
            Until::Over(storm) => !storm.is(OVER),
        }
    }

    fn send(&mut self) {
        let id = self.id..self.id + size_of::<u64>();
        self.frame[id].copy_from_slice(&self.sent.to_be_bytes());
        self.out.extend_from_slice(&self.frame);
        self.sent += 1;
        self.on_their_way.push_back(Instant::now());
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        while !self.out.is_empty() {
            match Pin::new(&mut self.ear.session).poll_write(cx, &self.out) {
                Poll::Ready(Ok(written)) => drop(self.out.drain(..written)),
                Poll::Ready(Err(error)) => {
                    return Err(Failure::new(sysexits::IOERR, format!("writing: {error}")));
                }
                Poll::Pending => return Ok(()),
            }
        }
        let flushed = Pin::new(&mut self.ear.session).poll_flush(cx);
        if let Poll::Ready(Err(error)) = flushed {
            return Err(Failure::new(sysexits::IOERR, format!("writing: {error}")));
        }
        Ok(())
    }

    /// One read; each answer must be the next one's.
    fn poll_answers(
        &mut self,
        cx: &mut Context<'_>,
        until: &Until,
        buffer: &Buffer,
        latencies: &RefCell<Latencies>,
    ) -> Result<Poll<()>, Failure> {
        let (mut ids, mut wrong) = (self.answered.., None);
        let mut show = |frame: ScannedFrame<'_>| match frame {
            ScannedFrame::Reply { id } if Some(id) == ids.next() => {}
            ScannedFrame::Reply { id } => wrong = Some(format!("an answer to {id}, out of order")),
            ScannedFrame::Other(other) => wrong = Some(format!("{other:?}")),
            _ => {}
        };
        let Poll::Ready(read) = self.ear.poll_hear(cx, buffer, &mut show) else {
            return Ok(Poll::Pending);
        };
        if read? == 0 {
            return Err(gone());
        }
        if let Some(wrong) = wrong {
            let message = format!("a request was not answered: {wrong}");
            return Err(Failure::new(sysexits::PROTOCOL, message));
        }
        let answered = ids.start - self.answered;
        self.answered = ids.start;
        self.time(answered, until, latencies);
        Ok(Poll::Ready(()))
    }

    fn time(&mut self, answered: u64, until: &Until, latencies: &RefCell<Latencies>) {
        let is_timed = match until {
            Until::Answered(_) => true,
            Until::Over(storm) => storm.is(LASTS),
        };
        let now = Instant::now();
        for _ in 0..answered {
            if let Some(sent) = self.on_their_way.pop_front()
                && is_timed
            {
                latencies.borrow_mut().record(now.duration_since(sent));
            }
        }
    }
}
