//! SOCK_SEQPACKET: a connection that keeps the boundaries of messages.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll};

use rustix::net::sockopt::{
    set_socket_passcred, set_socket_send_buffer_size, socket_send_buffer_size,
};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendFlags, recvmsg, sendmsg,
};

use super::socket::{Progress, Socket};
use crate::framing::{MessageTooLong, Received};

/// The longest frame on such a socket, in bytes. A message must fit into the send buffer, which
/// is 208 KiB unless the operator has changed net.core.wmem_default.
pub(in crate::transport) const LONGEST_MESSAGE: usize = 128 * 1024;

/// The least size of the send buffer: the longest frame, its prefix, and the kernel's own
/// data.
const SEND_BUFFER: usize = LONGEST_MESSAGE + 4096;

/// A connected socket of this type.
#[derive(Debug)]
pub struct SeqPacket {
    socket: Socket,
    /// The peer has closed without having read everything. The system reports it once, before
    /// the messages that the peer had sent itself.
    is_reset: bool,
}

impl SeqPacket {
    /// Takes over a connected socket.
    ///
    /// With SO_PASSCRED every message brings its sender's credentials, also one that was sent
    /// before the option was set, and the end of the input brings none (unix(7)). Nothing else
    /// tells an empty message from the end.
    pub(super) fn new(socket: UnixStream) -> io::Result<Self> {
        set_socket_passcred(&socket, true)?;
        if socket_send_buffer_size(&socket)? < SEND_BUFFER {
            set_socket_send_buffer_size(&socket, SEND_BUFFER)?;
        }
        Ok(SeqPacket::over(socket))
    }

    /// Takes over a connected socket whose options are set already.
    pub(super) fn over(socket: UnixStream) -> Self {
        SeqPacket {
            socket: Socket::new(socket),
            is_reset: false,
        }
    }

    pub(super) fn into_std(self) -> UnixStream {
        self.socket.into_std()
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(super) fn socket_mut(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// Returns whether the peer is known to have closed without having read everything.
    pub(in crate::transport) fn is_reset(&self) -> bool {
        self.is_reset
    }

    /// Receives the next message. A message that is longer than `buf` is an error. If the peer
    /// has closed without having read everything, that error comes in place of the end, as on a
    /// stream.
    pub(in crate::transport) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        let SeqPacket { socket, is_reset } = self;
        socket.poll_read(cx, |stream| {
            let received = receive(stream.as_fd(), buf, is_reset)?;
            Ok((received, Progress::Unknown))
        })
    }

    /// Sends these parts as one message.
    pub(in crate::transport) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_write(cx, |stream| {
            let sent = send(stream.as_fd(), parts)?;
            Ok((sent, Progress::Unknown))
        })
    }
}

fn send(socket: BorrowedFd<'_>, parts: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut nothing = SendAncillaryBuffer::default();
    Ok(sendmsg(socket, parts, &mut nothing, SendFlags::NOSIGNAL)?)
}

fn receive(socket: BorrowedFd<'_>, buf: &mut [u8], is_reset: &mut bool) -> io::Result<Received> {
    let received = match receive_once(socket, buf) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            *is_reset = true;
            receive_once(socket, buf)
        }
        received => received,
    };
    match received {
        Ok(Received::End) if *is_reset => Err(io::ErrorKind::ConnectionReset.into()),
        received => received,
    }
}

fn receive_once(socket: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<Received> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    // TRUNC asks for the real length of a message that does not fit. There is no space for
    // descriptors that come with a message, so the kernel closes them.
    let flags = RecvFlags::TRUNC | RecvFlags::CMSG_CLOEXEC;
    let room = buf.len();
    let received = recvmsg(socket, &mut [IoSliceMut::new(buf)], &mut control, flags)?;
    if received.flags.contains(ReturnFlags::TRUNC) || received.bytes > room {
        let length = received.bytes;
        return Err(MessageTooLong { length }.into());
    }
    let is_message = received.bytes > 0
        || control
            .drain()
            .any(|part| matches!(part, RecvAncillaryMessage::ScmCredentials(_)));
    Ok(if is_message {
        Received::Message(received.bytes)
    } else {
        Received::End
    })
}

#[cfg(test)]
mod tests {
    use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, socketpair};

    use super::*;

    fn pair() -> (std::os::fd::OwnedFd, std::os::fd::OwnedFd) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
        pair.expect("a pair")
    }

    fn say(socket: &std::os::fd::OwnedFd, message: &[u8]) {
        rustix::net::send(socket, message, SendFlags::empty()).expect("room");
    }

    fn hear(socket: &std::os::fd::OwnedFd) -> io::Result<Received> {
        receive(socket.as_fd(), &mut [0; 4], &mut false)
    }

    #[test]
    fn empty_seqpacket_message_is_not_the_end() {
        let (ours, theirs) = pair();
        say(&theirs, b"");
        set_socket_passcred(&ours, true).expect("it is a unix socket");
        say(&theirs, b"");
        say(&theirs, b"fim");
        drop(theirs);
        let heard: Vec<_> = (0..4).map(|_| hear(&ours).expect("it is there")).collect();
        let [empty, fim] = [Received::Message(0), Received::Message(3)];
        assert_eq!(heard, [empty, empty, fim, Received::End]);
    }

    #[test]
    fn message_that_does_not_fit_is_an_error_with_its_length() {
        let (ours, theirs) = pair();
        say(&theirs, b"bom dia");
        say(&theirs, b"fim");
        let error = hear(&ours).expect_err("4 bytes are too few");
        assert_eq!(MessageTooLong::of(&error).map(|long| long.length), Some(7));
        assert_eq!(hear(&ours).expect("it fits"), Received::Message(3));
    }

    #[test]
    fn reset_is_reported_after_the_data_sent_before_it() {
        let (ours, theirs) = pair();
        say(&ours, b"x");
        say(&theirs, b"fim");
        drop(theirs);
        let mut is_reset = false;
        let mut hear = || receive(ours.as_fd(), &mut [0; 4], &mut is_reset);
        assert_eq!(hear().expect("it is there"), Received::Message(3));
        let error = hear().expect_err("the peer had not read x");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert!(is_reset);
    }
}
