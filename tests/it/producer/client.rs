//! The library's producer: it sends again by itself.

use std::time::Duration;

use arauto::{
    Body, Client, ClientError, ErrorCode, Event, Incoming, Producer, Reconnect, Role, Seq,
};
use tokio::runtime::Runtime;

use crate::support::{Fixture, PASSWORD, Served, block_on, finish, watchdog};

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime can be made")
}

async fn client(endpoint: &arauto::Endpoint) -> Client {
    let builder = Client::builder(endpoint.clone())
        .user("ana")
        .password(PASSWORD)
        .reconnect(Reconnect::new());
    let (client, events) = builder.connect().await.expect("the server is there");
    drop(events);
    client
}

/// Publishes these numbers and returns how many of them were repeated.
async fn publish_all(producer: &mut Producer, numbers: std::ops::Range<u64>) -> usize {
    let mut answers = Vec::new();
    for n in numbers {
        assert_eq!(producer.next_number(), n);
        let answer = producer.begin_publish(format!("m {n}").as_str()).await;
        answers.push((n, answer.expect("it goes on")));
    }
    let mut repeated = 0;
    for (n, answer) in answers {
        let published = answer.await.expect("it is published");
        assert_eq!(published.n, n);
        assert!(published.seq.is_some() || published.repeated);
        repeated += usize::from(published.repeated);
    }
    repeated
}

#[test]
fn producer_publishes_each_message_once_across_kills() {
    let _watchdog = watchdog();
    let arguments = ["--journal", "--no-console"];
    let mut served = Served::new(&arguments);
    let endpoint = served.endpoint().clone();
    let runtime = runtime();
    let client = runtime.block_on(client(&endpoint));
    let publishing = runtime.spawn({
        let client = client.clone();
        async move {
            let mut producer = client.producer("p", 1, None);
            for first in (1..4000).step_by(500) {
                publish_all(&mut producer, first..first + 500).await;
            }
        }
    });
    for kill in 1..=3 {
        let body = format!("m {}", kill * 700);
        wait_for(&endpoint, &body);
        served.child.kill().expect("it runs");
        served = Served::within(served.into_folder(), &arguments);
    }
    runtime.block_on(publishing).expect("its checks passed");
    let bodies = runtime.block_on(read_all(&endpoint, "m 4000"));
    let expected: Vec<String> = (1..=4000).map(|n| format!("m {n}")).collect();
    assert!(bodies == expected, "each is there once, in order");
    // The last kill may have come behind the last answer.
    runtime.block_on(client.connected()).expect("it is back");
    runtime.block_on(client.fim()).expect("it is there");
    served.stop();
}

/// Reads the stream from its first message up to this one.
async fn read_all(endpoint: &arauto::Endpoint, last: &str) -> Vec<String> {
    let first = Client::builder(endpoint.clone()).user("eva").password("x");
    let (client, events) = first.connect().await.expect("the server is there");
    let mut from = client.who_am_i().resume_point();
    from.after = Seq::ZERO;
    drop((client, events));
    let builder = Client::builder(endpoint.clone()).user("eva").password("x");
    let (_client, mut events) = builder.resume(from).connect().await.expect("it is there");
    let mut bodies = Vec::new();
    while bodies.last().is_none_or(|body| body != last) {
        match events.next().await {
            Some(Incoming::Event(Event::Message { body, .. })) => {
                bodies.push(body.as_text().expect("it is text").to_owned());
            }
            Some(Incoming::Event(Event::Joined { .. } | Event::Left { .. })) => {}
            other => panic!("the stream is whole: {other:?}"),
        }
    }
    bodies
}

/// Waits until this message is in the stream.
fn wait_for(endpoint: &arauto::Endpoint, body: &str) {
    block_on(read_all(endpoint, body));
}

#[test]
fn producer_begun_again_with_its_number_repeats_and_goes_on() {
    let fixture = Fixture::new();
    let endpoint = fixture.endpoint().clone();
    runtime().block_on(async {
        let client = client(&endpoint).await;
        let mut producer = client.producer("p", 1, None);
        assert_eq!(publish_all(&mut producer, 1..100).await, 0);
        drop(producer);
        // The program died behind its 40th answer.
        let mut producer = client.producer("p", 41, None);
        assert_eq!(publish_all(&mut producer, 41..120).await, 59);
        let bytes = producer.publish(Body::from(vec![0, 0xff])).await;
        assert!(!bytes.expect("it is published").repeated);
        client.fim().await.expect("it is there");
    });
    fixture.finish();
}

