//! The library's client.

use arauto::{
    Client, ClientError, Endpoint, ErrorCode, Event, Events, FilterChange, Incoming, NewMessage,
    Reconnect, Seq,
};

use super::{log_in, next, next_message};
use crate::support::{Fixture, PASSWORD, Served, block_on, wait_until, watchdog};

/// Calls `run` for a server at a local endpoint and for the same at a TCP one. The text client is
/// of the same server.
fn on_each_endpoint(run: impl AsyncFn(&Endpoint, &Fixture)) {
    for kind in ["local", "tcp"] {
        let fixture = Fixture::listening("?dialect=text", |config| {
            let tcp = "tcp:127.0.0.1:0";
            let listen = match kind {
                "tcp" => tcp.to_owned(),
                _ => format!("{}-cbor", config.listen[0].endpoint),
            };
            Fixture::also(config, &listen);
        });
        let endpoint = fixture.server.endpoints()[1].clone();
        block_on(run(&endpoint, &fixture));
        // The clients have gone without reading to the end, which a stop would report. The text
        // client, eva, is the fixture's to end.
        wait_until("the clients' sessions are over", || {
            let sessions = block_on(fixture.server.sessions());
            sessions
                .iter()
                .all(|line| line.user.as_deref() == Some("eva"))
        });
        fixture.finish();
    }
}

/// Returns the events of a client that selects by a filter.
async fn reader(endpoint: &Endpoint, user: &str, filter: &[&str]) -> (Client, Events) {
    let builder = Client::builder(endpoint.clone());
    let builder = builder
        .user(user)
        .password(PASSWORD)
        .filter(filter.to_vec());
    builder.connect().await.expect("the server is there")
}

#[test]
fn filtered_client_gets_every_key_of_its_messages() {
    on_each_endpoint(async |endpoint, fixture| {
        let (ana, mut events) = reader(endpoint, "ana", &["a/+"]).await;
        let who = ana.who_am_i();
        assert_eq!(who.filter.as_deref(), Some(&["a/+".to_owned()][..]));
        assert!(who.serves(arauto::wire::Feature::Topics) && who.limits["patterns"] > 0);
        let (rui, all) = log_in(endpoint, "rui").await;
        drop(all);
        rui.publish("without a topic").await.expect("it may");
        let message = NewMessage::new("21").topic("a/x").keep();
        let message = message.header("unit", "C").header("from", "x");
        let seq = rui.publish(message).await.expect("it may");
        match next(&mut events).await {
            Incoming::Event(Event::Message {
                seq: Seq(found),
                from,
                topic,
                headers,
                keep,
                to,
                ..
            }) => {
                assert_eq!((found, &*from), (seq.0, "rui"));
                assert_eq!((topic.as_deref(), keep, to), (Some("a/x"), true, None));
                let headers: Vec<_> = headers.iter().collect();
                assert_eq!(headers, [("unit", "C"), ("from", "x")]);
            }
            other => panic!("the message comes: {other:?}"),
        }
        let direct = NewMessage::new("psst").to("ana");
        rui.publish(direct).await.expect("it may");
        match next(&mut events).await {
            Incoming::Event(Event::Message { topic, to, .. }) => {
                assert_eq!((topic, to.as_deref()), (None, Some("ana")));
            }
            other => panic!("the direct message comes: {other:?}"),
        }

        // A client of the text dialect and this one hear each other.
        let mut eva = fixture.lines();
        eva.expect("+ arauto 1");
        eva.exchange("/login eva x", "+ eva registered");
        let subscribed = "+ subscribed a/#";
        eva.exchange("/subscribe a/#", subscribed);
        eva.expect(&format!("* kept {seq} rui a/x 21"));
        eva.send_text(r"/post a/y\u{20}z olá");
        let message = next_message(&mut events).await;
        assert_eq!((message.0.as_deref(), &*message.1), (Some("a/y z"), "olá"));
        eva.send_text("/tell ana só tu");
        assert_eq!(next_message(&mut events).await.1, "só tu");
    });
}

