//! The frames of services.

use std::borrow::Cow;
use std::io::Write;

use anyhow::{Result, bail};
use arauto::wire::{
    AnswerFrame, Body, CallFrame, ClientFrame, Offer, ReplyFrame, ReplyOptions, Request,
    RequestOptions, ServerFrame, cbor,
};

use super::{PUBLISHER, USER, decode, encode_client, log_in_with_filter, read_frame};
use crate::net::Socket;

/// The beginning of a `passed`, which a session with a filter may get at any time.
pub const PASSED: &[u8] = b"\xa1\x66passed";

/// The time that a call has, in milliseconds, as its request names none.
const TIMEOUT: u64 = 30_000;

/// Logs in a session without broadcasts that offers a service, with `limit` calls in work at
/// the most.
pub fn offer(socket: &mut Socket, service: &str, limit: usize) -> Result<()> {
    log_in_with_filter(socket, &[])?;
    socket.write_all(&encode_client(&ClientFrame::Offer(Offer {
        id: 2,
        service: Cow::Borrowed(service),
        limit: Some(limit as u64),
    })))?;
    loop {
        match decode(&read_frame(socket)?)? {
            ServerFrame::Offered(_) => return Ok(()),
            ServerFrame::Passed(_) => {}
            other => bail!("instead of offered: {other:?}"),
        }
    }
}

/// Encodes a request to a service.
pub fn request_to(service: &str, id: u32, body: &str) -> Vec<u8> {
    let mut request = Request::new(id.into(), Body::text(body));
    request.options = Some(Box::new(RequestOptions {
        service: Some(Cow::Borrowed(service)),
        ..RequestOptions::default()
    }));
    encode_client(&ClientFrame::Request(request))
}

/// Encodes the reply to it.
pub fn reply_of(id: u32, body: &str) -> Vec<u8> {
    let mut reply = ReplyFrame::new(id.into(), Body::text(body));
    reply.options = Some(Box::new(ReplyOptions {
        from: Some(Cow::Borrowed(USER)),
        ..ReplyOptions::default()
    }));
    encode_server(&ServerFrame::Reply(reply))
}

/// Encodes a request as its responder gets it.
pub fn call(service: &str, call: u64, body: &str) -> Vec<u8> {
    encode_server(&ServerFrame::Call(CallFrame {
        call,
        service: Cow::Borrowed(service),
        from: Cow::Borrowed(PUBLISHER),
        body: Body::text(body),
        remaining: TIMEOUT,
        headers: None,
    }))
}

/// Encodes the answer to a call.
pub fn answer(call: u64, body: &str) -> Vec<u8> {
    encode_client(&ClientFrame::Answer(AnswerFrame {
        call,
        result: Ok((Body::text(body), None)),
    }))
}

fn encode_server(frame: &ServerFrame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    cbor::encode(frame, &mut bytes);
    bytes
}
