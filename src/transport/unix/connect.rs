//! Connecting to a unix socket.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

use super::address::{UnixAddress, address};
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
    let (address, kind) = match address {
        UnixAddress::Path(path) => (SocketAddrUnix::new(path)?, SocketType::STREAM),
        UnixAddress::Abstract(name) => {
            let address = SocketAddrUnix::new_abstract_name(name.as_bytes())?;
            (address, SocketType::STREAM)
        }
        UnixAddress::SeqPacket(path) => (SocketAddrUnix::new(path)?, SocketType::SEQPACKET),
    };
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        match connect_now(&address, kind) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => return outcome,
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    connect_now(&address, kind)
}

fn connect_now(address: &SocketAddrUnix, kind: SocketType) -> io::Result<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, kind, flags, None)?;
    rustix::net::connect(&socket, address)?;
    Ok(UnixStream::from(socket))
}
