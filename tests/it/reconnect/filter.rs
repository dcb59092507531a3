//! The filter of a client, over a break of its connection.

use std::net::TcpListener;

use arauto::wire::{ClientFrame, ErrorFrame, Feature, Message, Passed, ServerFrame, Subscribed};
use arauto::{
    Body, Client, ClientError, Endpoint, ErrorCode, Event, Events, FilterChange, Incoming, Millis,
    NewMessage, Reconnect, Seq,
};
use tokio::runtime::Runtime;

use super::peer::{Peer, STREAM};
use crate::support::watchdog;

/// The keys of a login, as a test compares them.
#[derive(Debug, PartialEq)]
struct Asked {
    after: Option<u64>,
    filter: Option<Vec<String>>,
    presence: Option<bool>,
    kept: Option<bool>,
}

fn read_login(peer: &mut Peer) -> Asked {
    peer.read(|frame| {
        let ClientFrame::Login(login) = frame else {
            panic!("a login comes first: {frame:?}");
        };
        let options = login.options.unwrap_or_default();
        let filter = options.filter;
        Asked {
            after: login.resume.map(|resume| resume.after.0),
            filter: filter.map(|filter| filter.iter().map(ToString::to_string).collect()),
            presence: options.presence,
            kept: options.kept,
        }
    })
}

fn listen() -> (TcpListener, Endpoint) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let endpoint = format!("tcp:127.0.0.1:{port}").parse().expect("it is one");
    (listener, endpoint)
}

