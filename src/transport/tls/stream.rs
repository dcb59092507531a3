//! A TLS connection, from before its handshake to its end.
//!
//! Reads and writes drive the handshake, on the thread that owns the connection, so the acceptor
//! never waits for it. Until it is done nothing is read or accepted for writing. Accepted bytes
//! may be held here, encrypted, 64 KiB at most, while the kernel takes no more. Flushing sends
//! them, and until then the evidence is `Queued`.
//!
//! A server takes an end without close_notify for an ordinary end: frames have bounds of their
//! own. For a client it is an error, as an attacker may have cut the connection off.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustls::CommonState;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

use super::HandshakeConfig;
use super::explain::{about_client, in_words};
use super::handshake::Handshake;
use super::identity::common_name;
use crate::framing::{Failure, Framing, Received};
use crate::link::{Evidence, Link};
use crate::transport::PeerTimeouts;
use crate::transport::attempts::Attempts;
use crate::transport::failure::failure_of;
use crate::transport::receive::poll_receive_bytes;
use crate::transport::tcp::{BEST_EVIDENCE, Tcp};

/// A TLS connection, attached to the runtime of the thread that uses it.
pub struct Tls {
    state: State,
    /// Failures of TLS itself: an alert, a record that does not decrypt. The TCP connection
    /// remembers its own failures.
    attempts: Attempts,
}

enum State {
    /// No operation has begun the handshake yet.
    Accepted(Tcp, HandshakeConfig),
    Handshaking(Box<Handshake>),
    Open(Box<TlsStream<Tcp>>),
    /// The handshake has failed, or was given up.
    Failed,
}

/// A connection whose handshake has not begun, on its way to another thread's runtime.
#[derive(Debug)]
pub struct DetachedTls(std::net::TcpStream, Duration, HandshakeConfig);

impl DetachedTls {
    pub(in crate::transport) fn attach(self) -> io::Result<Tls> {
        let tcp = Tcp::with_limit(TcpStream::from_std(self.0)?, self.1);
        Ok(Tls::accepted(tcp, self.2))
    }
}

impl Tls {
    pub(in crate::transport) fn accepted(tcp: Tcp, config: HandshakeConfig) -> Tls {
        Tls::new(State::Accepted(tcp, config))
    }

    pub(super) fn opened(stream: TlsStream<Tcp>) -> Tls {
        Tls::new(State::Open(Box::new(stream)))
    }

    fn new(state: State) -> Tls {
        Tls {
            state,
            attempts: Attempts::default(),
        }
    }

    pub(in crate::transport) fn detach(self) -> io::Result<DetachedTls> {
        match self.state {
            State::Accepted(tcp, config) => {
                let limit = tcp.limit();
                Ok(DetachedTls(tcp.into_std()?, limit, config))
            }
            _ => Err(io::ErrorKind::Unsupported.into()), // it is tied to this thread
        }
    }

    /// Returns the TCP connection below, unless the handshake has failed.
    pub(in crate::transport) fn tcp(&self) -> Option<&Tcp> {
        match &self.state {
            State::Accepted(stream, _) => Some(stream),
            State::Handshaking(handshake) => handshake.tcp(),
            State::Open(stream) => Some(stream.get_ref().0),
            State::Failed => None,
        }
    }

    /// Replaces the timeouts of the peer, once the handshake is done.
    pub(in crate::transport) fn set_timeouts(&mut self, timeouts: &PeerTimeouts) {
        if let State::Open(stream) = &mut self.state {
            stream.get_mut().0.set_timeouts(timeouts);
        }
    }

    fn session(&self) -> Option<&CommonState> {
        match &self.state {
            State::Open(stream) => Some(stream.get_ref().1),
            _ => None,
        }
    }

