//! Requests by hand: one a connection, as the endpoint serves them.

use std::io::{Read, Write};
use std::net::TcpStream;

use arauto::Endpoint;
use serde_json::Value;

use crate::support::os;

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The head's lines behind the first one, in lower case.
    pub headers: Vec<String>,
    pub body: String,
}

impl Answer {
    /// Parses an answer that was read to its end.
    pub fn parse(bytes: &[u8]) -> Option<Answer> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        Some(Answer {
            status,
            headers: lines.map(str::to_lowercase).collect(),
            body: body.to_owned(),
        })
    }

    /// Returns the value of a header, in lower case.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let mut pairs = self.headers.iter().filter_map(|line| line.split_once(": "));
        let found = pairs.find(|(found, _)| *found == name);
        found.unwrap_or_else(|| panic!("no {name}: {self:?}")).1
    }

    /// Returns the body, which is JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let is_json = "content-type: application/json".to_owned();
        assert!(self.headers.contains(&is_json), "{self:?}");
        serde_json::from_str(&self.body).expect("the body is json")
    }
}

/// Sends a request without a body, and reads the answer.
#[track_caller]
pub fn get(endpoint: &Endpoint, path: &str) -> Answer {
    get_with(endpoint, path, "")
}

/// As [`get`], with a body to a path that takes one, and more lines of the head.
#[track_caller]
pub fn post(endpoint: &Endpoint, path: &str, head: &str, body: &str) -> Answer {
    let length = body.len();
    let first = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n");
    let request = format!("{first}content-length: {length}\r\n{head}\r\n{body}");
    exchange(endpoint, &request).expect("it answers")
}

/// As [`get`], with more lines of the head, each of which ends in CR LF.
#[track_caller]
pub fn get_with(endpoint: &Endpoint, path: &str, head: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{head}\r\n");
    exchange(endpoint, &request).expect("it answers")
}

/// Sends a request to a loopback port; `head` is all of the head but for its first line, and each line
/// of it ends in CR LF.
#[track_caller]
pub fn get_over_tcp(port: u16, path: &str, head: &str) -> Answer {
    exchange_over_tcp(port, &format!("GET {path} HTTP/1.1\r\n{head}\r\n"))
}

/// As [`get_over_tcp`], with a body.
#[track_caller]
pub fn post_over_tcp(port: u16, path: &str, head: &str, body: &str) -> Answer {
    let length = body.len();
    let first = format!("POST {path} HTTP/1.1\r\ncontent-length: {length}\r\n");
    exchange_over_tcp(port, &format!("{first}{head}\r\n{body}"))
}

#[track_caller]
fn exchange_over_tcp(port: u16, request: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it is open");
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .expect("it closes the connection");
    Answer::parse(&answer).expect("it is an answer")
}

/// Sends these bytes, and reads to the end. `None`: there was no answer.
#[track_caller]
pub fn exchange(endpoint: &Endpoint, request: &str) -> Option<Answer> {
    let mut stream = os::connect(endpoint).expect("the admin endpoint is open");
    // The server may have closed the connection before it has read all.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // what came before the end counts
    Answer::parse(&answer)
}
