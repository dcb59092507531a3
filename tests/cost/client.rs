//! A client of the cbor dialect that waits for each answer.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use arauto::Body;
use arauto::wire::cbor::{self, PREFIX};
use arauto::wire::{BodyFrame, ClientFrame, Decoded, Login, Publish, ServerFrame};

/// How long a client waits for a frame. Nothing takes a thousandth of that.
const PATIENCE: Duration = Duration::from_secs(60);

struct Client {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects, and registers.
    fn log_in(socket: &Path, user: &str) -> Client {
        let stream = UnixStream::connect(socket).expect("the server listens");
        let patience = stream.set_read_timeout(Some(PATIENCE));
        patience.expect("it is a timeout");
        let mut client = Client {
            stream,
            buffer: Vec::new(),
        };
        client.send(&ClientFrame::Login(Box::new(Login {
            id: 1,
            user: user.into(),
            password: "uma senha longa".into(),
            resume: None,
            options: None,
        })));
        client.receive_until(|frame| matches!(frame, ServerFrame::LoggedIn(_)));
        client
    }

    fn send(&mut self, frame: &ClientFrame<'_>) {
        let mut bytes = Vec::new();
        cbor::encode(frame, &mut bytes);
        self.stream.write_all(&bytes).expect("the server reads");
    }

    /// Receives frames until one is wanted.
    fn receive_until(&mut self, is_wanted: impl Fn(&ServerFrame<'_>) -> bool) {
        let mut has_come = false;
        while !has_come {
            self.buffer.resize(PREFIX, 0);
            let read = self.stream.read_exact(&mut self.buffer);
            read.expect("the server answers");
            let prefix = self.buffer[..].try_into().expect("it has four bytes");
            let length = u32::from_be_bytes(prefix) as usize;
            self.buffer.resize(PREFIX + length, 0);
            let read = self.stream.read_exact(&mut self.buffer[PREFIX..]);
            read.expect("the frame is whole");
            let decoded = cbor::decode_server(&self.buffer, usize::MAX);
            if let Decoded::Frame(frame, _) = decoded.expect("it is a frame") {
                has_come = is_wanted(&frame);
            }
        }
    }

    fn receive_message(&mut self, body: &str) {
        self.receive_until(|frame| {
            matches!(frame, ServerFrame::Message(message) if message.body.as_text() == Some(body))
        });
    }
}

/// A closed loop: the next frame is sent when the last one has been answered and delivered.
pub struct Loop {
    client: Client,
    readers: Vec<Client>,
}

impl Loop {
    /// Logs in one client, and as many readers beside it.
    pub fn begin(socket: &Path, readers: usize) -> Loop {
        let log_in = |number| Client::log_in(socket, &format!("user{number}"));
        let mut clients = Loop {
            readers: (0..readers).map(log_in).collect(),
            client: log_in(readers),
        };
        // The announcements of the logins are behind them then.
        clients.publish("begun");
        clients
    }

    pub fn request(&mut self, body: &str) {
        let body = Body::text(body);
        let request = ClientFrame::Request(BodyFrame { id: 2, body });
        self.client.send(&request);
        let is_reply = |frame: &ServerFrame<'_>| matches!(frame, ServerFrame::Reply(_));
        self.client.receive_until(is_reply);
    }

    /// Publishes, and waits for the message at the publisher and at each reader.
    pub fn publish(&mut self, body: &str) {
        self.client
            .send(&ClientFrame::Publish(Publish::new(2, Body::text(body))));
        for client in self.readers.iter_mut().chain([&mut self.client]) {
            client.receive_message(body);
        }
    }
}
