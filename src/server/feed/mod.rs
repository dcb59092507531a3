//! The broadcasts, for the program that the server runs in.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::log::{Cursor, Log, LogRead, ReadWait};
use crate::wire::{Decoded, Event, cbor};

/// The approximate number of slices that one read takes from the log.
const SLICES: usize = 4;
const BATCH: usize = 64 * 1024;

/// Yields every broadcast from the moment of its making; it is a [`Stream`].
///
/// It is a cursor like any session's: one that is not read from costs nothing,
/// and yields a gap when it falls off the log's tail.
#[derive(Debug)]
pub struct Feed {
    log: Arc<Log>,
    cursor: Cursor,
    place: ReadWait,
    ready: VecDeque<Event>,
}

impl Feed {
    pub(super) fn new(log: Arc<Log>) -> Feed {
        Feed {
            cursor: log.cursor_after(log.head()),
            log,
            place: ReadWait::default(),
            ready: VecDeque::new(),
        }
    }

    /// Returns the next broadcast; `None` once the server has stopped and all have been read.
    ///
    /// Cancel safety: no broadcast is lost.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(Some(event));
            }
            match self.log.read(&mut self.cursor, None, SLICES, BATCH) {
                LogRead::Gap(gap) => return Poll::Ready(Some(Event::Gap(gap))),
                LogRead::Frames(slices) => {
                    let mut length = 0;
                    for slice in &slices {
                        self.decode(&slice.bytes);
                        length += slice.bytes.len();
                    }
                    self.cursor.advance(&self.log, &slices, length);
                }
                LogRead::AtHead => {
                    self.log.notifier(0).register(&mut self.place, cx.waker());
                    // Both looks come behind the queueing: a seal in front of it may
                    // have rung already, and nothing rings after that. The seal is the
                    // first of them: behind it the head is the last.
                    let sealed = self.log.is_sealed();
                    match (self.log.is_at_head(&self.cursor), sealed) {
                        (false, _) => {}
                        (true, true) => return Poll::Ready(None),
                        (true, false) => return Poll::Pending,
                    }
                }
            }
        }
    }

    fn decode(&mut self, mut bytes: &[u8]) {
        while let Ok(Decoded::Frame(frame, used)) = cbor::decode_server(bytes, usize::MAX) {
            self.ready.extend(Event::of(frame));
            bytes = &bytes[used..];
        }
    }
}

impl Stream for Feed {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.poll_event(cx)
    }
}

#[cfg(all(test, shuttle))]
mod interleavings;
