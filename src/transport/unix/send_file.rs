//! Handing the pages of a file in memory to a socket (sendfile(2)).

use std::fs::File;
use std::io;
use std::task::{Context, Poll};

use tokio::net::{TcpStream, UnixStream};

macro_rules! poll_send_file {
    ($(#[$doc:meta])* $name:ident, $stream:ty) => {
        $(#[$doc])*
        #[cfg(target_os = "linux")]
        pub(in crate::transport) fn $name(
            stream: &$stream,
            cx: &mut Context<'_>,
            file: &File,
            offset: u64,
            length: usize,
        ) -> Poll<io::Result<usize>> {
            use crate::transport::memory_file::send;
            let writable = tokio::io::Interest::WRITABLE;
            loop {
                std::task::ready!(stream.poll_write_ready(cx))?;
                match stream.try_io(writable, || send(stream, file, offset, length)) {
                    // The socket was less ready than was known: wait for it.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    sent => return Poll::Ready(sent),
                }
            }
        }

        #[cfg(not(target_os = "linux"))]
        pub(in crate::transport) fn $name(
            _stream: &$stream,
            _cx: &mut Context<'_>,
            _file: &File,
            _offset: u64,
            _length: usize,
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
        }
    };
}

poll_send_file!(
    /// To a unix stream socket.
    poll_unix,
    UnixStream
);
poll_send_file!(
    /// To a TCP connection.
    poll_tcp,
    TcpStream
);
