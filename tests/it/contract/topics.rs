//! The frames of topics, producers and cursors.

use arauto::wire::{
    Body, ClientFrame, Headers, LoggedIn, Login, LoginOptions, Message, Passed, Publish,
    PublishOptions, Published, ServerFrame, Subscribe, Subscribed, TopicLine, TopicList,
    TopicQuery,
};
use arauto::{Millis, Role, Seq};
use serde_cbor::Value;

use super::{assert_conform, assert_refused};
use crate::support::{ask, publish, text};

/// The frames with all of their keys, and with none of them.
fn frames() -> (Vec<ClientFrame<'static>>, Vec<ServerFrame<'static>>) {
    let headers = || {
        let mut headers = Headers::default();
        headers.push("kind", "a");
        Some(headers)
    };
    let mut publish = Publish::new(1, Body::text("a"));
    publish.topic = Some("a/b".into());
    publish.options = Some(Box::new(PublishOptions {
        headers: headers(),
        keep: Some(false),
        to: Some("rui".into()),
        producer: Some("p".into()),
        n: Some(1),
    }));
    let mut login = Login {
        id: 1,
        user: "ana".into(),
        password: "x".into(),
        resume: None,
        options: None,
    };
    let plain_login = login.clone();
    login.options = Some(Box::new(LoginOptions {
        filter: Some(vec!["a/+".into(), "#".into()]),
        presence: Some(true),
        kept: Some(true),
        cursor: Some("c".into()),
    }));
    let mut subscribe = Subscribe {
        id: 1,
        add: Vec::new(),
        remove: Vec::new(),
        kept: None,
    };
    let plain_subscribe = subscribe.clone();
    subscribe.add = vec!["a/+".into()];
    subscribe.remove = vec!["#".into()];
    subscribe.kept = Some(true);
    let plain = Message::new(Seq(1), "ana", Millis(1), Body::text("a"));
    let mut message = plain.clone();
    message.topic = Some("a/b".into());
    message.headers = headers();
    message.keep = true;
    message.to = Some("rui".into());
    let subscribed = |filter| Subscribed {
        id: 1,
        seq: Seq(0),
        filter,
    };
    let filter = || Some(vec!["a/+".into()]);
    let logged_in = LoggedIn {
        id: 1,
        user: "ana".into(),
        role: Role::Escritor,
        registered: false,
        stream: "s".into(),
        seq: Seq(0),
        term: None,
        request_rate: None,
        filter: filter(),
        cursor_new: true,
    };
    let repeated = Published {
        id: 1,
        seq: Seq(0),
        repeated: true,
    };
    let query = TopicQuery {
        id: 1,
        pattern: None,
        after: None,
    };
    let plain_query = query.clone();
    let query = TopicQuery {
        pattern: Some("a/+".into()),
        after: Some("a/b".into()),
        ..query
    };
    let line = |kept| TopicLine {
        topic: "a/b".into(),
        seq: Seq(1),
        held: 0,
        kept,
    };
    let topics = TopicList {
        id: 1,
        topics: vec![line(None), line(Some(Seq(1)))],
        more: true,
    };
    let client = vec![
        ClientFrame::Topics(Box::new(plain_query)),
        ClientFrame::Topics(Box::new(query)),
        ClientFrame::Publish(publish),
        ClientFrame::Login(Box::new(plain_login)),
        ClientFrame::Login(Box::new(login)),
        ClientFrame::Subscribe(Box::new(plain_subscribe)),
        ClientFrame::Subscribe(Box::new(subscribe)),
    ];
    let server = vec![
        ServerFrame::Message(plain),
        ServerFrame::Message(message.clone()),
        ServerFrame::Kept(message),
        ServerFrame::Passed(Passed { to: Seq(9) }),
        ServerFrame::Subscribed(subscribed(None)),
        ServerFrame::Subscribed(subscribed(filter())),
        ServerFrame::LoggedIn(logged_in),
        ServerFrame::Published(repeated),
        ServerFrame::Topics(topics),
    ];
    (client, server)
}

#[test]
fn frames_of_optional_features_conform_to_the_schema() {
    let (client, server) = frames();
    assert_conform(&client, &server);
    assert_refused(&[
        publish(1, text("a")).with("topic", text("")),
        publish(1, text("a")).with("topic", text(&"t".repeat(257))),
        publish(1, text("a")).with("n", Value::Integer(0)),
        publish(1, text("a")).with("headers", Value::Array(Vec::new())),
        ask("subscribe", 1).with("add", text("a")),
    ]);
}
