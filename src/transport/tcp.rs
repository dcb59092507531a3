//! A TCP connection that retries transient failures and notices a dead peer.
//!
//! TLS runs on the same type: a transient failure is retried below it, where no record has
//! been begun and none is lost. [`PeerTimeouts`] and [`PeerWatch`] find a peer that has died
//! without closing the connection.

use std::fs::File;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::attempts::Attempts;
use super::failure::{failure_of, is_gone};
use super::peer_timeouts::PeerTimeouts;
use super::peer_watch::PeerWatch;
use super::receive::poll_receive_bytes;
use super::send_file::{SENDS_FILES, poll_send_file};
use super::system::tcp;
use crate::framing::{Failure, Framing, Received};
use crate::link::{Evidence, Link};

/// The highest level of evidence that this system offers for TCP.
pub(super) const BEST_EVIDENCE: Evidence = match tcp::TELLS_ACKS {
    true => Evidence::KernelAcked,
    false => Evidence::Written,
};

/// A TCP connection.
#[derive(Debug)]
pub struct Tcp {
    stream: TcpStream,
    attempts: Attempts,
    watch: PeerWatch,
}

impl Tcp {
    /// Takes over a stream and sets the timeouts of its peer.
    pub(super) fn new(stream: TcpStream, timeouts: &PeerTimeouts) -> Tcp {
        timeouts.set_on(&stream);
        Tcp::with_limit(stream, timeouts.user_timeout)
    }

    /// Takes over a stream whose options are set already.
    pub(super) fn with_limit(stream: TcpStream, limit: Duration) -> Tcp {
        Tcp {
            stream,
            attempts: Attempts::default(),
            watch: PeerWatch::new(limit),
        }
    }

    /// Replaces the timeouts.
    pub(super) fn set_timeouts(&mut self, timeouts: &PeerTimeouts) {
        timeouts.set_on(&self.stream);
        self.watch = PeerWatch::new(timeouts.user_timeout);
    }

    /// Returns the time for which the peer may acknowledge nothing.
    pub(super) fn limit(&self) -> Duration {
        self.watch.limit()
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub(super) fn into_std(self) -> io::Result<std::net::TcpStream> {
        self.stream.into_std()
    }
}

impl Link for Tcp {
    fn failure_of(&self, error: &io::Error) -> Failure {
        failure_of(error)
    }

    fn framing(&self) -> Framing {
        Framing::Stream
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        poll_receive_bytes(self, cx, buf)
    }

    fn poll_receivable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.attempts.is_reading_paused() {
            true => Poll::Ready(()),
            false => self.stream.poll_read_ready(cx).map(drop),
        }
    }

    fn half_closes(&self) -> bool {
        true
    }

    fn is_hung_up(&self) -> bool {
        is_gone(tcp::is_hung_up(&self.stream))
    }

    fn has_input(&self) -> bool {
        tcp::has_input(&self.stream).unwrap_or(false)
    }

    fn evidence(&self) -> Evidence {
        match !self.attempts.has_failed() && tcp::is_acked(&self.stream).unwrap_or(false) {
            true => Evidence::KernelAcked,
            false => Evidence::Written,
        }
    }

    fn best_evidence(&self) -> Evidence {
        BEST_EVIDENCE
    }

    fn sends_files(&self) -> bool {
        SENDS_FILES
    }

    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        offset: u64,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        let Tcp {
            stream,
            attempts,
            watch,
        } = self;
        watch.note_sent();
        attempts.poll_write(cx, |cx| {
            let sent = poll_send_file(&*stream, cx, file, offset, length);
            watch.check(stream, cx, sent)
        })
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Tcp {
            stream,
            attempts,
            watch,
        } = self.get_mut();
        attempts.poll_read(cx, |cx| {
            let read = Pin::new(&mut *stream).poll_read(cx, buf);
            watch.check(stream, cx, read)
        })
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Tcp {
            stream,
            attempts,
            watch,
        } = self.get_mut();
        watch.note_sent();
        attempts.poll_write(cx, |cx| {
            let written = Pin::new(&mut *stream).poll_write(cx, buf);
            watch.check(stream, cx, written)
        })
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Tcp {
            stream,
            attempts,
            watch,
        } = self.get_mut();
        watch.note_sent();
        attempts.poll_write(cx, |cx| {
            let written = Pin::new(&mut *stream).poll_write_vectored(cx, bufs);
            watch.check(stream, cx, written)
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Tcp {
            stream, attempts, ..
        } = self.get_mut();
        attempts.poll_write(cx, |cx| Pin::new(&mut *stream).poll_shutdown(cx))
    }
}
