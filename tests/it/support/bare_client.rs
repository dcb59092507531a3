//! A client of raw endpoints, without any protocol of arauto: a socket, with messages or lines.

use std::io::{self, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arauto::Endpoint;
use rustix::net::sockopt::{Timeout, set_socket_passcred, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendFlags, Shutdown,
    SocketAddrUnix, SocketFlags, SocketType, connect, recvmsg, send, shutdown, socket_with,
};

/// The time limit of a receive: longer than anything that a test waits for.
const TIME_LIMIT: Duration = Duration::from_secs(50);

/// A connected socket of any kind.
pub struct BareClient {
    socket: Arc<OwnedFd>,
    keeps_messages: bool,
    begun: Vec<u8>,
}

/// Connects to a seqpacket socket.
pub fn seqpacket(path: &Path) -> OwnedFd {
    let kind = SocketType::SEQPACKET;
    let socket = socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None);
    let socket = socket.expect("a descriptor is free");
    let address = SocketAddrUnix::new(path).expect("the path is short");
    connect(&socket, &address).expect("the server listens");
    set_socket_passcred(&socket, true).expect("it is a unix socket");
    socket
}

impl BareClient {
    pub fn connect(endpoint: &Endpoint) -> BareClient {
        let socket = match endpoint {
            Endpoint::SeqPacket(path) => seqpacket(path),
            Endpoint::Unix(path) => UnixStream::connect(path).expect("it listens").into(),
            Endpoint::Tcp { host, port } => TcpStream::connect((host.as_str(), *port))
                .expect("it listens")
                .into(),
            other => panic!("the tests have no {other}"),
        };
        set_socket_timeout(&socket, Timeout::Recv, Some(TIME_LIMIT)).expect("it is a socket");
        BareClient {
            socket: Arc::new(socket),
            keeps_messages: matches!(endpoint, Endpoint::SeqPacket(_)),
            begun: Vec::new(),
        }
    }

    /// Returns whether the socket has message boundaries.
    pub fn keeps_messages(&self) -> bool {
        self.keeps_messages
    }

    /// Returns a second handle on the same socket, for another thread.
    pub fn share(&self) -> BareClient {
        BareClient {
            socket: Arc::clone(&self.socket),
            keeps_messages: self.keeps_messages,
            begun: Vec::new(),
        }
    }

    /// Returns the socket, for the test's own I/O.
    pub fn into_socket(self) -> OwnedFd {
        Arc::into_inner(self.socket).expect("nobody shares it")
    }

    /// Returns a weak handle, to shut the socket down; it does not keep the socket open.
    pub fn socket(&self) -> Weak<OwnedFd> {
        Arc::downgrade(&self.socket)
    }

    /// Sends bytes unchanged.
    pub fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).expect("the server is there");
    }

    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut sent = send(&self.socket, bytes, SendFlags::NOSIGNAL)?;
        while sent < bytes.len() {
            sent += send(&self.socket, &bytes[sent..], SendFlags::NOSIGNAL)?;
        }
        Ok(())
    }

    /// Sends a text as one message, or as one line on a stream.
    pub fn send_text(&mut self, text: &str) {
        if self.keeps_messages {
            self.send(text.as_bytes());
        } else {
            self.send(format!("{text}\n").as_bytes());
        }
    }

    /// Returns the bytes of one recvmsg(2); `None` at the end of the input.
    pub fn receive(&mut self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 256 * 1024];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let buffers = &mut [IoSliceMut::new(&mut bytes)];
        let received = recvmsg(&self.socket, buffers, &mut control, RecvFlags::empty());
        let received = received.expect("the end comes before an error");
        assert!(!received.flags.contains(ReturnFlags::TRUNC));
        let is_end = received.bytes == 0 && control.drain().next().is_none();
        bytes.truncate(received.bytes);
        (!is_end).then_some(bytes)
    }

    /// Returns the next message, or on a stream the next line without its line feed; `None` at the
    /// end of the input.
    pub fn receive_message(&mut self) -> Option<Vec<u8>> {
        if self.keeps_messages {
            return self.receive();
        }
        loop {
            if let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
                let rest = self.begun.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.begun, rest);
                line.pop();
                return Some(line);
            }
            match self.receive() {
                Some(bytes) => self.begun.extend_from_slice(&bytes),
                None => {
                    assert!(self.begun.is_empty(), "the end came within a line");
                    return None;
                }
            }
        }
    }

    /// Returns the next message or line as text; `None` at the end of the input.
    pub fn receive_text(&mut self) -> Option<String> {
        let bytes = self.receive_message()?;
        Some(String::from_utf8(bytes).expect("the server writes utf-8"))
    }

    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        assert_eq!(self.receive_text().as_deref(), Some(text));
    }

    /// Returns all messages or lines up to the end of the input.
    pub fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.receive_text()).collect()
    }

    #[track_caller]
    pub fn expect_end(&mut self) {
        assert_eq!(self.receive_text(), None);
    }

    /// Shuts the write side.
    pub fn shut_write(&self) {
        shutdown(&self.socket, Shutdown::Write).expect("it is open");
    }
}

/// The seqpacket socket of a client that sends frames.
pub struct SeqpacketSocket(pub OwnedFd);

impl io::Read for SeqpacketSocket {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let (_, length) = rustix::net::recv(&self.0, &mut *bytes, RecvFlags::TRUNC)?;
        assert!(length <= bytes.len(), "a message of {length} bytes was cut");
        Ok(length)
    }
}

impl Write for SeqpacketSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(&self.0, bytes, SendFlags::NOSIGNAL)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
