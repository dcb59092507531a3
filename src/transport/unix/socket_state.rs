//! The state of a connected socket, as the kernel tells it at this moment.
//!
//! The runtime's readiness may be older, and knows nothing of the send queue.

use std::io;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::ioctl::{Getter, ioctl};

/// SIOCOUTQ (the same number as TIOCOUTQ), see unix(7) and tcp(7).
const SIOCOUTQ: rustix::ioctl::Opcode = 0x5411;

/// Returns whether nothing that is sent can reach the peer any more: the peer has closed both
/// sides. Of TCP the kernel knows this once something was sent.
pub(super) fn is_hung_up(socket: &impl AsFd) -> io::Result<bool> {
    let gone = PollFlags::HUP | PollFlags::ERR;
    Ok(poll_now(socket, PollFlags::empty())?.intersects(gone))
}

/// Returns whether something can be received, or the peer has closed its side.
pub(super) fn has_input(socket: &impl AsFd) -> io::Result<bool> {
    Ok(poll_now(socket, PollFlags::IN)?.contains(PollFlags::IN))
}

/// Returns whether the send queue is empty, and no error on the socket says that the peer has
/// discarded what was in it. On a unix socket the peer has then read everything, on TCP its
/// kernel has acknowledged everything.
///
/// The queue is asked first. The kernel records a reset before it discards what was not
/// read (unix_release_sock in net/unix/af_unix.c; tcp_reset in net/ipv4/tcp_input.c), so
/// a queue that a reset has emptied always comes with the error. poll(2) tells of the
/// error and leaves it there, for the read or the write that returns it.
pub(super) fn is_all_taken(socket: &impl AsFd) -> io::Result<bool> {
    Ok(is_send_queue_empty(socket)?
        && !poll_now(socket, PollFlags::empty())?.contains(PollFlags::ERR))
}

/// Returns whether the socket's send queue is empty (SIOCOUTQ).
#[expect(unsafe_code, reason = "no crate offers SIOCOUTQ")]
pub(in crate::transport) fn is_send_queue_empty(socket: &impl AsFd) -> io::Result<bool> {
    // SAFETY: SIOCOUTQ writes one int through its argument and nothing else, which
    // is what a Getter of c_int gives it room for.
    let held: std::ffi::c_int =
        unsafe { ioctl(socket.as_fd(), Getter::<SIOCOUTQ, std::ffi::c_int>::new())? };
    Ok(held == 0)
}

/// Asks poll(2) without waiting. It reports hang-ups and errors unasked.
fn poll_now(socket: &impl AsFd, interest: PollFlags) -> io::Result<PollFlags> {
    let mut asked = [PollFd::new(socket, interest)];
    poll(&mut asked, Some(&Timespec::default()))?;
    Ok(asked[0].revents())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    #[test]
    fn peer_that_shut_one_side_has_not_hung_up() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        theirs.shutdown(Shutdown::Write).expect("it is open");
        assert!(!super::is_hung_up(&ours).expect("it says"));
        drop(theirs);
        assert!(super::is_hung_up(&ours).expect("it says"));
    }

    #[test]
    fn queue_emptied_by_the_peers_close_is_no_evidence() {
        let (mut ours, theirs) = UnixStream::pair().expect("a pair");
        ours.write_all(b"fim").expect("room");
        drop(theirs);
        assert!(super::is_send_queue_empty(&ours).expect("it says"));
        assert!(!super::is_all_taken(&ours).expect("it says"));
    }

    #[test]
    fn tcp_reset_after_the_peers_fin_is_no_evidence() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let theirs = TcpStream::connect(address).expect("it listens");
        let (mut ours, _) = listener.accept().expect("it has connected");
        ours.write_all(b"fim").expect("room");
        theirs.shutdown(Shutdown::Write).expect("it is open");
        assert_eq!(ours.read(&mut [0; 3]).expect("it is the end"), 0);
        theirs.peek(&mut [0; 3]).expect("its kernel has them");
        while !super::is_send_queue_empty(&ours).expect("it says") {
            std::thread::yield_now(); // until they are acknowledged
        }
        assert!(super::is_all_taken(&ours).expect("it says"));
        drop(theirs); // unread: a reset, and nobody reads any more to hear of it
        while !super::is_hung_up(&ours).expect("it says") {
            std::thread::yield_now();
        }
        assert!(super::is_send_queue_empty(&ours).expect("it says"));
        assert!(!super::is_all_taken(&ours).expect("it says"));
    }

    #[test]
    fn input_before_the_peers_close_is_served() {
        let (mut ours, mut theirs) = UnixStream::pair().expect("a pair");
        ours.write_all(b"fim").expect("room");
        theirs.read_exact(&mut [0; 3]).expect("it is there");
        drop(theirs);
        assert!(super::is_all_taken(&ours).expect("it says"));
    }

    #[test]
    fn input_is_detected_without_the_runtime() {
        let (mut ours, theirs) = UnixStream::pair().expect("a pair");
        assert!(!super::has_input(&theirs).expect("it says"));
        ours.write_all(b"fim").expect("room");
        assert!(super::has_input(&theirs).expect("it says"));
    }

    #[test]
    fn send_queue_is_empty_once_the_peer_has_read() {
        let (mut ours, mut theirs) = UnixStream::pair().expect("a pair");
        assert!(super::is_send_queue_empty(&ours).expect("it says"));
        ours.write_all(b"fim").expect("room");
        assert!(!super::is_send_queue_empty(&ours).expect("it says"));
        theirs.read_exact(&mut [0; 3]).expect("it is there");
        assert!(super::is_send_queue_empty(&ours).expect("it says"));
    }
}
