//! MQTT 3.1.1, as far as it is needed: everything at QoS 0.

use std::io::{Read, Write};

use anyhow::{Result, ensure};

use super::Meter;
use super::uniform::Uniform;
use crate::net::Socket;

/// The topic that is published to.
const TOPIC: &str = "s";

/// Subscribes, and waits until that is done.
pub fn subscribe(socket: &mut Socket, size: usize) -> Result<Meter> {
    subscribe_to(socket, TOPIC)?;
    let message = publish(&"x".repeat(size));
    let head = &message[..message.len() - size];
    Ok(Uniform::new(message.len(), head).into())
}

/// Subscribes to the topics that a filter matches, and waits until that is done.
pub fn subscribe_to(socket: &mut Socket, filter: &str) -> Result<()> {
    connect(socket)?;
    let mut payload = b"\0\x01".to_vec(); // the packet's id
    payload.extend_from_slice(&string(filter));
    payload.push(0); // at QoS 0
    exchange(socket, &packet(0x82, &payload), b"\x90\x03\0\x01\0")
}

/// Connects without a subscription, to publish.
pub fn announce(socket: &mut Socket) -> Result<Meter> {
    connect(socket)?;
    Ok(Uniform::none().into())
}

/// One message; it arrives as the same bytes.
pub fn publish(body: &str) -> Vec<u8> {
    publish_to(TOPIC, body)
}

/// One message to a topic; it arrives as the same bytes.
pub fn publish_to(topic: &str, body: &str) -> Vec<u8> {
    packet(0x30, &[&string(topic), body.as_bytes()].concat())
}

/// A text with its length before it.
fn string(text: &str) -> Vec<u8> {
    let length = text.len() as u16; // topics are short
    [&length.to_be_bytes(), text.as_bytes()].concat()
}

fn connect(socket: &mut Socket) -> Result<()> {
    // A clean session, no keep-alive, a client id of the server's choice.
    let hello = packet(0x10, b"\0\x04MQTT\x04\x02\0\0\0\0");
    exchange(socket, &hello, b"\x20\x02\0\0")
}

fn exchange(socket: &mut Socket, packet: &[u8], expected: &[u8]) -> Result<()> {
    socket.write_all(packet)?;
    let mut answer = vec![0; expected.len()];
    socket.read_exact(&mut answer)?;
    ensure!(answer == expected, "mosquitto: {answer:?}");
    Ok(())
}

fn packet(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    let mut left = payload.len();
    loop {
        let digit = (left % 128) as u8;
        left /= 128;
        bytes.push(if left > 0 { digit | 0x80 } else { digit });
        if left == 0 {
            break;
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}
