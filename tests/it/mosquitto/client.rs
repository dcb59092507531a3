//! A client of MQTT 5, as far as the comparison needs it: everything is at QoS 0.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use super::broker::Broker;

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;

/// The property of a subscription's identifier (MQTT 5, section 3.8.2.1.2).
const SUBSCRIPTION_IDENTIFIER: u8 = 0x0b;

/// The topic of the last message. Its arrival shows that all other messages have arrived.
const END: &str = "the end";

pub struct MqttClient {
    stream: UnixStream,
}

impl MqttClient {
    pub fn connect(broker: &Broker) -> MqttClient {
        let mut client = MqttClient {
            stream: broker.connect(),
        };
        // Clean start, no keep-alive, no properties, and a client id that the server chooses.
        client.send(CONNECT, b"\0\x04MQTT\x05\x02\0\0\0\0\0");
        let (kind, answer) = client.receive().expect("mosquitto answers");
        assert_eq!((kind, answer[1]), (CONNACK, 0), "{answer:?}");
        client
    }

    /// Whether the broker accepts a pattern. The broker answers a wrong pattern with an error code,
    /// or ends the session.
    pub fn may_subscribe(mut self, pattern: &str) -> bool {
        self.send_subscribe(pattern, 1);
        match self.receive() {
            Some((SUBACK, answer)) => answer.last().is_some_and(|reason| *reason < 0x80),
            _ => false,
        }
    }

    /// Returns for each topic the indexes of the patterns that match it.
    pub fn matches(&mut self, patterns: &[String], topics: &[String]) -> Vec<BTreeSet<usize>> {
        let last = patterns.len() + 1;
        for (identifier, pattern) in (1..).zip(patterns) {
            self.send_subscribe(pattern, identifier);
        }
        self.send_subscribe(END, last);
        for _ in 0..last {
            let (kind, answer) = self.receive().expect("mosquitto answers");
            let reason = answer.last().copied();
            assert_eq!((kind, reason), (SUBACK, Some(0)), "{answer:?}");
        }
        for topic in topics {
            self.send_publish(topic);
        }
        self.send_publish(END);
        let mut found = vec![BTreeSet::new(); topics.len()];
        loop {
            let (kind, packet) = self.receive().expect("mosquitto sends every message back");
            assert_eq!(kind, PUBLISH);
            let (topic, identifiers) = published(&packet);
            if topic == END {
                if identifiers.contains(&last) {
                    return found;
                }
                continue; // sent for other patterns that match this topic
            }
            let place = topics.iter().position(|known| *known == topic);
            let found = &mut found[place.expect("the topic was published")];
            found.extend(identifiers.iter().map(|identifier| identifier - 1));
        }
    }

    fn send_subscribe(&mut self, pattern: &str, identifier: usize) {
        let mut payload = b"\0\x01".to_vec(); // the packet identifier
        let mut properties = vec![SUBSCRIPTION_IDENTIFIER];
        put_number(identifier, &mut properties);
        put_number(properties.len(), &mut payload);
        payload.extend_from_slice(&properties);
        put_text(pattern, &mut payload);
        payload.push(0); // at QoS 0
        self.send(SUBSCRIBE, &payload);
    }

    fn send_publish(&mut self, topic: &str) {
        let mut payload = Vec::new();
        put_text(topic, &mut payload);
        payload.push(0); // no properties
        self.send(PUBLISH, &payload);
    }

    fn send(&mut self, kind: u8, payload: &[u8]) {
        let mut packet = vec![kind];
        put_number(payload.len(), &mut packet);
        packet.extend_from_slice(payload);
        self.stream
            .write_all(&packet)
            .expect("the connection to mosquitto is open");
    }

    /// Returns the next packet's kind and content; `None` at the end of the stream.
    fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        let kind = self.byte()?;
        let (mut length, mut shift) = (0, 0);
        loop {
            let digit = self.byte()?;
            length |= usize::from(digit & 0x7f) << shift;
            shift += 7;
            if digit & 0x80 == 0 {
                break;
            }
        }
        let mut content = vec![0; length];
        self.stream.read_exact(&mut content).ok()?;
        Some((kind, content))
    }

    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).ok()?;
        Some(byte[0])
    }
}

/// Returns a message's topic, and the identifiers of the subscriptions that match it.
fn published(packet: &[u8]) -> (String, Vec<usize>) {
    let (length, rest) = packet.split_first_chunk().expect("the packet has a topic");
    let (topic, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
    let (length, rest) = take_number(rest);
    let mut properties = &rest[..length];
    let mut identifiers = Vec::new();
    while let Some((property, value)) = properties.split_first() {
        assert_eq!(*property, SUBSCRIPTION_IDENTIFIER);
        let (identifier, rest) = take_number(value);
        identifiers.push(identifier);
        properties = rest;
    }
    let topic = String::from_utf8(topic.to_vec()).expect("the topic is text");
    (topic, identifiers)
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    let length = u16::try_from(text.len()).expect("topics and patterns are short");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Appends a variable byte integer (MQTT 5, section 1.5.5).
fn put_number(mut value: usize, out: &mut Vec<u8>) {
    loop {
        let digit = (value % 128) as u8;
        value /= 128;
        out.push(if value > 0 { digit | 0x80 } else { digit });
        if value == 0 {
            return;
        }
    }
}

/// Returns the variable byte integer at the start, and the bytes after it.
fn take_number(bytes: &[u8]) -> (usize, &[u8]) {
    let end = bytes.iter().position(|digit| digit & 0x80 == 0);
    let (digits, rest) = bytes.split_at(end.expect("the last digit has no continuation bit") + 1);
    let digits = digits.iter().rev();
    let value = digits.fold(0, |value, digit| value << 7 | usize::from(digit & 0x7f));
    (value, rest)
}
