//! The NATS protocol, as far as it is needed.

use std::io::{Read, Write};

use anyhow::{Result, bail, ensure};

use super::Meter;
use super::uniform::Uniform;
use crate::net::{self, Socket};

/// The subject that is published to.
pub(super) const SUBJECT: &str = "s";

/// It asks once, two seconds after a connect, and would mind a missing answer
/// after minutes only: runs are over by then.
pub(super) const PING: &[u8] = b"PING\r\n";

/// Reads the line that the server begins with. A client that wants TLS begins it after that.
pub fn read_info(socket: impl Read) -> Result<()> {
    let line = net::read_line(socket)?;
    ensure!(line.starts_with("INFO"), "nats-server: {line}");
    Ok(())
}

/// Subscribes, and waits until that is known to be done.
pub fn subscribe(socket: &mut Socket, size: usize) -> Result<Meter> {
    subscribe_to(socket, SUBJECT)?;
    let head = format!("MSG {SUBJECT} 1 {size}\r\n");
    let messages = Uniform::new(head.len() + size + 2, head.as_bytes());
    Ok(messages.with_ping(PING).into())
}

/// Subscribes to a subject, which may be a pattern, and waits until that is known to be done.
pub fn subscribe_to(socket: &mut Socket, subject: &str) -> Result<()> {
    connect(socket, &format!("SUB {subject} 1\r\n"))
}

/// Connects without a subscription, to publish.
pub fn announce(socket: &mut Socket) -> Result<Meter> {
    connect(socket, "")?;
    Ok(Uniform::none().with_ping(PING).into())
}

/// One message.
pub fn publish(body: &str) -> Vec<u8> {
    publish_to(SUBJECT, body)
}

/// One message to a subject.
pub fn publish_to(subject: &str, body: &str) -> Vec<u8> {
    format!("PUB {subject} {}\r\n{body}\r\n", body.len()).into_bytes()
}

/// Subscribes to a subject as one of a queue group, and waits until that is known to be done.
/// Each message goes to one of the group.
pub fn subscribe_in_group(socket: &mut Socket, subject: &str) -> Result<()> {
    connect(socket, &format!("SUB {subject} group 1\r\n"))
}

/// A request to a subject, whose answer is to be published to `inbox`.
pub fn ask(subject: &str, inbox: &str, body: &str) -> Vec<u8> {
    format!("PUB {subject} {inbox} {}\r\n{body}\r\n", body.len()).into_bytes()
}

/// The same request as a responder gets it.
pub fn call(subject: &str, inbox: &str, body: &str) -> Vec<u8> {
    format!("MSG {subject} 1 {inbox} {}\r\n{body}\r\n", body.len()).into_bytes()
}

/// A message as a subscriber gets it.
pub fn message(subject: &str, body: &str) -> Vec<u8> {
    format!("MSG {subject} 1 {}\r\n{body}\r\n", body.len()).into_bytes()
}

/// Connects, sends what `then` has, and waits until that is done.
pub(super) fn connect(socket: &mut Socket, then: &str) -> Result<()> {
    let options = r#"{"verbose":false,"pedantic":false,"echo":false}"#;
    let hello = format!("CONNECT {options}\r\n{then}PING\r\n");
    socket.write_all(hello.as_bytes())?;
    loop {
        match net::read_line(&mut *socket)?.as_str() {
            "PONG" => return Ok(()),
            line if line.starts_with("INFO") || line == "PING" => {}
            line => bail!("nats-server: {line}"),
        }
    }
}
