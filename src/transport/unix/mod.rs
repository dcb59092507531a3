//! Unix sockets: addresses, safe binding, and what the kernel still holds.

mod address;
mod bind_lock;
mod door;
mod errors;
mod failure;
mod local;
mod node;
mod send_file;
mod seqpacket;
mod server_path;
pub(super) mod tcp;
mod tcp_state;

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::ioctl::{Getter, ioctl};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use tokio::net::UnixStream;

use super::LocalUser;
use address::{UnixAddress, address};
pub(super) use door::LocalDoor;
pub(super) use errors::{is_lookup_transient, is_out_of_resources};
pub(super) use failure::failure_of_code;
pub(super) use local::connect;
pub use local::{DetachedLocal, Local};
pub(super) use seqpacket::LONGEST_MESSAGE;
use seqpacket::SeqPacket;
pub(super) use server_path::name_is_safe;

/// The first and the longest pause before a connect to a full backlog is tried
/// again, and how often it is tried: some 5 s in all.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
const TRIES: u32 = 56;

/// Connects. While the listener's backlog is full a connect that does not block
/// fails (EAGAIN, connect(2)), and no event tells of the next free place.
async fn connect_to(address: &UnixAddress) -> io::Result<UnixStream> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
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
            // It blocks on a full backlog, and only for the acceptor's turn.
            let address = address::abstract_name(name)?;
            let stream = std::os::unix::net::UnixStream::connect_addr(&address)?;
            stream.set_nonblocking(true)?;
            UnixStream::from_std(stream)
        }
        UnixAddress::SeqPacket(path) => {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
            rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
            UnixStream::from_std(std::os::unix::net::UnixStream::from(socket))
        }
    }
}

/// Whether nothing that is sent can reach the peer any more: it has closed both
/// sides, not only its own. Of TCP that is known once something was sent to it.
fn is_hung_up(socket: &impl AsFd) -> io::Result<bool> {
    let mut asked = [PollFd::new(socket, PollFlags::empty())];
    poll(&mut asked, Some(&Timespec::default()))?;
    let gone = PollFlags::HUP | PollFlags::ERR;
    Ok(asked[0].revents().intersects(gone))
}

/// Whether something can be received, or the peer has closed its side: poll(2), and not the
/// runtime, whose word may be older.
fn has_input(socket: &impl AsFd) -> io::Result<bool> {
    let mut asked = [PollFd::new(socket, PollFlags::IN)];
    poll(&mut asked, Some(&Timespec::default()))?;
    Ok(asked[0].revents().contains(PollFlags::IN))
}

/// Nothing: a folder's mode is set by whoever makes it, with std.
pub(super) fn make_private_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether others than its owner may read the file.
pub(super) fn is_readable_by_others(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.mode() & 0o077 != 0)
}

/// The user that this process acts as.
pub(super) fn own_user() -> Option<LocalUser> {
    Some(LocalUser::Uid(rustix::process::geteuid().as_raw()))
}

/// Whether the peer has taken all that was sent, and the socket holds no error that says
/// otherwise.
///
/// The queue is asked first. The kernel records a reset before it discards what was not
/// read (unix_release_sock in net/unix/af_unix.c; tcp_reset in net/ipv4/tcp_input.c), so
/// that a queue that a reset has emptied always comes with the error. poll(2) tells of the
/// error and leaves it there, for the read or the write that returns it.
fn is_taken(socket: &impl AsFd) -> io::Result<bool> {
    if !is_outq_empty(socket)? {
        return Ok(false);
    }
    let mut asked = [PollFd::new(socket, PollFlags::empty())];
    poll(&mut asked, Some(&Timespec::default()))?;
    Ok(!asked[0].revents().contains(PollFlags::ERR))
}

/// The user whom every system trusts, in words.
pub(super) const ROOT: &str = "root";

