//! Sessions that make and answer calls until the server closes them, each on a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use arauto::Endpoint;
use serde_cbor::Value;

use super::{SERVICE, USERS, body_of, parse_reply, reply_of};
use crate::support::{Frame, FrameClient, PASSWORD, ask, login, os, request, text};

/// The calls of a caller without an answer.
const WINDOW: usize = 6;

/// How long an answer counts, in milliseconds. The stop waits no longer than this for a responder that
/// does not answer.
const TIMEOUT: i128 = 200;

/// The most calls that a responder has in work.
const LIMIT: i128 = 8;

/// The behaviour of a responder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Answers each call at once.
    AtOnce,
    /// Answers a call when the next one comes.
    OneBehind,
    /// Answers each call twice.
    Twice,
    /// Answers with errors of its own.
    Failing,
    /// Never answers.
    Silent,
    /// Ends its session with `fim` when the stop begins.
    Leaving,
    /// Breaks the connection when the stop begins.
    Breaking,
}

/// The record of a responder.
pub(super) struct Responder {
    pub(super) number: usize,
    pub(super) manner: Manner,
    pub(super) session: u64,
    /// The calls that it got.
    pub(super) calls: BTreeSet<String>,
    /// How many of them were cancelled.
    pub(super) cancelled: u64,
}

/// The record of a caller.
#[derive(Default)]
pub(super) struct Caller {
    pub(super) session: u64,
    /// The responder of each call with a reply.
    pub(super) replied: BTreeMap<String, usize>,
    /// The code of each call with an error.
    pub(super) failed: BTreeMap<String, String>,
    /// The calls that were refused because of the stop.
    pub(super) refused: u64,
    /// The calls without any answer.
    pub(super) unread: usize,
    /// The counts of `closing`.
    pub(super) closing: (u64, u64),
}

/// Logs in without broadcasts. Returns the session's number too.
pub(super) fn log_in(endpoint: &Endpoint, number: usize) -> (FrameClient, u64) {
    let mut client = FrameClient::local(os::connect(endpoint).expect("the server listens"));
    let session = client.expect("welcome").num("session");
    let user = format!("user{}", number % USERS);
    let filter = Value::Array(Vec::new());
    client.send(&login(0, &user, PASSWORD).with("filter", filter));
    client.expect("logged_in");
    (client, session)
}

/// Offers the service.
pub(super) fn offer(client: &mut FrameClient) {
    let offer = ask("offer", 1).with("service", text(SERVICE));
    client.send(&offer.with("limit", Value::Integer(LIMIT)));
    client.skip_to("offered");
}

/// Answers calls until `closing`, or until it breaks the connection.
pub(super) fn answer_calls(
    mut client: FrameClient,
    session: u64,
    number: usize,
    manner: Manner,
) -> Responder {
    let mut calls = BTreeSet::new();
    let (mut last, mut cancelled) = (None, 0);
    loop {
        let frame = client.recv().expect("closing comes before the end");
        match frame.name.as_str() {
            "call" => {
                let body = frame.text("body").to_owned();
                let call = frame.num("call");
                for answer in answers(manner, number, (call, body.clone()), &mut last) {
                    // The server may have closed the connection.
                    let _ = client.try_send(&answer.bytes());
                }
                assert!(calls.insert(body), "it gets each call once");
            }
            "stopping" if manner == Manner::Breaking => break,
            "stopping" if manner == Manner::Leaving => {
                let _ = client.try_send(&ask("fim", 2).bytes());
            }
            "cancelled" => cancelled += 1,
            "stopping" | "passed" => {}
            "closing" => {
                client.expect_end();
                break;
            }
            other => panic!("nobody asked for {other}"),
        }
    }
    Responder {
        number,
        manner,
        session,
        calls,
        cancelled,
    }
}

/// Returns the answers of a responder that has got a call. `last` is the one before.
fn answers(
    manner: Manner,
    number: usize,
    (call, body): (u64, String),
    last: &mut Option<(u64, String)>,
) -> Vec<Frame> {
    let reply = |(call, body): (u64, String)| {
        let body = ("body", text(&reply_of(number, &body)));
        Frame::new("answer", [("call", Value::Integer(call.into())), body])
    };
    match manner {
        Manner::AtOnce | Manner::Leaving | Manner::Breaking => vec![reply((call, body))],
        Manner::OneBehind => last.replace((call, body)).map(reply).into_iter().collect(),
        Manner::Twice => vec![reply((call, body)); 2],
        Manner::Failing => {
            let error = [("code", text("no")), ("message", text("never"))];
            let error = (
                "error",
                Value::Map(error.map(|(key, value)| (text(key), value)).into()),
            );
            let call = ("call", Value::Integer(call.into()));
            vec![Frame::new("answer", [call, error])]
        }
        Manner::Silent => Vec::new(),
    }
}

/// Makes calls until `closing`. `ended` counts those of all callers that have ended.
pub(super) fn make_calls(
    mut client: FrameClient,
    session: u64,
    number: usize,
    ended: &AtomicU64,
) -> Caller {
    let mut caller = Caller {
        session,
        ..Caller::default()
    };
    let mut open = BTreeSet::new();
    for id in 0.. {
        open.insert(id);
        let call = request(id, text(&body_of(number, id))).with("service", text(SERVICE));
        let call = call.with("timeout", Value::Integer(TIMEOUT));
        let _ = client.try_send(&call.bytes()); // the server may have closed the connection
        while open.len() >= WINDOW {
            let frame = client.recv().expect("closing comes before the end");
            if caller.take(&frame, number, &mut open) {
                ended.fetch_add(1, Ordering::Relaxed);
            }
            if frame.is("closing") {
                client.expect_end();
                caller.unread = open.len();
                return caller;
            }
        }
    }
    unreachable!("a caller has less than 2^64 calls")
}

impl Caller {
    /// Records a frame. Returns whether it is the end of a call.
    fn take(&mut self, frame: &Frame, number: usize, open: &mut BTreeSet<u64>) -> bool {
        let mut end = || {
            let id = frame.num("id");
            assert!(open.remove(&id), "{frame:?}: a call ends once");
            body_of(number, id)
        };
        match frame.name.as_str() {
            "reply" => {
                let (responder, call) = parse_reply(frame.text("body"));
                assert_eq!(call, end(), "the reply is to this call");
                self.replied.insert(call.to_owned(), responder);
            }
            "error" if frame.text("code") == "stopping" => {
                end();
                self.refused += 1;
            }
            "error" => {
                self.failed.insert(end(), frame.text("code").to_owned());
            }
            "stopping" | "passed" => return false,
            "closing" => {
                assert_eq!(frame.text("reason"), "shutdown");
                self.closing = (frame.num("accepted"), frame.num("refused"));
                return false;
            }
            other => panic!("nobody asked for {other}"),
        }
        true
    }
}