#[test]
fn filtered_client_is_told_how_far_the_stream_has_passed() {
    on_each_endpoint(async |endpoint, _| {
        let (_ana, mut events) = reader(endpoint, "ana", &["a"]).await;
        let (rui, _all) = log_in(endpoint, "rui").await;
        let other = rui.publish(NewMessage::new("x").topic("b")).await;
        let other = other.expect("it may");
        loop {
            match events.next().await {
                Some(Incoming::Event(Event::Passed(passed))) if passed.to >= other => return,
                Some(Incoming::Event(Event::Passed(_))) => {}
                unexpected => panic!("nothing was for it: {unexpected:?}"),
            }
        }
    });
}

#[test]
fn kept_values_come_at_login_and_at_subscribe() {
    on_each_endpoint(async |endpoint, _| {
        let (rui, _all) = log_in(endpoint, "rui").await;
        for (topic, body) in [
            ("a/1", "old"),
            ("a/1", "one"),
            ("b/1", "two"),
            ("c", "gone"),
        ] {
            let message = NewMessage::new(body).topic(topic).keep();
            rui.publish(message).await.expect("it may");
        }
        let removed = NewMessage::new("").topic("c").keep();
        rui.publish(removed).await.expect("it may");
        let builder = Client::builder(endpoint.clone())
            .user("ana")
            .password(PASSWORD);
        let builder = builder.filter(["a/+", "c"]).presence(true).kept();
        let (ana, mut events) = builder.connect().await.expect("the server is there");
        let kept = |incoming: Incoming| match incoming {
            Incoming::Kept(kept) => {
                let body = kept.body.as_text().expect("it is a text").to_owned();
                (kept.topic, body)
            }
            other => panic!("a kept value comes: {other:?}"),
        };
        let pair = |topic: &str, body: &str| (topic.to_owned(), body.to_owned());
        assert_eq!(kept(next(&mut events).await), pair("a/1", "one"));
        let change = FilterChange::new().subscribe(["b/#"]).unsubscribe(["a/+"]);
        let filter = ana.change_filter(change.kept()).await.expect("it may");
        assert_eq!(filter.patterns.unwrap_or_default(), ["c", "b/#"]);
        assert_eq!(kept(next(&mut events).await), pair("b/1", "two"));
        let (_eva, _events) = log_in(endpoint, "eva").await;
        match next(&mut events).await {
            Incoming::Event(Event::Joined { user, .. }) => assert_eq!(user, "eva"),
            other => panic!("presence was asked for: {other:?}"),
        }
    });
}

