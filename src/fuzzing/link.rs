//! A link in memory whose peer follows a script.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix::Addr;
use tokio::io::AsyncWrite;
use tokio::sync::oneshot;

use crate::accounts::UserName;
use crate::actors::hub::{Contents, Hub, Publish};
use crate::actors::supervisor::{Haste, Stop, Supervisor};
use crate::close::{Evidence, StopReason};
use crate::framing::{Framing, MessageTooLong, Received};
use crate::link::Link;
use crate::wire::{Body, cbor};

/// The bytes that one read of the session returns, if its buffer is large enough.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether they complete a message; in message mode only.
    pub is_whole: bool,
}

/// The client's script.
#[derive(Debug, Default)]
pub struct Peer {
    /// The pieces that it sends; then it closes its side.
    pub pieces: VecDeque<Piece>,
    /// Whether each piece arrives only when the session has polled twice.
    pub hesitates: bool,
    /// The most bytes of a stream that it accepts at once; every second time it accepts none.
    pub takes: Option<usize>,
    /// It disconnects once this many bytes were written to it.
    pub gone_after: Option<usize>,
    /// The server is stopped once this many pieces have arrived.
    pub stop_at: Option<usize>,
    /// The server's console publishes each piece too, if its frame is no longer than this.
    pub echoed_within: Option<usize>,
    /// It disconnects once it has closed its side, with everything read that was sent to it.
    pub hangs_up: bool,
}

pub(super) struct MemoryLink {
    framing: Framing,
    peer: Peer,
    /// The number of pieces that have arrived whole.
    arrived: usize,
    is_asked: bool,
    is_full: bool,
    /// The session has shut its side: the client closes too.
    is_shut: bool,
    is_over: bool,
    written: Rc<RefCell<Vec<Vec<u8>>>>,
    length: usize,
    supervisor: Addr<Supervisor>,
    hub: Addr<Hub>,
    /// Tells by its drop that the link was dropped.
    _gone: oneshot::Sender<()>,
}

pub(super) type Written = Rc<RefCell<Vec<Vec<u8>>>>;

impl MemoryLink {
    pub(super) fn new(
        framing: Framing,
        peer: Peer,
        (supervisor, hub): (Addr<Supervisor>, Addr<Hub>),
        gone: oneshot::Sender<()>,
    ) -> (MemoryLink, Written) {
        let written = Written::default();
        let link = MemoryLink {
            framing,
            peer,
            arrived: 0,
            is_asked: false,
            is_full: false,
            is_shut: false,
            is_over: false,
            written: Rc::clone(&written),
            length: 0,
            supervisor,
            hub,
            _gone: gone,
        };
        (link, written)
    }

    fn is_gone(&self) -> bool {
        self.peer.gone_after.is_some_and(|most| self.length >= most)
    }

    /// Returns `false` every second time, and has the task woken at once.
    fn is_ready(flag: &mut bool, cx: &Context<'_>) -> bool {
        *flag = !*flag;
        if *flag {
            cx.waker().wake_by_ref();
        }
        !*flag
    }

    /// Returns whether the peer accepts bytes now.
    fn poll_writable(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if self.peer.takes.is_some() && !Self::is_ready(&mut self.is_full, cx) {
            return Poll::Pending;
        }
        if self.is_gone() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        assert!(!self.is_shut, "nothing is written behind the end");
        Poll::Ready(Ok(()))
    }

    fn note_piece(&mut self, piece: &Piece) {
        self.arrived += 1;
        if self.peer.stop_at == Some(self.arrived) {
            self.supervisor.do_send(Stop {
                reason: StopReason::Signal,
                haste: Haste::AsPlanned,
            });
        }
        if let Some(max_frame) = self.peer.echoed_within {
            self.echo(&piece.bytes, max_frame);
        }
    }

    fn echo(&self, bytes: &[u8], max_frame: usize) {
        let body = match std::str::from_utf8(bytes) {
            Ok(text) => Body::text(text),
            Err(_) => Body::bytes(bytes),
        };
        let (from, mut contents) = (UserName::console(), Contents::default());
        if bytes.len() <= cbor::max_body(max_frame) {
            contents.push(&body);
            self.hub.do_send(Publish {
                from,
                contents,
                in_flight: None,
            });
        }
    }

    fn receive_bytes(&mut self, buf: &mut [u8]) -> Received {
        let Some(mut piece) = self.peer.pieces.pop_front() else {
            self.is_over = true;
            return Received::End;
        };
        let length = piece.bytes.len().min(buf.len());
        buf[..length].copy_from_slice(&piece.bytes[..length]);
        if length == piece.bytes.len() {
            self.note_piece(&piece);
        } else {
            piece.bytes.drain(..length);
            self.peer.pieces.push_front(piece);
        }
        Received::Bytes(length)
    }

    fn receive_message(&mut self, buf: &mut [u8]) -> io::Result<Received> {
        let Some(piece) = self.peer.pieces.pop_front() else {
            self.is_over = true;
            return Ok(Received::End);
        };
        self.note_piece(&piece);
        let length = piece.bytes.len();
        let Some(target) = buf.get_mut(..length) else {
            return Err(MessageTooLong { length }.into());
        };
        target.copy_from_slice(&piece.bytes);
        Ok(match piece.is_whole {
            true => Received::Message(length),
            false => Received::Bytes(length),
        })
    }
}

impl Link for MemoryLink {
    fn framing(&self) -> Framing {
        self.framing
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        if self.peer.hesitates && !Self::is_ready(&mut self.is_asked, cx) {
            return Poll::Pending;
        }
        if self.is_gone() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if self.is_shut {
            self.peer.pieces.clear();
        }
        Poll::Ready(match self.framing {
            Framing::Stream => Ok(self.receive_bytes(buf)),
            Framing::Messages => self.receive_message(buf),
        })
    }

    fn poll_send_message(&mut self, cx: &mut Context<'_>, message: &[u8]) -> Poll<io::Result<()>> {
        ready!(self.poll_writable(cx))?;
        self.length += message.len().max(1);
        self.written.borrow_mut().push(message.to_vec());
        Poll::Ready(Ok(()))
    }

    fn half_closes(&self) -> bool {
        true
    }

    fn is_hung_up(&self) -> bool {
        self.is_over && self.peer.hangs_up
    }

    fn evidence(&self) -> Evidence {
        Evidence::Read
    }

    fn best_evidence(&self) -> Evidence {
        Evidence::Read
    }
}

impl AsyncWrite for MemoryLink {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_writable(cx))?;
        let taken = self.peer.takes.unwrap_or(buf.len()).min(buf.len());
        self.length += taken;
        let mut written = self.written.borrow_mut();
        if written.is_empty() {
            written.push(Vec::new());
        }
        written[0].extend_from_slice(&buf[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_shut = true;
        cx.waker().wake_by_ref(); // the client closes too, and that can be read
        Poll::Ready(Ok(()))
    }
}
