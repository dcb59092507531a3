//! A logged-in session as bare bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::login::{LoggedInAs, LoggedInConnection};
use crate::transport::Connection;

/// A logged-in session as a stream of bytes: whole frames, one after the other, in
/// both directions, as [`crate::wire::cbor`] makes and reads them.
///
/// Nothing is decoded, answered or acknowledged for you: reading to `closing`,
/// matching answers to frames and the order of it all are yours. On a `seqpacket:`
/// endpoint a read takes one frame, for which the buffer must have room, and a write
/// must be one; on a `tls:` endpoint flush behind what you write. It holds no buffer once what came together with the login's answer has been read.
///
#[cfg_attr(feature = "server", doc = "```")]
#[cfg_attr(not(feature = "server"), doc = "```ignore")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use arauto::wire::cbor::{self, ScannedFrame, FrameScanner};
/// use arauto::wire::{Body, ClientFrame, Publish};
/// use arauto::{Client, Config, Server};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # let folder = tempfile::tempdir()?;
/// # let endpoint = format!("unix:{}", folder.path().join("a.sock").display());
/// # let mut config = Config::default();
/// # config.listen = vec![endpoint.parse()?];
/// # let server = Server::start(config)?;
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let handshake = Client::connect(&endpoint.parse()?).await?;
/// let mut session = handshake.login_raw("ana", "segredo").await?;
///
/// let mut frame = Vec::new();
/// let body = Body::text("bom dia");
/// cbor::encode(&ClientFrame::Publish(Publish::new(1, body)), &mut frame);
/// session.write_all(&frame).await?;
///
/// let mut scanner = FrameScanner::new(session.who_am_i().seq, session.max_frame());
/// let (mut heard, mut buffer) = (0, vec![0; 16 * 1024]);
/// while heard == 0 {
///     let length = session.read(&mut buffer).await?;
///     scanner.scan(&buffer[..length], |frame| {
///         heard += u64::from(matches!(frame, ScannedFrame::Message { .. }));
///     })?;
/// }
/// server.stop().await;
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct RawSession {
    connection: Connection,
    buffer: BytesMut,
    max_frame: usize,
    who: LoggedInAs,
}

impl RawSession {
    pub(super) fn new(login: LoggedInConnection) -> Self {
        let mut session = RawSession {
            connection: login.connection,
            buffer: login.buffer,
            max_frame: login.max_frame,
            who: login.who,
        };
        session.let_go_of_buffer();
        session
    }

    /// The user of this client, and where its broadcasts begin.
    pub fn who_am_i(&self) -> &LoggedInAs {
        &self.who
    }

    /// The longest frame that travels here, in bytes without its prefix.
    pub fn max_frame(&self) -> usize {
        self.max_frame
    }

    /// Bytes that came together with the login's answer and have not been read yet.
    pub fn buffered(&self) -> &[u8] {
        &self.buffer
    }

    /// Ten thousand idle sessions must not hold ten thousand empty buffers.
    fn let_go_of_buffer(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }
}

impl AsyncRead for RawSession {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.buffer.is_empty() {
            return Pin::new(&mut self.connection).poll_read(cx, buf);
        }
        let length = self.buffer.len().min(buf.remaining());
        buf.put_slice(&self.buffer[..length]);
        self.buffer.advance(length);
        self.let_go_of_buffer();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for RawSession {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }
}
