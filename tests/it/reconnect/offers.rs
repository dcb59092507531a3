//! The offers and requests of a client, over a break of its connection. The test plays the server.

use std::sync::Arc;
use std::time::Duration;

use arauto::wire::{
    AnswerFrame, CallFrame, Cancelled, ClientFrame, ErrorFrame, IdFrame, ReplyFrame, ReplyOptions,
    ServerFrame, Withdrawn,
};
use arauto::{Body, Call, CallError, Client, ClientError, ErrorCode, Reconnect, Responder};
use tokio::sync::Semaphore;

use super::peer::{Peer, Played, STREAM};

/// A client at a server with services, which reconnects.
fn played() -> (Played, Peer) {
    Played::serving(Some(Reconnect::new()), &["services"])
}

/// Accepts the client's next session.
fn next_session(played: &mut Played) -> Peer {
    let mut peer = Peer::serving(&played.listener, &["services"]);
    peer.login();
    peer.answer_login(STREAM, 5);
    peer
}

/// Reads an offer of the service `s`, and returns its id and limit.
fn read_offer(peer: &mut Peer) -> (u64, Option<u64>) {
    peer.read(|frame| match frame {
        ClientFrame::Offer(offer) if offer.service == "s" => (offer.id, offer.limit),
        other => panic!("an offer comes: {other:?}"),
    })
}

/// Answers an offer of the service `s`.
fn take_offer(peer: &mut Peer) {
    let (id, _) = read_offer(peer);
    peer.send(&ServerFrame::Offered(IdFrame { id }));
}

fn refuse(peer: &mut Peer, id: u64, code: ErrorCode) {
    peer.send(&ServerFrame::Error(ErrorFrame {
        id: Some(id),
        code,
        message: "no".into(),
        retry_after: Some(1),
    }));
}

fn call(peer: &mut Peer, call: u64, body: &str) {
    peer.send(&ServerFrame::Call(CallFrame {
        call,
        service: "s".into(),
        from: "rui".into(),
        body: Body::text(body),
        remaining: 30_000,
        headers: None,
    }));
}

/// Reads an answer: its call, and the body or the error's code.
fn read_answer(peer: &mut Peer) -> (u64, Result<Body<'static>, String>) {
    peer.read(|frame| match frame.into_owned() {
        ClientFrame::Answer(AnswerFrame { call, result }) => {
            let result = result.map(|(body, _)| body);
            (call, result.map_err(|error| error.code.into_owned()))
        }
        other => panic!("an answer comes: {other:?}"),
    })
}

async fn echo(call: Call) -> Result<Body<'static>, CallError> {
    Ok(call.body)
}

/// Offers the service `s` with a handler that echoes; the first session takes the offer.
fn offer(played: &Played, peer: &mut Peer) -> Responder {
    let client = played.client.clone();
    let offering = played.runtime.spawn(async move {
        let offer = client.offer("s", echo).limit(3);
        offer.await
    });
    let (id, limit) = read_offer(peer);
    assert_eq!(limit, Some(3));
    peer.send(&ServerFrame::Offered(IdFrame { id }));
    let responder = played
        .runtime
        .block_on(offering)
        .expect("it does not panic");
    responder.expect("it is taken")
}

#[test]
fn next_session_gets_the_offer_and_no_answer_of_the_last_one() {
    let (mut played, mut peer) = played();
    let gate = Arc::new(Semaphore::new(0));
    let (client, waits) = (played.client.clone(), Arc::clone(&gate));
    let offering = played.runtime.spawn(async move {
        let offer = client.offer("s", move |call: Call| {
            let waits = Arc::clone(&waits);
            async move {
                let _permit = waits.acquire().await.expect("it is never closed");
                echo(call).await
            }
        });
        offer.await
    });
    take_offer(&mut peer);
    let responder = played
        .runtime
        .block_on(offering)
        .expect("it does not panic");
    let responder = responder.expect("it is taken");
    call(&mut peer, 1, "velha");
    peer.send_message(6);
    played.expect_message(6); // the call has been read before
    drop(peer);
    played.expect_disconnected();
    let mut peer = next_session(&mut played);
    take_offer(&mut peer);
    gate.add_permits(1);
    call(&mut peer, 1, "nova");
    assert_eq!(read_answer(&mut peer), (1, Ok(Body::text("nova"))));
    drop(responder);
    let id = peer.read(|frame| match frame {
        ClientFrame::Withdraw(withdraw) => withdraw.id,
        other => panic!("it is withdrawn: {other:?}"),
    });
    let service = "s".into();
    let id = Some(id);
    peer.send(&ServerFrame::Withdrawn(Withdrawn { id, service }));
}

