//! One client: it logs in, works until `closing`, and reads to the end.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use arauto::Body;
use arauto::wire::{Ack, ClientFrame, Publish, Request, Seq, cbor};

use super::{Received, Shared, Socket};
use crate::support::{PASSWORD, login};

/// The behaviour of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// It reads.
    Read,
    /// It reads, and acknowledges with `ack`.
    ReadAndAck,
    /// It sends requests, with this many in flight.
    Ask(u64),
    /// It publishes, with this many publishes in flight.
    Publish(u64),
}

impl Work {
    fn window(self) -> u64 {
        match self {
            Work::Read | Work::ReadAndAck => 0,
            Work::Ask(count) | Work::Publish(count) => count,
        }
    }
}

/// The broadcasts between two `ack`s of a reader.
const ACK_EVERY: u64 = 8;

struct Client {
    socket: Socket,
    received: Received,
    work: Work,
    shared: Rc<Shared>,
    /// The frames to be sent.
    outgoing: VecDeque<Outgoing>,
    /// The bytes of the first frame that were sent.
    sent_of_first: usize,
    asked: u64,
    acked: u64,
    buffer: Vec<u8>,
}

/// A frame, and whether the server counts it.
struct Outgoing {
    bytes: Vec<u8>,
    is_counted: bool,
}

pub(super) async fn run_client(
    socket: Socket,
    name: usize,
    user: String,
    work: Work,
    shared: Rc<Shared>,
) -> Received {
    let mut client = Client {
        socket,
        received: Received {
            name,
            ..Received::default()
        },
        work,
        shared,
        outgoing: VecDeque::new(),
        sent_of_first: 0,
        asked: 0,
        acked: 0,
        buffer: Vec::new(),
    };
    client.push(login(0, &user, PASSWORD).bytes(), false);
    while client.step().await {}
    client.received
}

impl Client {
    fn push(&mut self, bytes: Vec<u8>, is_counted: bool) {
        self.outgoing.push_back(Outgoing { bytes, is_counted });
    }

    /// Sends or receives once. Returns `false` at the end of the input.
    async fn step(&mut self) -> bool {
        self.queue_frames();
        let receive = self
            .socket
            .receive(&mut self.buffer, &self.shared.receive_buffer);
        let received = match self.outgoing.front() {
            None => receive.await,
            Some(first) => tokio::select! {
                received = receive => received,
                sent = self.socket.send(&first.bytes[self.sent_of_first..]) => {
                    self.note_sent(sent);
                    return true;
                }
            },
        };
        let length = received.expect("closing comes before a broken connection");
        if length == 0 {
            assert!(self.received.closing.is_some(), "the end without closing");
            assert!(self.buffer.is_empty(), "the end within a frame");
            return false;
        }
        self.take_frames();
        true
    }

    /// Queues the frames that the client's work calls for; none after `closing`.
    fn queue_frames(&mut self) {
        if self.received.closing.is_some() {
            self.outgoing.clear();
            return;
        }
        let received = &self.received;
        if !received.is_logged_in {
            return;
        }
        let in_flight = self.asked - received.answered - received.refused;
        for _ in in_flight..self.work.window() {
            self.ask();
        }
        if self.work == Work::ReadAndAck && self.received.last >= self.acked + ACK_EVERY {
            self.acked = self.received.last;
            let seq = Seq(self.acked);
            self.push(encoded(&ClientFrame::Ack(Ack { seq })), false);
        }
    }

    fn ask(&mut self) {
        self.asked += 1;
        let text = body_of(self.received.name, self.asked);
        let body = Body::text(&text);
        let frame = match self.work {
            Work::Publish(_) => ClientFrame::Publish(Publish::new(self.asked, body)),
            _ => ClientFrame::Request(Request::new(self.asked, body)),
        };
        self.push(encoded(&frame), true);
    }

    fn note_sent(&mut self, sent: io::Result<usize>) {
        let Ok(length) = sent else {
            self.outgoing.clear(); // the server closed; its last frames are still to be read
            return;
        };
        self.sent_of_first += length;
        if let Some(first) = self.outgoing.front()
            && self.sent_of_first == first.bytes.len()
        {
            self.received.sent += u64::from(first.is_counted);
            self.outgoing.pop_front();
            self.sent_of_first = 0;
        }
    }

    fn take_frames(&mut self) {
        let mut taken = 0;
        while let Some(frame) = first_frame(&self.buffer[taken..]) {
            let was_logged_in = self.received.is_logged_in;
            let mut broadcasts = self.shared.broadcasts.borrow_mut();
            if self.received.take(frame, &mut broadcasts) {
                self.shared.note_answer();
            }
            if self.received.is_logged_in && !was_logged_in {
                self.shared.note_login();
            }
            taken += frame.len();
        }
        self.buffer.drain(..taken);
    }
}

/// Returns the body that a client sends under this id.
pub(crate) fn body_of(name: usize, id: u64) -> String {
    format!("{name}-{id}")
}

fn encoded(frame: &ClientFrame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    cbor::encode(frame, &mut bytes);
    bytes
}

/// The first whole frame, with its prefix.
fn first_frame(bytes: &[u8]) -> Option<&[u8]> {
    let prefix = bytes.first_chunk::<4>()?;
    bytes.get(..4 + u32::from_be_bytes(*prefix) as usize)
}
