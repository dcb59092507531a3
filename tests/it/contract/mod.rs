//! docs/protocol.cddl describes exactly the frames that are sent.
//!
//! Every frame that passes through [`crate::support::FrameClient`], in any test, comes
//! here. Frames of one shape are validated once: the schema says nothing that
//! would tell them apart.

mod services;
mod topics;

use std::collections::{BTreeSet, HashSet};
use std::sync::{LazyLock, Mutex};

use arauto::wire::{ClientFrame, ServerFrame, cbor};
use cddl::ast::CDDL;
use cddl::validator::Validator;
use cddl::validator::cbor::CBORValidator;
use cddl::validator::cbor_value::decode_cbor;
use serde_cbor::Value;

use crate::support::{Fixture, Frame, FrameClient, ask, bytes, publish, request, text};

/// Names of frames, as the schema lists them.
const CLIENT: &[&str] = &[
    "login",
    "request",
    "publish",
    "subscribe",
    "who",
    "ping",
    "ack",
    "fim",
    "shutdown",
    "sessions",
    "topics",
    "cursors",
    "remove_cursor",
];
const SERVER: &[&str] = &[
    "welcome",
    "logged_in",
    "reply",
    "published",
    "present",
    "pong",
    "message",
    "joined",
    "left",
    "gap",
    "subscribed",
    "kept",
    "passed",
    "error",
    "stopping",
    "closing",
    "sessions",
    "topics",
    "cursors",
    "cursor_removed",
];

/// The frames of services, which this server does not serve yet: no conversation has them.
const CLIENT_OF_SERVICES: &[&str] = &["offer", "withdraw", "answer", "services"];
const SERVER_OF_SERVICES: &[&str] = &["offered", "withdrawn", "call", "cancelled", "services"];

/// The schema, with one side's frames as the rule that counts.
struct Schema {
    text: &'static str,
    rules: CDDL<'static>,
    known: Mutex<HashSet<String>>,
}

static FROM_CLIENTS: LazyLock<Schema> = LazyLock::new(|| Schema::of("client-frame"));
static FROM_SERVERS: LazyLock<Schema> = LazyLock::new(|| Schema::of("server-frame"));

impl Schema {
    fn of(side: &str) -> Schema {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/protocol.cddl");
        let schema = std::fs::read_to_string(path).expect("the schema is in docs");
        let text: &str = Box::leak(format!("one-frame = {side}\n{schema}").into());
        Schema {
            text,
            rules: cddl::cddl_from_str(text, false).expect("docs/protocol.cddl is a schema"),
            known: Mutex::default(),
        }
    }

    fn check(&self, item: &[u8]) -> Result<(), String> {
        let value = decode_cbor(item).map_err(|error| error.to_string())?;
        let mut validator = CBORValidator::new(&self.rules, value, None);
        validator.validate().map_err(|error| error.to_string())
    }

    fn see(&self, frame: &Frame, item: &[u8]) {
        let shape = frame.shape();
        let is_new = self
            .known
            .lock()
            .expect("it is only inserted into")
            .insert(shape);
        if is_new && let Err(error) = self.check(item) {
            panic!("{frame:?} is not of docs/protocol.cddl: {error}");
        }
    }
}

/// A client sends this frame.
pub fn client_sends(frame: &Frame) {
    FROM_CLIENTS.see(frame, &frame.item());
}

/// A server has sent this frame.
pub fn server_sends(frame: &Frame, item: &[u8]) {
    FROM_SERVERS.see(frame, item);
}

