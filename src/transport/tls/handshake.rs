//! A server's handshake, and its deadline.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

use super::HandshakeConfig;
use crate::deadline::{InputDeadline, Verdict};
use crate::link::Link;
use crate::transport::tcp::Tcp;

/// A handshake that is going on. Its deadline is judged after the client's bytes are read.
pub(super) struct Handshake {
    accept: Accept<Tcp>,
    deadline: InputDeadline,
    timer: Pin<Box<Sleep>>,
}

impl Handshake {
    pub(super) fn new(tcp: Tcp, config: &HandshakeConfig) -> Handshake {
        let limit = config.timeouts.handshake();
        Handshake {
            accept: TlsAcceptor::from(config.config()).accept(tcp),
            deadline: InputDeadline::new(limit, Instant::now()),
            timer: Box::pin(sleep(limit)),
        }
    }

    /// Returns the TCP connection below the handshake, unless it has been taken.
    pub(super) fn tcp(&self) -> Option<&Tcp> {
        self.accept.get_ref()
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TlsStream<Tcp>>> {
        loop {
            if let Poll::Ready(outcome) = Pin::new(&mut self.accept).poll(cx) {
                return Poll::Ready(outcome);
            }
            ready!(self.timer.as_mut().poll(cx));
            let is_unread = self.tcp().is_some_and(Tcp::has_input);
            match self.deadline.judge(Instant::now(), is_unread) {
                Verdict::Wait(wait) => {
                    let again = tokio::time::Instant::now() + wait;
                    self.timer.as_mut().reset(again);
                }
                Verdict::Expired => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            }
        }
    }
}