#[test]
fn offer_that_is_refused_for_a_moment_is_made_again() {
    let (mut played, mut peer) = played();
    let mut responder = offer(&played, &mut peer);
    drop(peer);
    played.expect_disconnected();
    let mut peer = next_session(&mut played);
    for code in [ErrorCode::Throttled, ErrorCode::Internal] {
        let (id, _) = read_offer(&mut peer);
        refuse(&mut peer, id, code);
    }
    take_offer(&mut peer);
    call(&mut peer, 1, "olá");
    assert_eq!(read_answer(&mut peer), (1, Ok(Body::text("olá"))));
    drop(peer);
    let mut peer = next_session(&mut played);
    let (id, _) = read_offer(&mut peer);
    refuse(&mut peer, id, ErrorCode::Forbidden);
    let ended = played.runtime.block_on(responder.ended());
    let error = ended.expect_err("it is refused for good");
    assert_eq!(error.code(), Some(ErrorCode::Forbidden));
}

#[test]
fn first_offer_that_is_refused_is_an_error_at_once() {
    let (played, mut peer) = played();
    for code in [ErrorCode::Throttled, ErrorCode::TooMany] {
        let client = played.client.clone();
        let offering = played
            .runtime
            .spawn(async move { client.offer("s", echo).await });
        let (id, limit) = read_offer(&mut peer);
        assert_eq!(limit, Some(64));
        refuse(&mut peer, id, code);
        let offered = played
            .runtime
            .block_on(offering)
            .expect("it does not panic");
        assert_eq!(offered.expect_err("it is refused").code(), Some(code));
    }
}

#[test]
fn service_is_offered_once_by_a_client() {
    let (played, mut peer) = played();
    let responder = offer(&played, &mut peer);
    assert_eq!(responder.service(), "s");
    let again = played.runtime.block_on(async {
        let offer = played.client.offer("s", echo);
        offer.await
    });
    let error = again.expect_err("there is a handler");
    assert!(matches!(error, ClientError::AlreadyOffered { service } if service == "s"));
    call(&mut peer, 1, "olá"); // the first handler stays
    assert_eq!(read_answer(&mut peer), (1, Ok(Body::text("olá"))));
}

#[test]
fn offer_withdrawn_unasked_is_told_and_may_be_made_again() {
    let (played, mut peer) = played();
    let mut responder = offer(&played, &mut peer);
    peer.send(&ServerFrame::Withdrawn(Withdrawn {
        id: None,
        service: "s".into(),
    }));
    let ended = played.runtime.block_on(responder.ended());
    ended.expect("it is withdrawn");
    call(&mut peer, 1, "olá");
    let refused = Err("not-offered".to_owned());
    assert_eq!(read_answer(&mut peer), (1, refused));
    let _again = offer(&played, &mut peer);
    call(&mut peer, 2, "olá");
    assert_eq!(read_answer(&mut peer), (2, Ok(Body::text("olá"))));
}

#[test]
fn withdraw_waits_for_the_calls_in_work() {
    let (played, mut peer) = played();
    let responder = offer(&played, &mut peer);
    let withdrawing = played.runtime.spawn(responder.withdraw());
    let id = peer.read(|frame| frame.id());
    call(&mut peer, 1, "olá"); // sent before the server has read it
    assert_eq!(read_answer(&mut peer), (1, Ok(Body::text("olá"))));
    assert!(!withdrawing.is_finished());
    let service = "s".into();
    peer.send(&ServerFrame::Withdrawn(Withdrawn { id, service }));
    let withdrawn = played.runtime.block_on(withdrawing);
    withdrawn
        .expect("it does not panic")
        .expect("it is withdrawn");
}

#[test]
fn offer_ends_with_the_client() {
    let (played, mut peer) = played();
    let mut responder = offer(&played, &mut peer);
    let client = played.client.clone();
    let ending = played.runtime.spawn(async move { client.fim().await });
    peer.read(|frame| assert!(matches!(frame, ClientFrame::Fim(_)), "{frame:?}"));
    call(&mut peer, 1, "olá"); // behind fim calls in work are answered
    assert_eq!(read_answer(&mut peer), (1, Ok(Body::text("olá"))));
    peer.send(&super::closing("fim"));
    played
        .runtime
        .block_on(ending)
        .expect("it does not panic")
        .expect("it has ended");
    let ended = played.runtime.block_on(responder.ended());
    let error = ended.expect_err("the client has ended");
    assert!(matches!(error, ClientError::Closed(_)), "{error:?}");
}

#[test]
fn responder_keeps_the_session_until_it_is_dropped() {
    let (played, mut peer) = played();
    let responder = offer(&played, &mut peer);
    let Played {
        runtime,
        client,
        events,
        ..
    } = played;
    drop((client, events));
    call(&mut peer, 1, "olá");
    assert_eq!(read_answer(&mut peer), (1, Ok(Body::text("olá"))));
    drop(responder);
    let id = peer.read(|frame| frame.id());
    let service = "s".into();
    peer.send(&ServerFrame::Withdrawn(Withdrawn { id, service }));
    peer.read_to_end();
    drop(runtime);
}