/// Every frame of the contract, in one conversation.
fn drive() -> (BTreeSet<String>, BTreeSet<String>) {
    let fixture = Fixture::new();
    let (mut ana, login) = fixture.client_and_login("ana");
    let mut rui = fixture.client("rui");
    rui.fim();
    drop(rui);
    let sent = [
        request(1, text("a")),
        request(2, bytes(&[0xff])),
        publish(3, text("b")),
        publish(4, bytes(&[0])),
        ask("who", 5),
        ask("ping", 6),
        Frame::new("ack", [("seq", Value::Integer(1))]),
        publish(10, text("c"))
            .with("topic", text("a/b"))
            .with("keep", Value::Bool(true)),
        ask("sessions", 7),
        ask("topics", 11),
        ask("cursors", 8),
        ask("remove_cursor", 9)
            .with("account", text("ana"))
            .with("name", text("c")),
    ];
    let mut from_client: BTreeSet<String> = sent.iter().map(|frame| frame.name.clone()).collect();
    sent.iter().for_each(|frame| ana.send(frame));
    let mut heard = ana.until("cursor_removed");

    let mut zoe = fixture.client("zoe");
    let add = Value::Array(vec![text("a/+")]);
    let subscribe = Frame::new("subscribe", [("id", Value::Integer(1)), ("add", add)]);
    from_client.insert(subscribe.name.clone());
    zoe.send(&subscribe.with("kept", Value::Bool(true)));
    heard.extend(zoe.until("kept"));
    ana.send(&publish(12, text("d")).with("topic", text("b")));
    heard.extend(zoe.until("passed"));
    zoe.fim();
    drop(zoe);

    let mut late = fixture.unauthenticated();
    let resume = Value::Map(
        [
            (text("stream"), text("another")),
            (text("after"), Value::Integer(0)),
        ]
        .into(),
    );
    late.send(&crate::support::login(8, "eva", crate::support::PASSWORD).with("resume", resume));
    heard.extend(late.until("gap"));
    heard.extend(late_end(late));

    heard.push(login);
    from_client.extend(["login".to_owned(), "fim".to_owned(), "shutdown".to_owned()]);
    ana.send(&ask("shutdown", 9).with("now", Value::Bool(false)));
    heard.extend(ana.until("closing"));
    drop(ana);
    fixture.assert_clean();
    let mut from_server: BTreeSet<String> = heard.into_iter().map(|frame| frame.name).collect();
    from_server.insert("welcome".to_owned()); // each client of the fixture expects it
    (from_client, from_server)
}

fn late_end(mut client: FrameClient) -> Vec<Frame> {
    client.ask("fim", 1);
    client.until("closing")
}

#[test]
fn contract_frames_are_all_captured_and_validated() {
    let all = |names: &[&str]| -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    let (from_client, from_server) = drive();
    assert_eq!(from_client, all(CLIENT));
    assert_eq!(from_server, all(SERVER));
}

#[test]
fn schema_lists_the_frames_that_the_tests_know() {
    let listed = |side: &str| -> Vec<String> {
        let schema = FROM_CLIENTS.text;
        let start = schema
            .find(&format!("\n{side} ="))
            .expect("the side has a rule");
        let rule = schema[start + 1..]
            .split("\n\n")
            .next()
            .expect("there is a first part");
        let entries = rule.lines().filter_map(|line| line.split_once('{'));
        entries
            .filter_map(|(_, entry)| Some(entry.split_once(':')?.0.trim().to_owned()))
            .collect()
    };
    assert_eq!(
        listed("client-frame"),
        [CLIENT, CLIENT_OF_SERVICES].concat()
    );
    assert_eq!(
        listed("server-frame"),
        [SERVER, SERVER_OF_SERVICES].concat()
    );
}

#[test]
fn schema_refuses_frames_outside_the_contract() {
    let wrong = [
        ask("login", 1),
        Frame::new("ping", []),
        Frame::new("ping", [("id", text("1"))]),
        Frame::new("nothing", [("id", Value::Integer(1))]),
        Frame::new("ack", [("seq", Value::Integer(0))]),
        request(1, Value::Integer(7)),
        crate::support::login(1, &"a".repeat(65), "x"),
    ];
    for frame in wrong {
        assert!(
            FROM_CLIENTS.check(&frame.item()).is_err(),
            "{frame:?} passes"
        );
    }
    let error = Frame::new("error", [("code", text("no-code")), ("message", text("x"))]);
    assert!(
        FROM_SERVERS.check(&error.item()).is_err(),
        "a code that is none passes"
    );
    assert!(
        FROM_SERVERS.check(&ask("ping", 1).item()).is_err(),
        "a client's frame passes"
    );
}

#[test]
fn error_codes_fit_a_frame_and_are_in_the_schema() {
    for code in arauto::ErrorCode::ALL {
        let error = Frame::new(
            "error",
            [("code", text(code.as_str())), ("message", text("x"))],
        );
        assert_eq!(FROM_SERVERS.check(&error.item()), Ok(()), "{code}");
    }
}

/// Asserts that what the library writes is of the schema.
fn assert_conform(client: &[ClientFrame<'_>], server: &[ServerFrame<'_>]) {
    for frame in client {
        assert_eq!(FROM_CLIENTS.check(&item(frame)), Ok(()), "{frame:?}");
    }
    for frame in server {
        assert_eq!(FROM_SERVERS.check(&item(frame)), Ok(()), "{frame:?}");
    }
}

fn item(frame: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    cbor::encode(frame, &mut bytes);
    bytes.split_off(cbor::PREFIX)
}

fn assert_refused(frames: &[Frame]) {
    for frame in frames {
        assert!(FROM_CLIENTS.check(&frame.item()).is_err(), "{frame:?}");
    }
}