#[test]
fn errors_of_topics_say_what_is_wrong_and_where() {
    on_each_endpoint(async |endpoint, _| {
        let builder = Client::builder(endpoint.clone())
            .user("ana")
            .password(PASSWORD);
        let login = builder.filter(["a", "b/#/c"]).connect().await;
        let (rui, _events) = log_in(endpoint, "rui").await;
        let refused = [
            (login.map(drop), ErrorCode::BadTopic, "level 2"),
            (
                rui.subscribe(["a+"]).await.map(drop),
                ErrorCode::BadTopic,
                "pattern 1 of add",
            ),
            (
                rui.publish(NewMessage::new("x").topic("a/#"))
                    .await
                    .map(drop),
                ErrorCode::BadTopic,
                "level 2",
            ),
            (
                rui.publish(NewMessage::new("x").to("nobody"))
                    .await
                    .map(drop),
                ErrorCode::UnknownUser,
                "nobody",
            ),
            (
                rui.publish(NewMessage::new("x").header("k", "v".repeat(4096)))
                    .await
                    .map(drop),
                ErrorCode::BadValue,
                "4096",
            ),
        ];
        for (outcome, code, part) in refused {
            let error = outcome.expect_err(part);
            assert_eq!(error.code(), Some(code), "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
        rui.ping().await.expect("the session goes on");
    });
}

#[test]
fn reconnected_client_has_its_filter_and_misses_nothing_of_it() {
    let _watchdog = watchdog();
    let arguments = ["--journal", "--no-console"];
    let mut served = Served::new(&arguments);
    let endpoint = served.endpoint().clone();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    runtime.block_on(async {
        let builder = Client::builder(endpoint.clone())
            .user("ana")
            .password(PASSWORD);
        let builder = builder.filter(["a"]).reconnect(Reconnect::new());
        let (ana, mut events) = builder.connect().await.expect("the server is there");
        ana.subscribe(["c/+"]).await.expect("it may");
        let publish = async |topic: &str| {
            let (rui, _events) = log_in(&endpoint, "rui").await;
            let message = NewMessage::new(topic).topic(topic);
            let seq = rui.publish(message).await.expect("it may");
            rui.fim().await.expect("it is there");
            seq
        };
        publish("a").await;
        assert_eq!(next_message(&mut events).await.1, "a");
        // Broadcasts that were not for it move its position as well.
        let other = publish("b").await;
        loop {
            match events.next().await {
                Some(Incoming::Event(Event::Passed(passed))) if passed.to >= other => break,
                Some(Incoming::Event(Event::Passed(_))) => {}
                unexpected => panic!("nothing was for it: {unexpected:?}"),
            }
        }
        served.child.kill().expect("it runs");
        let folder = std::mem::replace(&mut served, Served::new(&[])).into_folder();
        served = Served::within(folder, &arguments);
        publish("c/x").await;
        publish("b").await;
        publish("a").await;
        let mut topics = Vec::new();
        while topics.len() < 2 {
            match next(&mut events).await {
                Incoming::Event(Event::Message { topic, .. }) => topics.extend(topic),
                Incoming::Disconnected(ClientError::Lost(_)) => {}
                Incoming::Retrying { .. } => {}
                Incoming::Reconnected(who) => assert!(who.seq >= other, "{who:?}"),
                unexpected => panic!("nothing else is for it: {unexpected:?}"),
            }
        }
        assert_eq!(topics, ["c/x", "a"]);
        ana.fim().await.expect("it is there");
    });
    served.stop();
}

#[test]
fn producer_publishes_to_topics_once() {
    on_each_endpoint(async |endpoint, _| {
        let (_ana, mut events) = reader(endpoint, "ana", &["a/#"]).await;
        let (rui, _all) = log_in(endpoint, "rui").await;
        let mut producer = rui.producer("p", 1, None);
        let message = |n: u64| {
            NewMessage::new(n.to_string())
                .topic(format!("a/{n}"))
                .keep()
        };
        for n in 1..=3 {
            let published = producer.publish(message(n)).await.expect("it may");
            assert!(!published.repeated);
        }
        let mut again = rui.producer("p", 3, None);
        assert!(again.publish(message(3)).await.expect("it may").repeated);
        again.publish(message(4)).await.expect("it may");
        for n in 1..=4_u64 {
            let (topic, body, _) = next_message(&mut events).await;
            assert_eq!((topic, body), (Some(format!("a/{n}")), n.to_string()));
        }
    });
}

#[test]
fn program_around_the_server_publishes_to_topics() {
    on_each_endpoint(async |endpoint, fixture| {
        let (_ana, mut events) = reader(endpoint, "ana", &["a"]).await;
        let server = &fixture.server;
        let posted = NewMessage::new("um").topic("a").keep();
        let seq = server.publish(posted).await.expect("it runs");
        let direct = NewMessage::new("dois").to("ana");
        server.publish_paced(direct).await.expect("it runs");
        let message = next_message(&mut events).await;
        assert_eq!(message, (Some("a".to_owned()), "um".to_owned(), seq.0));
        assert_eq!(next_message(&mut events).await.1, "dois");
        for (message, problem) in [
            (NewMessage::new("x").topic("a/+"), "level 2"),
            (NewMessage::new("x").to("nobody"), "no account"),
            (NewMessage::new("x").keep(), "keep needs a topic"),
        ] {
            let error = server.publish(message).await.expect_err(problem);
            assert!(error.to_string().contains(problem), "{error}");
        }
    });
}
