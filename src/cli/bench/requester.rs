//! A client that sends requests in a closed loop.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use arauto::wire::cbor::{self, ScannedFrame};
use arauto::wire::{ClientFrame, Request};
use arauto::{Body, RawSession};

use super::client::{Buffer, Listener, SessionClient, session_ended};
use super::outbox::Outbox;
use super::progress::Counter;
use super::timestamp;
use crate::cli::exit::{Failure, sysexits};
use crate::load::latencies::Latencies;
use crate::load::window::Window;

/// How long to send requests, and which answers are timed.
#[derive(Debug, Clone)]
pub(super) enum Until {
    /// That many are answered; all are timed.
    Answered(u64),
    /// The period is over; those are timed that are answered in it.
    Over(Period),
}

/// A period that begins and ends on another thread.
#[derive(Debug, Clone, Default)]
pub(super) struct Period(Arc<AtomicU8>);

const RUNNING: u8 = 1;
const OVER: u8 = 2;

impl Period {
    pub(super) fn begin(&self) {
        self.0.store(RUNNING, Ordering::Release);
    }

    pub(super) fn end(&self) {
        self.0.store(OVER, Ordering::Release);
    }

    fn is(&self, state: u8) -> bool {
        self.0.load(Ordering::Acquire) == state
    }
}

/// A logged-in client that sends requests.
pub(super) struct Requester {
    client: SessionClient<Replies, Outbox>,
    /// Where the id is in a frame, in 8 bytes.
    id: usize,
    window: Window,
    until: Until,
    /// When each of those on their way was sent.
    sent_at: VecDeque<Instant>,
    sent: u64,
}

impl Requester {
    pub(super) fn new(
        session: RawSession,
        size: usize,
        until: Until,
        in_flight: usize,
    ) -> Result<Requester, Failure> {
        let body = timestamp::body(size);
        let (body, mut frame, id) = (Body::text(&body), Vec::new(), u64::MAX);
        cbor::encode(&ClientFrame::Request(Request::new(id, body)), &mut frame);
        if frame.len() > session.max_frame() {
            let message = format!("requests of {size} bytes are more than the server takes");
            return Err(Failure::new(sysexits::USAGE, message));
        }
        let wide = id.to_be_bytes();
        let id = frame.windows(wide.len()).position(|bytes| bytes == wide);
        let total = match until {
            Until::Answered(total) => total,
            Until::Over(_) => u64::MAX,
        };
        Ok(Requester {
            client: SessionClient::new(session, Replies::default(), Outbox::new(frame)),
            id: id.expect("it was just encoded"),
            window: Window::new(total, in_flight),
            until,
            sent_at: VecDeque::new(),
            sent: 0,
        })
    }

    /// Sends requests and reads the replies.
    pub(super) async fn run(
        &mut self,
        buffer: &Buffer,
        latencies: &RefCell<Latencies>,
        count: &Counter,
    ) -> Result<(), Failure> {
        poll_fn(|cx| {
            loop {
                while self.sent < self.window.due() && !self.is_over() {
                    self.send();
                }
                if self.sent_at.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                self.client.poll_write(cx, usize::MAX)?;
                let answered = ready!(self.poll_replies(cx, buffer))?;
                count.add(answered);
                self.time(answered, latencies);
            }
        })
        .await
    }

    fn is_over(&self) -> bool {
        matches!(&self.until, Until::Over(period) if period.is(OVER))
    }

    fn send(&mut self) {
        let (id, number) = (self.id..self.id + size_of::<u64>(), self.sent);
        let set_id = |frame: &mut [u8]| frame[id].copy_from_slice(&number.to_be_bytes());
        self.client.output.push(set_id);
        self.sent += 1;
        self.sent_at.push_back(Instant::now());
    }

    /// Reads once; returns how many requests that has answered.
    fn poll_replies(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &Buffer,
    ) -> Poll<Result<u64, Failure>> {
        let before = self.client.decoder.listener.answered;
        if ready!(self.client.poll_read_into(cx, buffer))? == 0 {
            return Poll::Ready(Err(session_ended()));
        }
        let replies = &self.client.decoder.listener;
        if let Some(wrong) = &replies.wrong {
            let message = format!("a request was not answered: {wrong}");
            return Poll::Ready(Err(Failure::new(sysexits::PROTOCOL, message)));
        }
        self.window.set_answered(replies.answered, self.sent)?;
        Poll::Ready(Ok(replies.answered - before))
    }

    fn time(&mut self, answered: u64, latencies: &RefCell<Latencies>) {
        let is_timed = match &self.until {
            Until::Answered(_) => true,
            Until::Over(period) => period.is(RUNNING),
        };
        let now = Instant::now();
        for sent in self.sent_at.drain(..answered as usize) {
            if is_timed {
                latencies.borrow_mut().record(now.duration_since(sent));
            }
        }
    }
}

/// The replies that a client gets: each must be to the next request.
#[derive(Default)]
struct Replies {
    answered: u64,
    wrong: Option<String>,
}

impl Listener for Replies {
    fn frame(&mut self, frame: ScannedFrame<'_>) {
        match frame {
            ScannedFrame::Reply { id } if id == self.answered => self.answered += 1,
            ScannedFrame::Reply { id } => {
                self.wrong = Some(format!("an answer to {id}, out of order"))
            }
            ScannedFrame::Other(other) => self.wrong = Some(format!("{other:?}")),
            _ => {}
        }
    }
}