fn texts(texts: &[&str]) -> Option<Vec<String>> {
    Some(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// Answers the next frame, which must be a change of the filter.
fn answer_change(peer: &mut Peer, seq: u64, error: Option<ErrorCode>) {
    let id = peer.read(|frame| match frame {
        ClientFrame::Subscribe(subscribe) => subscribe.id,
        other => panic!("a change of the filter comes: {other:?}"),
    });
    peer.send(&match error {
        None => ServerFrame::Subscribed(Subscribed {
            id,
            seq: Seq(seq),
            filter: Some(vec!["b/#".into()]),
        }),
        Some(code) => ServerFrame::Error(ErrorFrame {
            id: Some(id),
            code,
            message: "no".into(),
            retry_after: None,
        }),
    });
}

fn next(runtime: &Runtime, events: &mut Events) -> Incoming {
    let next = runtime.block_on(events.next());
    next.expect("the client goes on")
}

#[test]
fn next_session_has_the_changed_filter_and_resumes_from_passed() {
    let _watchdog = watchdog();
    let runtime = Runtime::new().expect("a runtime can be made");
    let (listener, endpoint) = listen();
    let builder = Client::builder(endpoint).user("ana").password("segredo");
    let builder = builder.filter(["a", "a/+"]).kept();
    let connecting = runtime.spawn(builder.reconnect(Reconnect::new()).connect());
    let mut peer = Peer::serving(&listener, &["topics"]);
    let asked = Asked {
        after: None,
        filter: texts(&["a", "a/+"]),
        presence: None,
        kept: Some(true),
    };
    assert_eq!(read_login(&mut peer), asked);
    peer.answer_login(STREAM, 5);
    let connected = runtime.block_on(connecting).expect("it does not panic");
    let (client, mut events) = connected.expect("the login is answered");

    let mut kept = Message::new(Seq(2), "rui", Millis(1), Body::text("v"));
    kept.topic = Some("a".into());
    peer.send(&ServerFrame::Kept(kept));
    peer.send(&ServerFrame::Passed(Passed { to: Seq(9) }));
    match next(&runtime, &mut events) {
        Incoming::Kept(kept) => assert_eq!((kept.seq, &*kept.topic), (Seq(2), "a")),
        other => panic!("the kept value comes: {other:?}"),
    }
    match next(&runtime, &mut events) {
        Incoming::Event(Event::Passed(passed)) => assert_eq!(passed.to, Seq(9)),
        other => panic!("passed comes: {other:?}"),
    }

    // The answer of the first change is given up; the change counts.
    let change = FilterChange::new().subscribe(["b/#"]).unsubscribe(["a"]);
    let changing = client.clone();
    let first = runtime.spawn(async move { changing.change_filter(change).await });
    let second = client.clone();
    answer_change(&mut peer, 9, None);
    let filter = runtime.block_on(first).expect("it does not panic");
    let filter = filter.expect("it is answered");
    assert_eq!((filter.seq, filter.patterns), (Seq(9), texts(&["b/#"])));
    let refused = runtime.spawn(async move { second.subscribe(["c"]).await });
    answer_change(&mut peer, 9, Some(ErrorCode::TooMany));
    let refused = runtime.block_on(refused).expect("it does not panic");
    assert_eq!(
        refused.expect_err("it is refused").code(),
        Some(ErrorCode::TooMany)
    );
    drop(peer);

    let mut peer = Peer::serving(&listener, &["topics"]);
    let asked = Asked {
        after: Some(9),
        filter: texts(&["a/+", "b/#"]),
        presence: Some(false),
        kept: Some(true),
    };
    assert_eq!(read_login(&mut peer), asked);
}

#[test]
fn change_whose_answer_is_given_up_counts_for_the_next_session() {
    let _watchdog = watchdog();
    let runtime = Runtime::new().expect("a runtime can be made");
    let (listener, endpoint) = listen();
    let builder = Client::builder(endpoint).user("ana").password("segredo");
    let connecting = runtime.spawn(builder.reconnect(Reconnect::new()).connect());
    let mut peer = Peer::serving(&listener, &["topics"]);
    read_login(&mut peer);
    peer.answer_login(STREAM, 5);
    let connected = runtime.block_on(connecting).expect("it does not panic");
    let (client, mut events) = connected.expect("the login is answered");
    let changing = runtime.spawn({
        let client = client.clone();
        async move { client.subscribe(["a"]).await }
    });
    let id = peer.read(|frame| frame.id().expect("it has an id"));
    changing.abort();
    peer.send(&ServerFrame::Subscribed(Subscribed {
        id,
        seq: Seq(5),
        filter: None,
    }));
    peer.send_message(6);
    // Behind the message the answer has been read.
    let message = next(&runtime, &mut events);
    assert!(matches!(message, Incoming::Event(Event::Message { .. })));
    drop(peer);
    let mut peer = Peer::serving(&listener, &["topics"]);
    let asked = Asked {
        after: Some(6),
        filter: texts(&["a"]),
        presence: Some(true), // as in the session before
        kept: None,
    };
    assert_eq!(read_login(&mut peer), asked);
}

#[test]
fn client_sends_nothing_of_a_feature_that_is_not_served() {
    let _watchdog = watchdog();
    let runtime = Runtime::new().expect("a runtime can be made");
    let (listener, endpoint) = listen();
    let builder = Client::builder(endpoint).user("ana").password("segredo");
    let connecting = runtime.spawn(builder.clone().filter(["a"]).connect());
    let peer = Peer::accept(&listener);
    let error = runtime.block_on(connecting).expect("it does not panic");
    let error = error.expect_err("there are no filters");
    let is_topics = |error: &ClientError| {
        let feature = Feature::Topics;
        matches!(error, ClientError::NotServed { feature: name } if *name == feature)
    };
    assert!(is_topics(&error), "{error:?}");
    peer.read_to_end(); // no login came

    let connecting = runtime.spawn(builder.connect());
    let (mut peer, _) = Peer::log_in(&listener, STREAM, 5);
    let connected = runtime.block_on(connecting).expect("it does not panic");
    let (client, _events) = connected.expect("the login is answered");
    assert!(!client.who_am_i().serves(Feature::Topics));
    let errors = runtime.block_on(async {
        [
            client.subscribe(["a"]).await.map(drop),
            client
                .publish(NewMessage::new("x").topic("a"))
                .await
                .map(drop),
            client
                .publish(NewMessage::new("x").to("rui"))
                .await
                .map(drop),
            client.topics(None, "").await.map(drop),
        ]
    });
    for error in errors {
        assert!(is_topics(&error.expect_err("it is not sent")));
    }
    let pinging = runtime.spawn(async move { client.ping().await });
    peer.read(|frame| assert!(matches!(frame, ClientFrame::Ping(_)), "{frame:?}"));
    pinging.abort();
}
