//! One client: it logs in, works until `closing`, and reads to the end.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use arauto::Body;
use arauto::wire::{Ack, BodyFrame, ClientFrame, Seq, cbor};

use super::{Heard, Shared, Socket};
use crate::support::{PASSWORD, login};

/// The behaviour of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// It reads.
    Read,
    /// It reads, and says so by `ack`.
    ReadAndAck,
    /// It asks, with so many requests on their way at once.
    Ask(u64),
    /// It publishes, with so many on their way at once.
    Publish(u64),
}

impl Work {
    fn at_once(self) -> u64 {
        match self {
            Work::Read | Work::ReadAndAck => 0,
            Work::Ask(count) | Work::Publish(count) => count,
        }
    }
}

/// How often a reader that acknowledges does so, in broadcasts.
const ACK_EVERY: u64 = 8;

struct Client {
    socket: Socket,
    heard: Heard,
    work: Work,
    shared: Rc<Shared>,
    /// Frames to be sent, and how much of the first one is.
    outgoing: VecDeque<Outgoing>,
    sent_of_first: usize,
    asked: u64,
    acked: u64,
    buffer: Vec<u8>,
}

/// A frame, and whether it is one that is counted.
struct Outgoing {
    bytes: Vec<u8>,
    is_counted: bool,
}

pub(super) async fn live(
    socket: Socket,
    name: usize,
    user: String,
    work: Work,
    shared: Rc<Shared>,
) -> Heard {
    let mut client = Client {
        socket,
        heard: Heard {
            name,
            ..Heard::default()
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
    while client.go_on().await {}
    client.heard
}

impl Client {
    fn push(&mut self, bytes: Vec<u8>, is_counted: bool) {
        self.outgoing.push_back(Outgoing { bytes, is_counted });
    }

    /// Sends and receives what can be, once; whether there may be more.
    async fn go_on(&mut self) -> bool {
        self.think_of_more();
        let receive = self.socket.receive(&mut self.buffer, &self.shared.room);
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
            assert!(self.heard.closing.is_some(), "the end without closing");
            assert!(self.buffer.is_empty(), "the end within a frame");
            return false;
        }
        self.take_frames();
        true
    }

    /// Nothing more is said once the server has closed its side.
    fn think_of_more(&mut self) {
        if self.heard.closing.is_some() {
            self.outgoing.clear();
            return;
        }
        let heard = &self.heard;
        if !heard.is_logged_in {
            return;
        }
        let on_their_way = self.asked - heard.answered - heard.refused;
        for _ in on_their_way..self.work.at_once() {
            self.ask();
        }
        if self.work == Work::ReadAndAck && self.heard.last >= self.acked + ACK_EVERY {
            self.acked = self.heard.last;
            let seq = Seq(self.acked);
            self.push(encoded(&ClientFrame::Ack(Ack { seq })), false);
        }
    }

    fn ask(&mut self) {
        self.asked += 1;
        let text = said(self.heard.name, self.asked);
        let asking = BodyFrame {
            id: self.asked,
            body: Body::text(&text),
        };
        let frame = match self.work {
            Work::Publish(_) => ClientFrame::Publish(asking),
            _ => ClientFrame::Request(asking),
        };
        self.push(encoded(&frame), true);
    }

    fn note_sent(&mut self, sent: io::Result<usize>) {
        let Ok(length) = sent else {
            self.outgoing.clear(); // the server has gone; what it said is still to be read
            return;
        };
        self.sent_of_first += length;
        if let Some(first) = self.outgoing.front()
            && self.sent_of_first == first.bytes.len()
        {
            self.heard.sent += u64::from(first.is_counted);
            self.outgoing.pop_front();
            self.sent_of_first = 0;
        }
    }

    fn take_frames(&mut self) {
        let mut taken = 0;
        while let Some(frame) = first_frame(&self.buffer[taken..]) {
            let was_logged_in = self.heard.is_logged_in;
            let mut told = self.shared.told.borrow_mut();
            if self.heard.take(frame, &mut told) {
                self.shared.note_answer();
            }
            if self.heard.is_logged_in && !was_logged_in {
                self.shared.note_login();
            }
            taken += frame.len();
        }
        self.buffer.drain(..taken);
    }
}

/// Returns the frame that a client sends under this id.
pub(crate) fn said(name: usize, id: u64) -> String {
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