/// A user by name, from `/etc/passwd` (passwd(5)), or by number.
pub(super) fn find_user(name: &str) -> Result<LocalUser, String> {
    if let Ok(uid) = name.parse() {
        return Ok(LocalUser::Uid(uid));
    }
    let users = std::fs::read_to_string("/etc/passwd")
        .map_err(|error| format!("/etc/passwd cannot be read ({error}): give the number"))?;
    let uid = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
    });
    uid.map(LocalUser::Uid)
        .ok_or_else(|| "it is not in /etc/passwd; give the number of its user id".to_owned())
}

/// SIOCOUTQ (the same number as TIOCOUTQ), see unix(7) and tcp(7).
const SIOCOUTQ: rustix::ioctl::Opcode = 0x5411;

/// Whether the socket's send queue is empty.
#[expect(unsafe_code, reason = "no crate offers SIOCOUTQ")]
fn is_outq_empty(socket: &impl AsFd) -> io::Result<bool> {
    // SAFETY: SIOCOUTQ writes one int through its argument and nothing else, which
    // is what a Getter of c_int gives it room for.
    let held: std::ffi::c_int =
        unsafe { ioctl(socket.as_fd(), Getter::<SIOCOUTQ, std::ffi::c_int>::new())? };
    Ok(held == 0)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_peer_that_has_closed_one_side_has_not_hung_up() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        theirs.shutdown(Shutdown::Write).expect("it is open");
        assert!(!super::is_hung_up(&ours).expect("it says"));
        drop(theirs);
        assert!(super::is_hung_up(&ours).expect("it says"));
    }

    #[test]
    fn queue_that_the_peers_close_has_emptied_is_not_taken() {
        let (mut ours, theirs) = UnixStream::pair().expect("a pair");
        ours.write_all(b"fim").expect("room");
        drop(theirs);
        assert!(super::is_outq_empty(&ours).expect("it says"));
        assert!(!super::is_taken(&ours).expect("it says"));
    }

    #[test]
    fn tcp_reset_behind_the_peers_end_is_not_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let theirs = TcpStream::connect(address).expect("it listens");
        let (mut ours, _) = listener.accept().expect("it has connected");
        ours.write_all(b"fim").expect("room");
        theirs.shutdown(Shutdown::Write).expect("it is open");
        assert_eq!(ours.read(&mut [0; 3]).expect("it is the end"), 0);
        theirs.peek(&mut [0; 3]).expect("its kernel has them");
        while !super::is_outq_empty(&ours).expect("it says") {
            std::thread::yield_now(); // until they are acknowledged
        }
        assert!(super::is_taken(&ours).expect("it says"));
        drop(theirs); // unread: a reset, and nobody reads any more to hear of it
        while !super::is_hung_up(&ours).expect("it says") {
            std::thread::yield_now();
        }
        assert!(super::is_outq_empty(&ours).expect("it says"));
        assert!(!super::is_taken(&ours).expect("it says"));
    }

    #[test]
    fn input_read_before_the_peers_close_is_served() {
        let (mut ours, mut theirs) = UnixStream::pair().expect("a pair");
        ours.write_all(b"fim").expect("room");
        theirs.read_exact(&mut [0; 3]).expect("it is there");
        drop(theirs);
        assert!(super::is_taken(&ours).expect("it says"));
    }

    #[test]
    fn input_is_seen_without_the_runtime() {
        let (mut ours, theirs) = UnixStream::pair().expect("a pair");
        assert!(!super::has_input(&theirs).expect("it says"));
        ours.write_all(b"fim").expect("room");
        assert!(super::has_input(&theirs).expect("it says"));
    }

    #[test]
    fn the_queue_is_empty_once_the_peer_has_read() {
        let (mut ours, mut theirs) = UnixStream::pair().expect("a pair");
        assert!(super::is_outq_empty(&ours).expect("it says"));
        ours.write_all(b"fim").expect("room");
        assert!(!super::is_outq_empty(&ours).expect("it says"));
        theirs.read_exact(&mut [0; 3]).expect("it is there");
        assert!(super::is_outq_empty(&ours).expect("it says"));
    }
}
