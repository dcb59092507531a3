//! arauto's side of the wire: one account, any number of sessions.

mod services;
mod stream;

use std::borrow::Cow;
use std::io::{Read, Write};

use anyhow::{Context, Result, bail};
use arauto::wire::{
    Body, ClientFrame, Decoded, Login, LoginOptions, Message, Millis, Publish, ReplyFrame, Request,
    Seq, ServerFrame, Subscribe, cbor,
};

use crate::meter::show;
use crate::net::Socket;
pub use services::{PASSED, answer, call, offer, reply_of, request_to};
pub use stream::Stream;

/// All sessions are of this user: only the first login of a name hashes a password, and
/// no run measures that.
const USER: &str = "ana";
const PASSWORD: &str = "segredo";

/// The user that publishes, so that readers may be as many as a user's sessions.
const PUBLISHER: &str = "eva";

/// As wide on the wire as a real client's ids are after a while.
const ID: u64 = 1_000_000;

/// Logs in, and returns the seq after which this session's broadcasts begin.
pub fn log_in(socket: &mut Socket) -> Result<u64> {
    log_in_as(socket, USER, None)
}

/// The same with a filter: the session gets the messages whose topics match one of its patterns,
/// and no announcement of who is present.
pub fn log_in_with_filter(socket: &mut Socket, filter: &[String]) -> Result<u64> {
    log_in_as(socket, USER, Some(filter))
}

/// Logs in a session that gets no broadcast, as a user of its own.
pub fn log_in_as_publisher(socket: &mut Socket) -> Result<u64> {
    log_in_as(socket, PUBLISHER, Some(&[]))
}

fn log_in_as(socket: &mut Socket, user: &str, filter: Option<&[String]>) -> Result<u64> {
    let options = filter.map(|filter| LoginOptions {
        filter: Some(filter.iter().map(Cow::from).collect()),
        ..LoginOptions::default()
    });
    let login = encode_client(&ClientFrame::Login(Box::new(Login {
        id: 1,
        user: Cow::Borrowed(user),
        password: Cow::Borrowed(PASSWORD),
        resume: None,
        options: options.map(Box::new),
    })));
    socket.write_all(&login)?;
    loop {
        let bytes = read_frame(socket)?;
        match decode(&bytes)? {
            ServerFrame::Welcome(_) => {}
            ServerFrame::LoggedIn(logged_in) => return Ok(logged_in.seq.0),
            other => bail!("instead of logged_in: {other:?}"),
        }
    }
}

/// Waits for the first frame of a session.
pub fn welcome(socket: &mut Socket) -> Result<()> {
    match decode(&read_frame(socket)?)? {
        ServerFrame::Welcome(_) => Ok(()),
        other => bail!("instead of welcome: {other:?}"),
    }
}

fn read_frame(socket: &mut Socket) -> Result<Vec<u8>> {
    let mut bytes = vec![0; cbor::PREFIX];
    socket.read_exact(&mut bytes)?;
    let length = cbor::announced_length(&bytes).context("no prefix")?;
    bytes.resize(cbor::PREFIX + length, 0);
    socket.read_exact(&mut bytes[cbor::PREFIX..])?;
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<ServerFrame<'_>> {
    match cbor::decode_server(bytes, usize::MAX)? {
        Decoded::Frame(frame, _) => Ok(frame),
        _ => bail!("half a frame: {:?}", show(bytes)),
    }
}

/// Encodes a frame that publishes `body`.
pub fn publish(body: &str) -> Vec<u8> {
    encode_client(&ClientFrame::Publish(Publish::new(ID, Body::text(body))))
}

/// Encodes a frame that publishes `body` to a topic.
pub fn publish_to(topic: &str, body: &str) -> Vec<u8> {
    let mut publish = Publish::new(ID, Body::text(body));
    publish.topic = Some(Cow::Borrowed(topic));
    encode_client(&ClientFrame::Publish(publish))
}

/// Encodes a frame that subscribes to patterns.
pub fn subscribe(patterns: &[String]) -> Vec<u8> {
    encode_client(&ClientFrame::Subscribe(Box::new(Subscribe {
        id: ID,
        add: patterns.iter().map(Cow::from).collect(),
        remove: Vec::new(),
        kept: None,
    })))
}

/// Encodes a request with `body`.
pub fn request(body: &str) -> Vec<u8> {
    encode_client(&ClientFrame::Request(Request::new(ID, Body::text(body))))
}

/// Encodes the reply to a request with `body`.
pub fn reply(body: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let reply = ReplyFrame::new(ID, Body::text(body));
    cbor::encode(&ServerFrame::Reply(reply), &mut bytes);
    bytes
}

fn encode_client(frame: &ClientFrame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    cbor::encode(frame, &mut bytes);
    bytes
}

/// Encodes the frame in which a reader gets a body of `size` bytes as number `seq`.
pub fn message(seq: u64, size: usize) -> Vec<u8> {
    message_to(seq, size, None)
}

/// The same with a topic.
fn message_to(seq: u64, size: usize, topic: Option<&str>) -> Vec<u8> {
    let body = "x".repeat(size);
    let mut bytes = Vec::new();
    let mut message = Message::new(Seq(seq), USER, Millis::now(), Body::text(&body));
    message.topic = topic.map(Cow::Borrowed);
    cbor::encode(&ServerFrame::Message(message), &mut bytes);
    bytes
}

/// A session without broadcasts, whose frames are written and answered one after the other.
#[derive(Debug)]
pub struct Subscriber(Socket);

impl Subscriber {
    /// Logs in.
    pub fn log_in(mut socket: Socket) -> Result<Subscriber> {
        log_in_as_publisher(&mut socket)?;
        Ok(Subscriber(socket))
    }

    /// Writes frames, and waits for as many answers.
    pub fn exchange(&mut self, frames: &[u8], answers: u64) -> Result<()> {
        self.0.write_all(frames)?;
        let mut answered = 0;
        while answered < answers {
            match decode(&read_frame(&mut self.0)?)? {
                ServerFrame::Published(_) | ServerFrame::Subscribed(_) => answered += 1,
                ServerFrame::Passed(_) => {}
                other => bail!("instead of an answer: {other:?}"),
            }
        }
        Ok(())
    }
}