#[test]
fn client_without_the_feature_sends_nothing_of_services() {
    let (played, mut peer) = Played::new(None);
    let client = &played.client;
    let errors = played.runtime.block_on(async {
        [
            client.ask("s", "olá").await.map(drop),
            client.offer("s", echo).await.map(drop),
            client.services().await.map(drop),
        ]
    });
    for error in errors {
        let error = error.expect_err("it is not sent");
        assert!(matches!(error, ClientError::NotServed { .. }), "{error:?}");
    }
    let pinging = played.client.clone();
    let pinging = played.runtime.spawn(async move { pinging.ping().await });
    peer.read(|frame| assert!(matches!(frame, ClientFrame::Ping(_)), "{frame:?}"));
    pinging.abort();
}

/// Sends a request to the service `s`, and returns what the test server reads: the id and the
/// timeout.
fn ask(
    played: &Played,
    peer: &mut Peer,
    ask: impl FnOnce(&Client) -> arauto::Ask<'static>,
) -> (
    tokio::task::JoinHandle<Result<arauto::ServiceReply, ClientError>>,
    u64,
    Option<u64>,
) {
    let ask = ask(&played.client);
    let asking = played.runtime.spawn(async move { ask.await });
    let (id, timeout) = peer.read(|frame| match frame {
        ClientFrame::Request(request) => {
            assert_eq!(request.service(), Some("s"));
            let options = request.options.expect("it has a service");
            (request.id, options.timeout)
        }
        other => panic!("a request comes: {other:?}"),
    });
    (asking, id, timeout)
}

fn reply(peer: &mut Peer, id: u64, body: &str) {
    let mut reply = ReplyFrame::new(id, Body::text(body));
    reply.options = Some(Box::new(ReplyOptions {
        from: Some("rui".into()),
        headers: None,
    }));
    peer.send(&ServerFrame::Reply(reply));
}

#[test]
fn replies_of_services_come_in_any_order() {
    let (played, mut peer) = played();
    let (first, first_id, none) = ask(&played, &mut peer, |client| client.ask("s", "um"));
    let (second, second_id, timeout) = ask(&played, &mut peer, |client| {
        client.ask("s", "dois").timeout(Duration::from_micros(1500))
    });
    assert_eq!((none, timeout), (None, Some(2)));
    reply(&mut peer, second_id, "DOIS");
    let second = played.runtime.block_on(second).expect("it does not panic");
    let second = second.expect("it is answered");
    assert_eq!((second.body, &*second.from), (Body::text("DOIS"), "rui"));
    reply(&mut peer, first_id, "UM");
    let first = played.runtime.block_on(first).expect("it does not panic");
    assert_eq!(first.expect("it is answered").body, Body::text("UM"));
}

#[test]
fn only_throttled_requests_are_sent_again_with_patience() {
    let (played, mut peer) = played();
    let patient = |client: &Client| client.ask("s", "um").patience(Duration::from_secs(50));
    let (asking, id, _) = ask(&played, &mut peer, patient);
    refuse(&mut peer, id, ErrorCode::Throttled);
    let id = peer.read(|frame| frame.id().expect("it has an id"));
    reply(&mut peer, id, "UM");
    let answer = played.runtime.block_on(asking).expect("it does not panic");
    assert_eq!(answer.expect("it is answered").body, Body::text("UM"));
    for code in [
        ErrorCode::Unavailable,
        ErrorCode::Timeout,
        ErrorCode::Failed,
    ] {
        let (asking, id, _) = ask(&played, &mut peer, patient);
        refuse(&mut peer, id, code);
        let answer = played.runtime.block_on(asking).expect("it does not panic");
        assert_eq!(answer.expect_err("it is refused").code(), Some(code));
    }
}

#[test]
fn cancelled_call_is_not_answered() {
    let (mut played, mut peer) = played();
    let client = played.client.clone();
    let offering = played.runtime.spawn(async move {
        let offer = client.offer("s", async |call: Call| match call.body.as_text() {
            Some("never") => std::future::pending().await,
            _ => echo(call).await,
        });
        offer.limit(1).await
    });
    take_offer(&mut peer);
    let responder = played
        .runtime
        .block_on(offering)
        .expect("it does not panic");
    let _responder = responder.expect("it is taken");
    for number in 1..=3 {
        call(&mut peer, number, "never");
        peer.send(&ServerFrame::Cancelled(Cancelled { call: number }));
    }
    call(&mut peer, 4, "olá");
    assert_eq!(read_answer(&mut peer), (4, Ok(Body::text("olá"))));
    peer.send_message(6);
    played.expect_message(6);
}
