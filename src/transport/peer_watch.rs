//! Tells a TCP peer that is dead from one that does not read.
//!
//! TCP_USER_TIMEOUT ends a connection whose data nobody acknowledges. Linux applies it also to a
//! peer whose receive window is closed, although that peer answers each probe (tcp_probe_timer
//! in net/ipv4/tcp_timer.c): a reader that is paused would be cut off. So while data is held
//! back by a closed window the timeout is switched off, and this watch judges the connection by
//! the time of the peer's last acknowledgement.
//!
//! The watch runs only while sent data is unacknowledged: an idle connection has no timer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::tcp_state::{SendState, TELLS_SEND_STATE, send_state, set_user_timeout};

/// Probes in a row without an answer before their silence counts.
const UNANSWERED: u32 = 2;

/// Watches a peer that has not acknowledged everything.
#[derive(Debug)]
pub(super) struct PeerWatch {
    /// How long the peer may acknowledge nothing.
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether the system's own timeout is switched off.
    is_lenient: bool,
}

/// The state of the peer, judged by the send side of the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PeerState {
    /// It has acknowledged everything.
    UpToDate,
    /// Data is in flight; the system's own timeout applies.
    SystemJudges,
    /// Its receive window is closed, and it answers probes.
    HoldsBack,
    /// Its receive window was closed, and it no longer answers.
    Dead,
}

fn judge(state: &SendState, limit: Duration) -> PeerState {
    if state.is_empty {
        return PeerState::UpToDate;
    }
    if state.in_flight > 0 {
        return PeerState::SystemJudges;
    }
    if state.since_last_ack >= limit && state.unanswered >= UNANSWERED {
        PeerState::Dead
    } else {
        PeerState::HoldsBack
    }
}

impl PeerWatch {
    /// Returns a watch over a peer that may acknowledge nothing for `limit`.
    pub(super) fn new(limit: Duration) -> PeerWatch {
        PeerWatch {
            limit,
            timer: None,
            is_lenient: false,
        }
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// Begins to watch what was sent. Must be called after each write.
    pub(super) fn note_sent(&mut self) {
        if self.timer.is_none() && TELLS_SEND_STATE {
            self.timer = Some(Box::pin(sleep(self.limit / 4)));
        }
    }

    /// Returns the outcome of a read or a write; a pending one fails once the peer is known to
    /// be dead.
    pub(super) fn check<T>(
        &mut self,
        stream: &TcpStream,
        cx: &mut Context<'_>,
        done: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match done {
            Poll::Pending => self.poll_dead(stream, cx).map(Err),
            done => done,
        }
    }

    fn poll_dead(&mut self, stream: &TcpStream, cx: &mut Context<'_>) -> Poll<io::Error> {
        while let Some(timer) = &mut self.timer {
            ready!(timer.as_mut().poll(cx));
            let Ok(state) = send_state(stream) else {
                break; // a broken connection fails by itself
            };
            let peer = judge(&state, self.limit);
            self.be_lenient(stream, peer == PeerState::HoldsBack);
            match peer {
                PeerState::UpToDate => break,
                PeerState::SystemJudges | PeerState::HoldsBack => {
                    self.timer = Some(Box::pin(sleep(self.limit / 4)));
                }
                PeerState::Dead => {
                    let problem = format!("the peer has acknowledged nothing for {:?}", self.limit);
                    return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, problem));
                }
            }
        }
        self.timer = None;
        Poll::Pending
    }

    fn be_lenient(&mut self, stream: &TcpStream, lenient: bool) {
        if lenient != self.is_lenient {
            let timeout = (!lenient).then_some(self.limit);
            self.is_lenient = set_user_timeout(stream, timeout).is_ok() && lenient;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn closed_window(since_last_ack: Duration, unanswered: u32) -> SendState {
        SendState {
            is_empty: false,
            in_flight: 0,
            unanswered,
            since_last_ack,
        }
    }

    #[test]
    fn peer_that_answers_probes_with_a_closed_window_is_alive() {
        let answers = closed_window(LIMIT * 3, 0);
        assert_eq!(judge(&answers, LIMIT), PeerState::HoldsBack);
        let asked_once = closed_window(LIMIT * 3, 1);
        assert_eq!(judge(&asked_once, LIMIT), PeerState::HoldsBack);
    }

    #[test]
    fn peer_that_stops_answering_probes_is_dead_after_the_limit() {
        let early = closed_window(LIMIT - Duration::from_millis(1), 9);
        assert_eq!(judge(&early, LIMIT), PeerState::HoldsBack);
        assert_eq!(judge(&closed_window(LIMIT, 2), LIMIT), PeerState::Dead);
    }

    #[test]
    fn silent_peer_with_data_in_flight_is_left_to_the_system() {
        let state = SendState {
            in_flight: 1,
            ..closed_window(LIMIT * 3, 9)
        };
        assert_eq!(judge(&state, LIMIT), PeerState::SystemJudges);
    }
}
