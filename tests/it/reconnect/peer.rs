//! A server that a test plays, frame by frame, and a client of it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use arauto::wire::cbor::{decode_client, encode, encode_server};
use arauto::wire::{
    ClientFrame, Decoded, LoggedIn, MAX_FRAME, Message, Resume, ServerFrame, VERSION, Welcome,
};
use arauto::{
    Body, Client, ClientError, Endpoint, Event, Events, Incoming, Millis, Reconnect, Role, Seq,
    SessionId, Term,
};
use tokio::runtime::Runtime;

use crate::support::{Watchdog, watchdog};

/// The name of the stream that clients log in to first.
pub const STREAM: &str = "a stream";

/// A resume as a test reads it: the stream, the last seq, the term.
pub type Resumed = Option<(String, Seq, Option<Term>)>;

/// The server's side of one connection, played by the test.
pub struct Peer {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Peer {
    /// Accepts a connection and welcomes it.
    pub fn accept(listener: &TcpListener) -> Peer {
        Peer::serving(listener, &[])
    }

    /// Accepts a connection and welcomes it, as a server with these features.
    pub fn serving(listener: &TcpListener, features: &[&'static str]) -> Peer {
        let (stream, _) = listener.accept().expect("a client connects");
        let mut peer = Peer {
            stream,
            buffer: Vec::new(),
        };
        peer.send(&ServerFrame::Welcome(Welcome {
            version: VERSION,
            server: "a test".into(),
            session: SessionId(1),
            max_frame: MAX_FRAME as u64,
            max_body: None,
            idle_timeout: None,
            features: features.iter().map(|name| (*name).into()).collect(),
            limits: None,
        }));
        peer
    }

    /// Accepts a connection and its login, which is answered with `seq` of `stream`.
    pub fn log_in(listener: &TcpListener, stream: &str, seq: u64) -> (Peer, Resumed) {
        let mut peer = Peer::accept(listener);
        let resumed = peer.login();
        peer.answer_login(stream, seq);
        (peer, resumed)
    }

    /// Answers a login with `seq` of `stream`.
    pub fn answer_login(&mut self, stream: &str, seq: u64) {
        self.send(&ServerFrame::LoggedIn(LoggedIn {
            id: 0,
            user: "ana".into(),
            role: Role::Escritor,
            registered: false,
            stream: stream.into(),
            seq: Seq(seq),
            term: None,
            request_rate: None,
            filter: None,
            cursor_new: false,
        }));
    }

    /// Reads the login.
    pub fn login(&mut self) -> Resumed {
        self.read(|frame| match frame {
            ClientFrame::Login(login) => login
                .resume
                .map(|resume: Resume<'_>| (resume.stream.into_owned(), resume.after, resume.term)),
            other => panic!("a login comes first: {other:?}"),
        })
    }

    pub fn send(&mut self, frame: &ServerFrame<'_>) {
        let mut bytes = Vec::new();
        encode_server(frame, &mut bytes);
        self.stream.write_all(&bytes).expect("the client reads");
    }

    pub fn send_message(&mut self, seq: u64) {
        let mut bytes = Vec::new();
        let message = ServerFrame::Message(Message::new(
            Seq(seq),
            "rui",
            Millis(1),
            Body::text("bom dia"),
        ));
        encode(&message, &mut bytes);
        self.stream.write_all(&bytes).expect("the client reads");
    }

    /// Reads the next frame.
    pub fn read<T>(&mut self, take: impl FnOnce(ClientFrame<'_>) -> T) -> T {
        loop {
            let decoded = decode_client(&self.buffer, MAX_FRAME).expect("it is a frame");
            if let Decoded::Frame(frame, used) = decoded {
                let taken = take(frame);
                self.buffer.drain(..used);
                return taken;
            }
            let mut bytes = [0; 4096];
            let length = self.stream.read(&mut bytes).expect("the client writes");
            assert_ne!(length, 0, "the client has closed its side");
            self.buffer.extend_from_slice(&bytes[..length]);
        }
    }

    /// Reads the client's side to its end.
    pub fn read_to_end(mut self) {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest); // a reset is an end as well
    }
}

/// A listener, and a client of it that has logged in with seq 5 of [`STREAM`].
pub struct Played {
    pub runtime: Runtime,
    pub listener: TcpListener,
    pub client: Client,
    pub events: Events,
    _watchdog: Watchdog,
}

impl Played {
    pub fn new(policy: Option<Reconnect>) -> (Played, Peer) {
        Played::serving(policy, &[])
    }

    /// As [`Played::new`], with a server that has these features.
    pub fn serving(policy: Option<Reconnect>, features: &[&'static str]) -> (Played, Peer) {
        let _watchdog = watchdog();
        let runtime = Runtime::new().expect("a runtime can be made");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let endpoint: Endpoint = format!("tcp:127.0.0.1:{port}").parse().expect("it is one");
        let mut builder = Client::builder(endpoint).user("ana").password("segredo");
        if let Some(policy) = policy {
            builder = builder.reconnect(policy);
        }
        let connecting = runtime.spawn(builder.connect());
        let mut peer = Peer::serving(&listener, features);
        assert_eq!(peer.login(), None);
        peer.answer_login(STREAM, 5);
        let connected = runtime.block_on(connecting).expect("it does not panic");
        let (client, events) = connected.expect("the login is answered");
        let played = Played {
            runtime,
            listener,
            client,
            events,
            _watchdog,
        };
        (played, peer)
    }

    pub fn next(&mut self) -> Option<Incoming> {
        self.runtime.block_on(self.events.next())
    }

    pub fn expect_message(&mut self, seq: u64) {
        match self.next() {
            Some(Incoming::Event(Event::Message {
                seq: Seq(found), ..
            })) => assert_eq!(found, seq),
            other => panic!("message {seq} comes: {other:?}"),
        }
    }

    pub fn expect_disconnected(&mut self) -> ClientError {
        match self.next() {
            Some(Incoming::Disconnected(error)) => error,
            other => panic!("the break is told: {other:?}"),
        }
    }

    /// Takes the next item that is no notice of a failed attempt.
    pub fn next_but_retries(&mut self) -> Option<Incoming> {
        loop {
            match self.next() {
                Some(Incoming::Retrying { .. }) => {}
                other => return other,
            }
        }
    }
}