#[test]
fn dropped_producer_still_publishes_what_it_has_taken() {
    let fixture = Fixture::new();
    let endpoint = fixture.endpoint().clone();
    let mut reader = fixture.client("eva");
    runtime().block_on(async {
        let client = client(&endpoint).await;
        let mut producer = client.producer("p", 1, None);
        for n in 1..=50 {
            let answer = producer.begin_publish(format!("m {n}").as_str()).await;
            drop(answer.expect("it is taken"));
        }
        drop((producer, client));
        tokio::task::spawn_blocking(move || {
            while reader.skip_to("message").text("body") != "m 50" {}
            reader
        })
        .await
        .expect("it is delivered")
    });
    fixture.finish();
}

#[test]
fn message_refused_for_good_stops_the_producer() {
    let fixture = Fixture::with(|config| config.limits.max_frame = 4096);
    let endpoint = fixture.endpoint().clone();
    runtime().block_on(async {
        let client = client(&endpoint).await;
        let mut producer = client.producer("p", 1, None);
        let long = "x".repeat(4000);
        let first = producer.begin_publish("a").await.expect("it is taken");
        let refused = producer.begin_publish(long.as_str()).await;
        let refused = refused.expect("it is taken");
        let behind = producer.begin_publish("b").await.expect("it is taken");
        assert_eq!(first.await.map(|published| published.n).ok(), Some(1));
        let error = refused.await.expect_err("it is too long");
        assert_eq!(error.code(), Some(ErrorCode::FrameTooLarge));
        let stopped =
            |error: &ClientError| matches!(error, ClientError::ProducerStopped { n: 2, .. });
        let error = behind.await.expect_err("it is behind a refused one");
        assert!(stopped(&error), "{error}");
        let error = producer.publish("c").await.expect_err("it has ended");
        assert!(stopped(&error), "{error}");
        // The next one begins with the number that was refused.
        let mut producer = client.producer("p", 2, None);
        assert_eq!(publish_all(&mut producer, 2..10).await, 0);
        let mut ahead = client.producer("p", 12, None);
        let error = ahead.publish("d").await.expect_err("there is a gap");
        assert_eq!(error.code(), Some(ErrorCode::OutOfOrder));
        client.fim().await.expect("it is there");
    });
    fixture.finish();
}

#[test]
fn throttled_message_is_sent_again_in_its_order() {
    let fixture = Fixture::with(|config| {
        config.limits.request_rate = Some("50/s".parse().expect("it is a rate"));
    });
    let endpoint = fixture.endpoint().clone();
    let mut reader = fixture.client("eva");
    runtime().block_on(async {
        let client = client(&endpoint).await;
        let mut producer = client.producer("p", 1, None);
        assert_eq!(publish_all(&mut producer, 1..100).await, 0);
        let patience = Some(Duration::ZERO);
        let mut impatient = client.producer("q", 1, patience);
        let mut answers = Vec::new();
        for _ in 0..200 {
            // It may have ended before all of them are taken.
            answers.extend(impatient.begin_publish("a").await.ok());
        }
        let mut errors = Vec::new();
        for answer in answers {
            errors.extend(answer.await.err());
        }
        assert_eq!(errors[0].code(), Some(ErrorCode::Throttled), "{errors:?}");
        client.fim().await.expect("it is there");
    });
    for n in 1..100 {
        assert_eq!(reader.skip_to("message").text("body"), format!("m {n}"));
    }
    fixture.finish();
}

#[test]
fn producer_ends_with_its_client() {
    let fixture = Fixture::with(|config| config.default_role = Role::Escritor);
    let endpoint = fixture.endpoint().clone();
    runtime().block_on(async {
        let client = client(&endpoint).await;
        let mut producer = client.producer("p", 1, None);
        publish_all(&mut producer, 1..5).await;
        client.fim().await.expect("it is there");
        let error = producer
            .publish("a")
            .await
            .expect_err("the client has ended");
        assert!(matches!(error, ClientError::Closed(_)), "{error:?}");
        let error = producer.publish("b").await.expect_err("it stays so");
        assert!(matches!(error, ClientError::Closed(_)), "{error:?}");
    });
    fixture.finish();
}

#[test]
fn producer_of_a_removed_account_fails() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let endpoint = served.endpoint().clone();
    runtime().block_on(async {
        let client = client(&endpoint).await;
        let mut producer = client.producer("p", 1, None);
        publish_all(&mut producer, 1..5).await;
        finish(&mut served.users(&["remove", "ana"]), "").expect_success();
        let error = client.closed().await;
        drop(error);
        let error = producer.publish("a").await.expect_err("it is revoked");
        assert!(matches!(error, ClientError::Closed(_)), "{error:?}");
    });
    served.stop();
}