    /// Returns whether the kernel has all that was written.
    fn is_flushed(&self) -> bool {
        self.session().is_some_and(|session| !session.wants_write())
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&mut TlsStream<Tcp>>> {
        if let State::Accepted(..) = &self.state
            && let State::Accepted(stream, config) =
                std::mem::replace(&mut self.state, State::Failed)
        {
            self.state = State::Handshaking(Box::new(Handshake::new(stream, &config)));
        }
        if let State::Handshaking(handshake) = &mut self.state {
            let shaken = ready!(handshake.poll(cx));
            self.state = State::Failed;
            let stream = shaken.inspect_err(|error| {
                let error = about_client(error);
                tracing::debug!(error, "tls handshake failed");
            })?;
            self.state = State::Open(Box::new(stream.into()));
        }
        Poll::Ready(match &mut self.state {
            State::Open(stream) => Ok(stream),
            _ => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

impl Link for Tls {
    fn failure_of(&self, error: &io::Error) -> Failure {
        failure_of(error)
    }

    fn framing(&self) -> Framing {
        Framing::Stream
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        poll_receive_bytes(self, cx, buf)
    }

    fn half_closes(&self) -> bool {
        true
    }

    fn is_hung_up(&self) -> bool {
        self.tcp().is_none_or(Tcp::is_hung_up)
    }

    fn has_input(&self) -> bool {
        self.tcp().is_some_and(Tcp::has_input)
    }

    fn is_open(&self) -> bool {
        self.session().is_some()
    }

    fn vouched_name(&self) -> Option<String> {
        common_name(self.session()?.peer_certificates()?.first()?)
    }

    /// Bytes that the peer's kernel has acknowledged count only while the peer's TLS has
    /// objected to none of them.
    fn evidence(&self) -> Evidence {
        if !self.is_flushed() {
            return Evidence::Queued;
        }
        match self.tcp() {
            Some(tcp) if !self.attempts.has_failed() => tcp.evidence(),
            _ => Evidence::Written,
        }
    }

    fn best_evidence(&self) -> Evidence {
        BEST_EVIDENCE
    }
}

impl AsyncRead for Tls {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = ready!(this.poll_read_open(cx, buf));
        Poll::Ready(this.attempts.note(read))
    }
}

impl Tls {
    fn poll_read_open(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = ready!(self.poll_open(cx))?;
        let read = ready!(Pin::new(&mut *stream).poll_read(cx, buf));
        Poll::Ready(match (read, stream) {
            (Err(error), TlsStream::Server(_)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Ok(())
            }
            (read, TlsStream::Client(_)) => read.map_err(in_words),
            (read, TlsStream::Server(_)) => read,
        })
    }

    /// Runs a write once the handshake is done.
    fn poll_written<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TlsStream<Tcp>>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let written = match ready!(self.poll_open(cx)) {
            Ok(stream) => ready!(write(Pin::new(stream), cx)),
            Err(error) => Err(error),
        };
        Poll::Ready(self.attempts.note(written))
    }
}

impl AsyncWrite for Tls {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write =
            |stream: Pin<&mut TlsStream<Tcp>>, cx: &mut Context<'_>| stream.poll_write(cx, buf);
        self.get_mut().poll_written(cx, write)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = |stream: Pin<&mut TlsStream<Tcp>>, cx: &mut Context<'_>| {
            stream.poll_write_vectored(cx, bufs)
        };
        self.get_mut().poll_written(cx, write)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut()
            .poll_written(cx, |stream, cx| stream.poll_flush(cx))
    }

    /// Sends close_notify behind all other bytes, and then closes the write side. A handshake that
    /// is not done is given up.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.state {
            State::Open(stream) => {
                let shut = ready!(Pin::new(stream).poll_shutdown(cx));
                Poll::Ready(self.attempts.note(shut))
            }
            _ => {
                self.state = State::Failed;
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tls = f.debug_struct("Tls");
        tls.field("tcp", &self.tcp())
            .field("is_open", &self.is_open());
        tls.finish()
    }
}
