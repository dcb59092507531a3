//! RESP, as far as it is needed.

use std::io::{Read, Write};

use anyhow::{Result, ensure};

use super::Meter;
use super::uniform::Uniform;
use crate::meter::show;
use crate::net::{self, Socket};

/// The channel that is published to.
pub const CHANNEL: &str = "s";

/// Subscribes, and waits until that is done.
pub fn subscribe(socket: &mut Socket, size: usize) -> Result<Meter> {
    subscribe_to(socket, "subscribe", CHANNEL)?;
    let head = format!("*3\r\n$7\r\nmessage\r\n$1\r\n{CHANNEL}\r\n${size}\r\n");
    let messages = Uniform::new(head.len() + size + 2, head.as_bytes());
    Ok(messages.into())
}

/// Subscribes to one channel, or by `psubscribe` to those that match, and waits until that is done.
pub fn subscribe_to(socket: &mut Socket, how: &str, channel: &str) -> Result<()> {
    socket.write_all(&command(&[how, channel]))?;
    let mut expected = command(&[how, channel, ""]);
    expected.truncate(expected.len() - bulk("").len());
    expected.extend_from_slice(b":1\r\n");
    let mut answer = vec![0; expected.len()];
    socket.read_exact(&mut answer)?;
    ensure!(answer == expected, "redis-server: {:?}", show(&answer));
    Ok(())
}

/// Asks whether the server answers.
pub fn ping(socket: &mut Socket) -> Result<()> {
    socket.write_all(&command(&["PING"]))?;
    let line = net::read_line(socket)?;
    ensure!(line == "+PONG", "redis-server: {line}");
    Ok(())
}

/// The answer to a publish that reached `readers`.
pub fn answer(readers: usize) -> String {
    format!(":{readers}\r\n")
}

/// A command with its arguments.
pub fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(bulk(word));
    }
    bytes
}

/// The answer to a BRPOP.
pub fn popped(list: &str, value: &str) -> Vec<u8> {
    command(&[list, value]) // commands are arrays of bulk strings too
}

/// One bulk string.
pub fn bulk(text: &str) -> Vec<u8> {
    format!("${}\r\n{text}\r\n", text.len()).into_bytes()
}
