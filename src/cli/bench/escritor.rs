//! A client that publishes: frames that were encoded once, written as fast as the
//! socket takes them or at a given rate, while it hears the answers.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use arauto::wire::cbor::{self, ScannedFrame};
use arauto::wire::{BodyFrame, ClientFrame};
use arauto::{Body, RawSession, Seq};
use tokio::io::AsyncWrite;

use super::ear::{Buffer, Ear, gone};
use super::pace::Pace;
use super::stamp::{self, Epoch};
use super::watch::Count;
use crate::cli::exit::{Failure, sysexits};

/// Bytes a write, about, where many frames go together.
const BATCH: usize = 64 * 1024;

/// How the frames go out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Manner {
    /// As many a write as the socket takes.
    Together,
    /// Each in a write of its own.
    OneByOne,
}

/// A logged-in publisher.
pub(super) struct Escritor {
    ear: Ear,
    /// Some frames, all alike: any run of whole ones can be written.
    frames: Vec<u8>,
    frame: usize,
    answered: u64,
    /// The seq of the last that was answered.
    last: Seq,
    refused: Option<String>,
}

impl Escritor {
    pub(super) fn new(session: RawSession, size: usize) -> Result<Escritor, Failure> {
        let body = stamp::body(size);
        let body = Body::text(&body);
        let mut one = Vec::new();
        cbor::encode(&ClientFrame::Publish(BodyFrame { id: 0, body }), &mut one);
        if one.len() > session.max_frame() {
            let message = format!("messages of {size} bytes are more than the server takes");
            return Err(Failure::new(sysexits::USAGE, message));
        }
        Ok(Escritor {
            frame: one.len(),
            frames: one.repeat((BATCH / one.len()).max(1)),
            ear: Ear::new(session),
            answered: 0,
            last: Seq::ZERO,
            refused: None,
        })
    }

    /// Publishes as fast as the server takes it; the seq of the last message.
    pub(super) async fn publish(
        &mut self,
        messages: u64,
        manner: Manner,
        buffer: &Buffer,
        answered: &Count,
    ) -> Result<Seq, Failure> {
        let most = match manner {
            Manner::Together => usize::MAX,
            Manner::OneByOne => self.frame,
        };
        let total = messages * self.frame as u64;
        let goal = self.answered + messages;
        let mut written = 0;
        poll_fn(|cx| {
            self.poll_write(cx, &mut written, total, most)?;
            self.poll_answers(cx, buffer, goal, answered)
        })
        .await?;
        Ok(self.last)
    }

    /// Publishes so many a second, each with the time at which it was due.
    pub(super) async fn publish_paced(
        &mut self,
        messages: u64,
        mut pace: Pace,
        epoch: Epoch,
        buffer: &Buffer,
        answered: &Count,
    ) -> Result<Seq, Failure> {
        let goal = self.answered + messages;
        let (mut due, mut out) = (0, Vec::new());
        poll_fn(|cx| {
            while due < messages && pace.is_due(due) {
                let mut frame = self.frames[..self.frame].to_vec();
                stamp::set(&mut frame, epoch.nanos(pace.at(due)));
                out.extend_from_slice(&frame);
                due += 1;
            }
            self.poll_write_out(cx, &mut out)?;
            let answers = self.poll_answers(cx, buffer, goal, answered);
            if due < messages && answers.is_pending() {
                pace.wait(cx, due);
            }
            answers
        })
        .await?;
        Ok(self.last)
    }

    /// Hears for ever: one that stopped reading would hold the others back.
    pub(super) async fn hear_on(&mut self, buffer: &Buffer) -> Result<(), Failure> {
        self.ear.hear_until(buffer, |_| {}, |_| false).await
    }

    /// Writes what the socket takes of `total` bytes of frames.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        written: &mut u64,
        total: u64,
        most: usize,
    ) -> Result<(), Failure> {
        while *written < total {
            let within = usize::try_from(*written % self.frame as u64).expect("it is below usize");
            let left = usize::try_from(total - *written).unwrap_or(usize::MAX);
            let end = (within + left).min(self.frames.len()).min(most);
            let session = Pin::new(&mut self.ear.session);
            match session.poll_write(cx, &self.frames[within..end]) {
                Poll::Ready(Ok(more)) => *written += more as u64,
                Poll::Ready(Err(error)) => return Err(not_written(&error)),
                Poll::Pending => return Ok(()),
            }
        }
        self.poll_flush(cx)
    }

    fn poll_write_out(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        while !out.is_empty() {
            match Pin::new(&mut self.ear.session).poll_write(cx, out) {
                Poll::Ready(Ok(written)) => drop(out.drain(..written)),
                Poll::Ready(Err(error)) => return Err(not_written(&error)),
                Poll::Pending => return Ok(()),
            }
        }
        self.poll_flush(cx)
    }

    /// A session with TLS may hold what it has taken.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        match Pin::new(&mut self.ear.session).poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(not_written(&error)),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// Hears what there is, until so many are answered.
    fn poll_answers(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &Buffer,
        goal: u64,
        count: &Count,
    ) -> Poll<Result<(), Failure>> {
        while self.answered < goal {
            let (mut answered, mut last, mut refused) = (0, self.last, None);
            let mut show = |frame: ScannedFrame<'_>| match frame {
                ScannedFrame::Published { seq, .. } => (answered, last) = (answered + 1, seq),
                ScannedFrame::Other(other) => refused = Some(format!("{other:?}")),
                _ => {}
            };
            let Poll::Ready(read) = self.ear.poll_hear(cx, buffer, &mut show) else {
                return Poll::Pending;
            };
            if let Some(refused) = refused {
                self.refused.get_or_insert(refused);
            }
            (self.answered, self.last) = (self.answered + answered, last);
            count.add(answered);
            match (read?, &self.refused) {
                (_, Some(refused)) => {
                    let message = format!("a message was not published: {refused}");
                    return Poll::Ready(Err(Failure::new(sysexits::PROTOCOL, message)));
                }
                (0, None) => return Poll::Ready(Err(gone())),
                _ => {}
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn not_written(error: &std::io::Error) -> Failure {
    Failure::new(sysexits::IOERR, format!("writing: {error}"))
}
