//! How far a TCP peer has acknowledged what was sent, and how long it may take for that.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;

/// The send side of a connection: what is unacknowledged, and since when.
#[derive(Debug, Clone, Copy)]
pub(super) struct SendState {
    /// Whether the send queue is empty.
    pub(super) is_empty: bool,
    /// Segments sent and not acknowledged.
    pub(super) in_flight: u32,
    /// Probes and retransmissions in a row without an answer.
    pub(super) unanswered: u32,
    /// The time since the peer last acknowledged anything.
    pub(super) since_last_ack: Duration,
}

/// Whether [`send_state`] works here.
pub(super) const TELLS_SEND_STATE: bool = cfg!(target_os = "linux");

/// Reads the state of the send side: SIOCOUTQ and TCP_INFO (tcp(7)).
///
/// # Errors
/// The system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn send_state(stream: &TcpStream) -> io::Result<SendState> {
    let info = tcp_info(stream)?;
    Ok(SendState {
        is_empty: super::system::is_send_queue_empty(stream)?,
        in_flight: info.tcpi_unacked,
        unanswered: u32::from(info.tcpi_probes) + u32::from(info.tcpi_retransmits),
        since_last_ack: Duration::from_millis(info.tcpi_last_ack_recv.into()),
    })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn send_state(_stream: &TcpStream) -> io::Result<SendState> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no crate offers TCP_INFO")]
fn tcp_info(stream: &TcpStream) -> io::Result<libc::tcp_info> {
    use std::os::fd::AsRawFd;

    // SAFETY: tcp_info is made of integers, for which zero is a value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the descriptor is open for the call; the kernel writes `length` bytes at most,
    // which is the size of what the pointer leads to.
    let told = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    if told == 0 {
        Ok(info)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Sets how long sent data may stay unacknowledged (TCP_USER_TIMEOUT, tcp(7)). `None` leaves
/// it to the system's retransmission limit.
#[cfg(target_os = "linux")]
pub(super) fn set_user_timeout(stream: &TcpStream, timeout: Option<Duration>) -> io::Result<()> {
    let millis = timeout.map_or(0, |timeout| timeout.as_millis().max(1));
    let millis = u32::try_from(millis).unwrap_or(u32::MAX);
    rustix::net::sockopt::set_tcp_user_timeout(stream, millis)?;
    Ok(())
}

/// Does nothing: the system has no such option, and its own limit holds.
#[cfg(not(target_os = "linux"))]
pub(super) fn set_user_timeout(_stream: &TcpStream, _timeout: Option<Duration>) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn pair() -> io::Result<(TcpStream, TcpStream)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let ours = TcpStream::connect(listener.local_addr()?).await?;
        Ok((ours, listener.accept().await?.0))
    }

    #[test]
    fn peer_that_reads_nothing_closes_its_window_and_answers() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        runtime.block_on(async {
            let (mut ours, _theirs) = pair().await.expect("loopback is there");
            assert!(send_state(&ours).expect("linux tells").is_empty);
            let piece = vec![0; 1 << 20];
            // The first write that must wait fills all buffers there are.
            let full = async { while ours.write(&piece).await.is_ok() {} };
            let moment = Duration::from_millis(500);
            let _ = tokio::time::timeout(moment, full).await;
            loop {
                let state = send_state(&ours).expect("linux tells");
                assert!(!state.is_empty);
                // A window that has just closed is probed after some 200 ms.
                if state.in_flight == 0 {
                    break;
                }
                tokio::task::yield_now().await;
            }
        });
    }

    #[test]
    fn tcp_user_timeout_is_set_and_cleared() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        runtime.block_on(async {
            let (ours, _theirs) = pair().await.expect("loopback is there");
            let timeout = || rustix::net::sockopt::tcp_user_timeout(&ours).expect("linux tells");
            set_user_timeout(&ours, Some(Duration::from_secs(7))).expect("it is a socket");
            assert_eq!(timeout(), 7_000);
            set_user_timeout(&ours, None).expect("it is a socket");
            assert_eq!(timeout(), 0);
        });
    }
}
