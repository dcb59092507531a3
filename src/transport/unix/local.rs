//! A connection to a process of this host: a unix socket.

use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::net::sockopt::socket_peercred;
use rustix::net::{Shutdown, shutdown};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::seqpacket::SeqPacket;
use super::socket::{Progress, Socket};
use super::socket_state;
use crate::framing::{Failure, Framing, Received};
use crate::link::{Evidence, Link};
use crate::transport::attempts::Attempts;
use crate::transport::failure::{failure_of, is_gone};
use crate::transport::send_file::{SENDS_FILES, send_file};
use crate::transport::{Endpoint, LocalUser, Peer};

/// A unix socket.
#[derive(Debug)]
pub struct Local {
    channel: Channel,
    attempts: Attempts,
}

#[derive(Debug)]
enum Channel {
    /// It carries a stream.
    Stream(Socket),
    /// It keeps the boundaries of messages.
    Messages(SeqPacket),
}

/// A unix socket on its way from one thread's runtime to another's.
#[derive(Debug)]
pub enum DetachedLocal {
    /// It carries a stream.
    Stream(UnixStream),
    /// It keeps the boundaries of messages.
    Messages(UnixStream),
}

impl Channel {
    fn socket(&self) -> &Socket {
        match self {
            Channel::Stream(socket) => socket,
            Channel::Messages(messages) => messages.socket(),
        }
    }

    fn shut_write(&self) -> io::Result<()> {
        Ok(shutdown(self.socket(), Shutdown::Write)?)
    }
}

impl Local {
    pub(super) fn new(socket: UnixStream, endpoint: &Endpoint) -> io::Result<Local> {
        Ok(Local::over(match endpoint {
            Endpoint::SeqPacket(_) => Channel::Messages(SeqPacket::new(socket)?),
            _ => Channel::Stream(Socket::new(socket)),
        }))
    }

    fn over(channel: Channel) -> Local {
        Local {
            channel,
            attempts: Attempts::default(),
        }
    }

    fn socket(&self) -> &Socket {
        self.channel.socket()
    }

    pub(in crate::transport) fn detach(self) -> io::Result<DetachedLocal> {
        Ok(match self.channel {
            Channel::Stream(socket) => DetachedLocal::Stream(socket.into_std()),
            Channel::Messages(messages) => DetachedLocal::Messages(messages.into_std()),
        })
    }

    pub(in crate::transport) fn peer(&self) -> io::Result<Peer> {
        let credentials = socket_peercred(self.socket())?;
        Ok(Peer::Local {
            pid: Some(credentials.pid.as_raw_nonzero().get()),
            user: Some(LocalUser::Uid(credentials.uid.as_raw())),
        })
    }
}

impl Link for Local {
    fn failure_of(&self, error: &io::Error) -> Failure {
        failure_of(error)
    }

    fn framing(&self) -> Framing {
        match self.channel {
            Channel::Stream(_) => Framing::Stream,
            Channel::Messages(_) => Framing::Messages,
        }
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        let Local { channel, attempts } = self;
        attempts.poll_read(cx, |cx| match channel {
            Channel::Stream(socket) => poll_receive_bytes(socket, cx, buf),
            Channel::Messages(messages) => messages.poll_receive(cx, buf),
        })
    }

