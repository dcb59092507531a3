//! How each system passes a request to a responder, and the answer back.

use std::io::{Read, Write};

use anyhow::{Result, bail};

use super::numbered::{DIGITS, ID};
use super::{Caller, Kind, Responder, Service};
use crate::net::Socket;
use crate::peer::{System, arauto, nats, redis};

const ARAUTO: Kind = Kind {
    is_prefixed: true,
    skipped: Some(arauto::PASSED),
};

const NATS: Kind = Kind {
    is_prefixed: false,
    skipped: Some(nats::PING),
};

/// The answers to LPUSH, which are numbers, are skipped.
const REDIS: Kind = Kind {
    is_prefixed: false,
    skipped: Some(b":"),
};

const RELAY: Kind = Kind {
    is_prefixed: true,
    skipped: None,
};

impl System {
    /// Makes this connection a caller of a service.
    pub fn call(self, socket: &mut Socket, service: &Service, caller: usize) -> Result<Caller> {
        let body = service.body(caller);
        match self {
            System::Arauto => {
                arauto::log_in_as_publisher(socket)?;
                let request = arauto::request_to(&service.name, ID, &body);
                Ok(Caller::new(ARAUTO, request, arauto::reply_of(ID, &body)))
            }
            System::Nats | System::NatsDebian => {
                nats::subscribe_to(socket, &inbox(service, caller, "*"))?;
                let inbox = inbox(service, caller, DIGITS);
                let request = nats::ask(&service.name, &inbox, &body);
                Ok(Caller::new(NATS, request, nats::message(&inbox, &body)))
            }
            System::Redis => {
                let list = list(service, caller);
                let mut request =
                    redis::command(&["LPUSH", &service.name, &(list.clone() + &body)]);
                request.extend(redis::command(&["BRPOP", &list, "0"]));
                Ok(Caller::new(REDIS, request, redis::popped(&list, &body)))
            }
            System::Relay => {
                announce(socket, b"c")?;
                let frame = prefixed(body.as_bytes());
                Ok(Caller::new(RELAY, frame.clone(), frame))
            }
            _ => bail!("{} has no services", self.name()),
        }
    }

    /// Makes this connection one of the responders of a service, which have `limit` calls at a
    /// time at the most.
    pub fn offer(self, socket: &mut Socket, service: &Service, limit: usize) -> Result<Responder> {
        let body = service.body(0);
        match self {
            System::Arauto => {
                arauto::offer(socket, &service.name, limit)?;
                let call = arauto::call(&service.name, ID.into(), &body);
                let answer = arauto::answer(ID.into(), &body);
                // A CBOR unsigned integer of four bytes.
                let key = [&[0x1a], &ID.to_be_bytes()[..]].concat();
                Responder::new(ARAUTO, &call, &answer, &key, &body)
            }
            System::Nats | System::NatsDebian => {
                nats::subscribe_in_group(socket, &service.name)?;
                let inbox = inbox(service, 0, DIGITS);
                let call = nats::call(&service.name, &inbox, &body);
                let answer = nats::publish_to(&inbox, &body);
                Responder::new(NATS, &call, &answer, inbox.as_bytes(), &body)
            }
            System::Redis => {
                let pop = redis::command(&["BRPOP", &service.name, "0"]);
                socket.write_all(&pop)?;
                let list = list(service, 0);
                let call = redis::popped(&service.name, &(list.clone() + &body));
                let mut answer = redis::command(&["LPUSH", &list, &body]);
                answer.extend(pop);
                Responder::new(REDIS, &call, &answer, list.as_bytes(), &body)
            }
            System::Relay => {
                announce(socket, b"r")?;
                let key = ID.to_be_bytes();
                let frame = prefixed(&[&key, body.as_bytes()].concat());
                Responder::new(RELAY, &frame, &frame, &key, &body)
            }
            _ => bail!("{} has no services", self.name()),
        }
    }
}

/// Returns the subject of the reply to a call. A caller subscribes once to those of all its
/// calls, as NATS's own clients do.
fn inbox(service: &Service, caller: usize, call: &str) -> String {
    format!("_INBOX.{:05}.{caller:04}.{call}", service.run)
}

/// Returns the list of the replies to one caller.
fn list(service: &Service, caller: usize) -> String {
    format!("replies-{:05}-{caller:04}", service.run)
}

/// Tells the bare relay the role of a connection.
fn announce(socket: &mut Socket, role: &[u8; 1]) -> Result<()> {
    socket.write_all(role)?;
    Ok(socket.read_exact(&mut [0])?)
}

fn prefixed(content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes(), content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_to_a_call_number_of_any_width_is_the_wire_frame() {
        let service = Service::new(128);
        let body = service.body(7);
        let key = [&[0x1a], &ID.to_be_bytes()[..]].concat();
        let call = arauto::call(&service.name, ID.into(), &body);
        let answer = arauto::answer(ID.into(), &body);
        let responder = Responder::new(ARAUTO, &call, &answer, &key, &body).expect("samples");
        let mut out = Vec::new();
        for number in [0, 23, 24, 255, 256, 65_535, 65_536, 1 << 33] {
            out.clear();
            let call = arauto::call(&service.name, number, &body);
            let answered = responder.answers.answer(&call, &mut out);
            answered.expect("a call");
            assert_eq!(out, arauto::answer(number, &body), "call {number}");
        }
    }
}
