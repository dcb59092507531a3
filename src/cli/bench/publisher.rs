//! A client that publishes a run of messages, as fast as the connection takes them or at a
//! steady rate, while it reads the answers.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use arauto::wire::cbor::{self, ScannedFrame};
use arauto::wire::{ClientFrame, Publish};
use arauto::{Body, RawSession, Seq};

use super::client::{Buffer, Listener, SessionClient, session_ended};
use super::outbox::Outbox;
use super::progress::Counter;
use super::timer::Timer;
use super::timestamp::{self, Epoch};
use crate::cli::exit::{Failure, sysexits};
use crate::load::output::{Output, Repeated, Writes};
use crate::load::schedule::Schedule;

/// The most bytes that a publisher that pipelines offers in one write.
const OFFER: usize = 64 * 1024;

/// The messages of one publisher.
#[derive(Debug, Clone, Copy)]
pub(super) struct Messages {
    pub(super) count: u64,
    /// Bytes of a body.
    pub(super) size: usize,
    pub(super) writes: Writes,
    /// Messages a second, with the time in each; `None`: as fast as they are taken.
    pub(super) rate: Option<(f64, Epoch)>,
}

/// A logged-in publisher.
pub(super) struct Publisher {
    client: SessionClient<Answers, Messaging>,
    count: u64,
}

impl Publisher {
    pub(super) fn new(session: RawSession, messages: Messages) -> Result<Publisher, Failure> {
        let size = messages.size;
        let body = timestamp::body(size);
        let (body, mut frame) = (Body::text(&body), Vec::new());
        cbor::encode(&ClientFrame::Publish(Publish::new(0, body)), &mut frame);
        if frame.len() > session.max_frame() {
            let message = format!("messages of {size} bytes are more than the server takes");
            return Err(Failure::new(sysexits::USAGE, message));
        }
        let output = match messages.rate {
            None => Messaging::AtOnce(Repeated::new(&frame, OFFER, messages.writes)),
            Some((rate, epoch)) => Messaging::Paced(Paced {
                outbox: Outbox::new(frame),
                schedule: Schedule::new(Instant::now(), rate),
                rate,
                epoch,
                due: 0,
                timer: Timer::default(),
            }),
        };
        Ok(Publisher {
            client: SessionClient::new(session, Answers::default(), output),
            count: messages.count,
        })
    }

    /// Publishes the messages, and returns the seq of the last.
    pub(super) async fn publish(
        &mut self,
        buffer: &Buffer,
        answered: &Counter,
    ) -> Result<Seq, Failure> {
        let count = self.count;
        match &mut self.client.output {
            Messaging::AtOnce(output) => output.set_due(count),
            Messaging::Paced(paced) => {
                paced.schedule = Schedule::new(Instant::now(), paced.rate);
            }
        }
        poll_fn(|cx| {
            if let Messaging::Paced(paced) = &mut self.client.output {
                paced.push_due(count);
            }
            self.client.poll_write(cx, usize::MAX)?;
            let answers = self.poll_answers(cx, buffer, answered);
            if let Messaging::Paced(paced) = &mut self.client.output
                && answers.is_pending()
            {
                paced.wait(cx, count);
            }
            answers
        })
        .await?;
        Ok(self.client.decoder.listener.last)
    }

    /// Reads for ever: a client that stopped reading would hold the others back.
    pub(super) async fn read_on(&mut self, buffer: &Buffer) -> Result<(), Failure> {
        self.client.read_until(buffer, |_| false).await
    }

    /// Reads what there is, until all messages are answered.
    fn poll_answers(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &Buffer,
        count: &Counter,
    ) -> Poll<Result<(), Failure>> {
        while self.client.decoder.listener.answered < self.count {
            let before = self.client.decoder.listener.answered;
            let read = ready!(self.client.poll_read_into(cx, buffer))?;
            let answers = &self.client.decoder.listener;
            count.add(answers.answered - before);
            if let Some(refused) = &answers.refused {
                let message = format!("a message was not published: {refused}");
                return Poll::Ready(Err(Failure::new(sysexits::PROTOCOL, message)));
            }
            if read == 0 {
                return Poll::Ready(Err(session_ended()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The work of a publisher.
enum Messaging {
    AtOnce(Repeated),
    Paced(Paced),
}

impl Output for Messaging {
    fn is_due(&self) -> bool {
        match self {
            Messaging::AtOnce(output) => output.is_due(),
            Messaging::Paced(paced) => paced.outbox.is_due(),
        }
    }

    fn offer(&self) -> &[u8] {
        match self {
            Messaging::AtOnce(output) => output.offer(),
            Messaging::Paced(paced) => paced.outbox.offer(),
        }
    }

    fn advance(&mut self, written: usize) {
        match self {
            Messaging::AtOnce(output) => output.advance(written),
            Messaging::Paced(paced) => paced.outbox.advance(written),
        }
    }
}

/// Messages at a steady rate, each with the time at which it was due.
struct Paced {
    outbox: Outbox,
    schedule: Schedule,
    rate: f64,
    epoch: Epoch,
    /// Messages that were due so far.
    due: u64,
    timer: Timer,
}

impl Paced {
    /// Adds the messages that are due by now, `all` in all at the most.
    fn push_due(&mut self, all: u64) {
        let due = self.schedule.due_by(Instant::now(), self.due).min(all);
        for index in self.due..due {
            let nanos = self.epoch.nanos(self.schedule.due_at(index));
            self.outbox.push(|frame| timestamp::set(frame, nanos));
        }
        self.due = due;
    }

    /// Wakes the task when the next message is due.
    fn wait(&mut self, cx: &mut Context<'_>, all: u64) {
        if self.due < all {
            self.timer.wake_at(cx, self.schedule.due_at(self.due));
        }
    }
}

/// The answers that a publisher gets.
#[derive(Default)]
struct Answers {
    answered: u64,
    /// The seq of the last message that was answered.
    last: Seq,
    refused: Option<String>,
}

impl Listener for Answers {
    fn frame(&mut self, frame: ScannedFrame<'_>) {
        match frame {
            ScannedFrame::Published { seq, .. } => {
                self.answered += 1;
                self.last = seq;
            }
            ScannedFrame::Other(other) => self.refused = Some(format!("{other:?}")),
            _ => {}
        }
    }
}
