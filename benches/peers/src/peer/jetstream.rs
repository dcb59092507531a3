//! JetStream, nats-server's streams on disk, as far as it is needed: publishes that are
//! acknowledged.

use std::io::{Read, Write};

use anyhow::{Result, bail, ensure};

use super::nats::{self, PING, SUBJECT};
use crate::meter::{Count, Grammar, show};
use crate::net::{self, Socket};

/// The stream that holds everything that is published.
const STREAM: &str = r#"{"name":"S","subjects":["s"],"storage":"file","retention":"limits","discard":"old","num_replicas":1}"#;

/// Creates the stream.
pub fn create_stream(socket: &mut Socket) -> Result<()> {
    let inbox = subscribe_to_answers(socket, 0)?;
    let length = STREAM.len();
    let request = format!("PUB $JS.API.STREAM.CREATE.S {inbox} {length}\r\n{STREAM}\r\n");
    socket.write_all(request.as_bytes())?;
    let head = net::read_line(&mut *socket)?;
    let Some(length) = payload_length(&head) else {
        bail!("nats-server: {head}");
    };
    let mut answer = vec![0; length];
    socket.read_exact(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    ensure!(!answer.contains("\"error\""), "nats-server: {answer}");
    Ok(())
}

/// Subscribes to the acknowledgements of one publisher, and returns what it writes for a
/// message.
pub fn publisher(socket: &mut Socket, index: usize, body: &str) -> Result<Vec<u8>> {
    let inbox = subscribe_to_answers(socket, index)?;
    let frame = format!("PUB {SUBJECT} {inbox} {}\r\n{body}\r\n", body.len());
    Ok(frame.into_bytes())
}

fn subscribe_to_answers(socket: &mut Socket, index: usize) -> Result<String> {
    let inbox = format!("_INBOX.{index}");
    nats::connect(socket, &format!("SUB {inbox} 1\r\n"))?;
    Ok(inbox)
}

/// Returns the length of the payload after a `MSG` line.
fn payload_length(line: &str) -> Option<usize> {
    let (_, length) = line.strip_prefix("MSG ")?.rsplit_once(' ')?;
    length.parse().ok()
}

/// A publisher's stream of acknowledgements.
#[derive(Debug)]
pub struct Acknowledgements;

impl Grammar for Acknowledgements {
    fn leap(&mut self, _: &[u8], _: &mut Count) -> usize {
        0 // they differ in length
    }

    fn frame(&mut self, bytes: &[u8], count: &mut Count) -> Result<Option<usize>> {
        let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") else {
            return Ok(None);
        };
        let head = end + 2;
        if bytes.starts_with(PING) {
            count.pings += 1;
            return Ok(Some(head));
        }
        let Some(length) = payload_length(&String::from_utf8_lossy(&bytes[..end])) else {
            bail!("not an acknowledgement: {:?}", show(bytes));
        };
        let total = head + length + 2;
        let Some(payload) = bytes.get(head..total) else {
            return Ok(None);
        };
        // {"stream":"S","seq":1}, or {"stream":"S","error":{…}}
        let text = String::from_utf8_lossy(payload);
        ensure!(
            text.contains("\"seq\":") && !text.contains("\"error\""),
            "nats-server: {text}"
        );
        count.answers += 1;
        Ok(Some(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Meter;

    fn acknowledgement(payload: &str) -> String {
        format!("MSG _INBOX.7 1 {}\r\n{payload}\r\n", payload.len())
    }

    #[test]
    fn acknowledgements_of_any_length_are_counted_at_any_read_boundary() {
        let mut text = String::new();
        for seq in [1, 9, 10, 12_345, 1_000_000] {
            text += &acknowledgement(&format!(r#"{{"stream":"S","seq":{seq}}}"#));
            text += "PING\r\n";
        }
        for cut in [1, 2, 7, 40, text.len()] {
            let mut meter = Meter::new(Acknowledgements);
            for read in text.as_bytes().chunks(cut) {
                meter.feed(read).expect("acknowledgements");
            }
            assert_eq!(meter.count().answers, 5, "cut at {cut}");
            assert_eq!(meter.count().pings, 5, "cut at {cut}");
            assert!(meter.is_even());
        }
    }

    #[test]
    fn publish_that_is_refused_is_an_error() {
        let refusal = acknowledgement(r#"{"stream":"S","error":{"code":503},"seq":0}"#);
        assert!(
            Meter::new(Acknowledgements)
                .feed(refusal.as_bytes())
                .is_err()
        );
    }
}
