//! Connecting to a unix socket.

use std::io;
use std::os::unix::net as std_unix;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use tokio::net::UnixStream;

use super::address::{UnixAddress, abstract_name, address};
use super::local::Local;
use crate::transport::{ConnectMode, Endpoint};

/// The first and the longest pause before a connect to a full backlog is tried again, and
/// the number of attempts: about 5 s in all.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
const ATTEMPTS: u32 = 56;

/// Connects; a socket is the same in every mode.
pub(in crate::transport) async fn connect(
    endpoint: &Endpoint,
    _mode: ConnectMode,
) -> io::Result<Local> {
    let socket = connect_to(&address(endpoint)?).await?;
    Local::new(socket, endpoint)
}

/// Connects. While the listener's backlog is full, a connect that does not block fails
/// (EAGAIN, connect(2)), and no event tells of the next free place in it.
async fn connect_to(address: &UnixAddress) -> io::Result<UnixStream> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        match connect_now(address).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => return outcome,
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    connect_now(address).await
}

async fn connect_now(address: &UnixAddress) -> io::Result<UnixStream> {
    match address {
        UnixAddress::Path(path) => UnixStream::connect(path).await,
        UnixAddress::Abstract(name) => {
            // On a full backlog it blocks, until the server has accepted a connection.
            let stream = std_unix::UnixStream::connect_addr(&abstract_name(name)?)?;
            stream.set_nonblocking(true)?;
            UnixStream::from_std(stream)
        }
        UnixAddress::SeqPacket(path) => {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
            rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
            UnixStream::from_std(std_unix::UnixStream::from(socket))
        }
    }
}