    fn poll_receivable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.channel {
            _ if self.attempts.is_reading_paused() => Poll::Ready(()),
            Channel::Stream(socket) => socket.poll_readable(cx),
            Channel::Messages(messages) => messages.socket_mut().poll_readable(cx),
        }
    }

    fn poll_send_message(&mut self, cx: &mut Context<'_>, message: &[u8]) -> Poll<io::Result<()>> {
        let Local { channel, attempts } = self;
        let Channel::Messages(messages) = channel else {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        };
        let message = [IoSlice::new(message)];
        let sent = ready!(attempts.poll_write(cx, |cx| messages.poll_send(cx, &message)));
        Poll::Ready(sent.map(drop))
    }

    fn half_closes(&self) -> bool {
        true
    }

    fn is_hung_up(&self) -> bool {
        is_gone(socket_state::is_hung_up(self.socket()))
    }

    fn has_input(&self) -> bool {
        socket_state::has_input(self.socket()).unwrap_or(false)
    }

    /// The send queue (SIOCOUTQ, unix(7)) is empty once the peer has read everything, and
    /// also once it has closed on unread bytes: [`socket_state::is_all_taken`] and the errors that were seen
    /// tell the two apart.
    fn evidence(&self) -> Evidence {
        let has_failed = match &self.channel {
            Channel::Stream(_) => self.attempts.has_failed(),
            Channel::Messages(messages) => self.attempts.has_failed() || messages.is_reset(),
        };
        match !has_failed && socket_state::is_all_taken(self.socket()).unwrap_or(false) {
            true => Evidence::Read,
            false => Evidence::Written,
        }
    }

    fn best_evidence(&self) -> Evidence {
        Evidence::Read
    }

    fn sends_files(&self) -> bool {
        SENDS_FILES && matches!(self.channel, Channel::Stream(_))
    }

    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        offset: u64,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        let Local { channel, attempts } = self;
        let Channel::Stream(socket) = channel else {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        };
        attempts.poll_write(cx, |cx| {
            poll_write_bytes(socket, cx, length, |stream| {
                send_file(stream, file, offset, length)
            })
        })
    }
}

impl DetachedLocal {
    pub(in crate::transport) fn attach(self) -> io::Result<Local> {
        Ok(Local::over(match self {
            DetachedLocal::Stream(stream) => Channel::Stream(Socket::new(stream)),
            DetachedLocal::Messages(socket) => Channel::Messages(SeqPacket::over(socket)),
        }))
    }
}

fn poll_receive_bytes(
    socket: &mut Socket,
    cx: &mut Context<'_>,
    buf: &mut [u8],
) -> Poll<io::Result<Received>> {
    let received = socket.poll_read(cx, |mut stream| {
        let length = stream.read(buf)?;
        Ok((length, Progress::of(length, buf.len())))
    });
    Poll::Ready(Ok(match ready!(received)? {
        0 => Received::End,
        length => Received::Bytes(length),
    }))
}

fn poll_write_bytes(
    socket: &mut Socket,
    cx: &mut Context<'_>,
    wanted: usize,
    mut write: impl FnMut(&UnixStream) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    socket.poll_write(cx, |stream| {
        let length = write(stream)?;
        Ok((length, Progress::of(length, wanted)))
    })
}

impl AsyncRead for Local {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let received = self.get_mut().poll_receive(cx, buf.initialize_unfilled());
        match ready!(received)? {
            Received::Bytes(length) | Received::Message(length) => buf.advance(length),
            Received::End => {}
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Local {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Local { channel, attempts } = self.get_mut();
        attempts.poll_write(cx, |cx| match channel {
            Channel::Stream(socket) => {
                poll_write_bytes(socket, cx, buf.len(), |mut stream| stream.write(buf))
            }
            Channel::Messages(messages) => messages.poll_send(cx, &[IoSlice::new(buf)]),
        })
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Local { channel, attempts } = self.get_mut();
        let wanted = bufs.iter().map(|buf| buf.len()).sum();
        attempts.poll_write(cx, |cx| match channel {
            Channel::Stream(socket) => {
                poll_write_bytes(socket, cx, wanted, |mut stream| stream.write_vectored(bufs))
            }
            Channel::Messages(messages) => messages.poll_send(cx, bufs),
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing: a write hands its bytes to the system at once.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Closes the write side: the peer sees the end behind the last byte or message.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Local { channel, attempts } = self.get_mut();
        attempts.poll_write(cx, |_| Poll::Ready(channel.shut_write()))
    }
}
