//! Joins the two rooms that do not know each other: a transport's connection is
//! an actor's link, a transport's listener an acceptor's door.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use crate::accounts::PeerId;
use crate::actors::acceptor::{self, Door};
use crate::actors::link::{LatePeer, Link};
use crate::close::Evidence;
use crate::framing::{Failure, Framing, Received};
use crate::transport::{Connection, Listener, LocalUser, Peer, Taken, failure_of};

pub(super) struct ConnectionLink(pub(super) Connection);

impl Link for ConnectionLink {
    fn failure_of(&self, error: &io::Error) -> Failure {
        failure_of(error)
    }

    fn framing(&self) -> Framing {
        self.0.framing()
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        self.0.poll_receive(cx, buf)
    }

    fn poll_send_message(&mut self, cx: &mut Context<'_>, message: &[u8]) -> Poll<io::Result<()>> {
        self.0.poll_send_message(cx, message)
    }

    fn half_closes(&self) -> bool {
        self.0.half_closes()
    }

    fn is_hung_up(&self) -> bool {
        self.0.is_hung_up()
    }

    fn has_input(&self) -> bool {
        self.0.has_input()
    }

    fn is_open(&self) -> bool {
        self.0.is_open()
    }

    fn late_peer(&self) -> Option<LatePeer> {
        let peer = self.0.peer_after_read()?;
        Some(LatePeer {
            id: peer_id(&peer),
            is_own_user: peer.is_same_user(),
            name: peer.to_string(),
        })
    }

    fn vouched_name(&self) -> Option<String> {
        self.0.peer_name()
    }

    fn evidence(&self) -> Evidence {
        if !self.0.is_flushed() {
            return Evidence::Queued;
        }
        match self.0.is_taken() {
            Ok(true) => self.best_evidence(),
            Ok(false) | Err(_) => Evidence::Written,
        }
    }

    fn best_evidence(&self) -> Evidence {
        match self.0.taken_means() {
            Taken::Unknown => Evidence::Written,
            Taken::KernelAcked => Evidence::KernelAcked,
            Taken::Read => Evidence::Read,
        }
    }

    fn sends_files(&self) -> bool {
        self.0.sends_files()
    }

    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        offset: u64,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        self.0.poll_send_file(cx, file, offset, length)
    }
}

impl AsyncWrite for ConnectionLink {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

pub(super) struct ListenerDoor(pub(super) Listener);

/// A connection, who is at its other end, and whether that one may stay.
pub(super) struct Caller {
    pub(super) connection: Connection,
    pub(super) peer: Peer,
    pub(super) may_stay: bool,
}

/// Whom a peer is counted as.
pub(super) fn peer_id(peer: &Peer) -> PeerId {
    match peer {
        Peer::Remote(address) => PeerId::at(address.ip()),
        Peer::Local { user, .. } => match user {
            Some(LocalUser::Uid(uid)) => PeerId::Uid(*uid),
            Some(LocalUser::Sid { sid, .. }) => PeerId::Sid(sid.as_str().into()),
            None => PeerId::Local,
        },
    }
}

impl acceptor::Caller for Caller {
    fn peer_id(&self) -> PeerId {
        peer_id(&self.peer)
    }
}

impl ListenerDoor {
    fn caller(&self, connection: Connection) -> io::Result<Caller> {
        let peer = connection.peer()?;
        Ok(Caller {
            may_stay: self.0.admits(&peer),
            peer,
            connection,
        })
    }
}

impl Door for ListenerDoor {
    type Caller = Caller;

    fn failure_of(&self, error: &io::Error) -> Failure {
        failure_of(error)
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Caller>> {
        let connection = std::task::ready!(self.0.poll_accept(cx))?;
        Poll::Ready(self.caller(connection))
    }

    fn poll_watch(&mut self, cx: &mut Context<'_>) {
        self.0.poll_watch(cx);
    }

    fn next_waiting(&mut self) -> Option<Caller> {
        loop {
            let connection = self.0.accept_waiting()?;
            // One that has gone already needs no answer.
            if let Ok(caller) = self.caller(connection) {
                return Some(caller);
            }
        }
    }

    fn close_to_new(&mut self) {
        self.0.close_to_new();
    }
}
