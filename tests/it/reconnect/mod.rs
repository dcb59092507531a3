//! The library's client after a break: it logs in again, resumes, and tells what it missed.
//!
//! Most tests play the server themselves, so that the break comes where they want it.

mod filter;
mod offers;
mod peer;

use std::net::TcpListener;
use std::time::Duration;

use arauto::wire::{ClientFrame, Closing, ErrorFrame, ReplyFrame, Request, ServerFrame};
use arauto::{
    Body, Break, Client, ClientError, CloseReason, ErrorCode, Event, Gap, Incoming, Named,
    Reconnect, Seq,
};
use tokio::runtime::Runtime;

use self::peer::{Peer, Played, STREAM};
use crate::support::{PASSWORD, Served, wait_until, watchdog};

fn closing(reason: &str) -> ServerFrame<'_> {
    ServerFrame::Closing(Closing {
        reason: reason.into(),
        last_seq: Seq(5),
        accepted: 0,
        refused: 0,
    })
}

#[test]
fn client_after_a_break_resumes_behind_its_last_broadcast() {
    let (mut played, mut peer) = Played::new(Some(Reconnect::new()));
    for seq in 6..=8 {
        peer.send_message(seq);
    }
    drop(peer);
    for seq in 6..=8 {
        played.expect_message(seq);
    }
    let error = played.expect_disconnected();
    assert!(matches!(error, ClientError::Lost(_)), "{error:?}");

    let (mut peer, resumed) = Peer::log_in(&played.listener, STREAM, 8);
    assert_eq!(resumed, Some((STREAM.to_owned(), Seq(8), None)));
    let gap = Gap {
        from: Seq(9),
        to: Seq(11),
    };
    peer.send(&ServerFrame::Gap(gap));
    peer.send_message(12);
    match played.next_but_retries() {
        Some(Incoming::Reconnected(who)) => assert_eq!((&*who.stream, who.seq), (STREAM, Seq(8))),
        other => panic!("the new session is told: {other:?}"),
    }
    match played.next() {
        Some(Incoming::Event(Event::Gap(found))) => assert_eq!(found, gap),
        other => panic!("the gap is told: {other:?}"),
    }
    played.expect_message(12);
}

#[test]
fn new_session_after_a_break_carries_requests() {
    let (mut played, peer) = Played::new(Some(Reconnect::new()));
    drop(peer);
    played.expect_disconnected();
    let (mut peer, _) = Peer::log_in(&played.listener, STREAM, 5);
    let client = played.client.clone();
    played
        .runtime
        .block_on(client.connected())
        .expect("it is back");
    let asking = played
        .runtime
        .spawn(async move { client.request("bom dia").await });
    let id = peer.read(|frame| match frame {
        ClientFrame::Request(Request { id, .. }) => id,
        other => panic!("the request comes: {other:?}"),
    });
    let body = Body::text("BOM DIA");
    peer.send(&ServerFrame::Reply(ReplyFrame::new(id, body)));
    let answer = played.runtime.block_on(asking).expect("it does not panic");
    assert_eq!(answer.expect("it is answered"), Body::text("BOM DIA"));
}

#[test]
fn frames_in_flight_at_a_break_fail_as_lost() {
    let (played, mut peer) = Played::new(Some(Reconnect::new()));
    let client = played.client.clone();
    let (request, publish) = played.runtime.block_on(async {
        let request = client.begin_request("um").await.expect("it is sent");
        let publish = client.begin_publish("dois").await.expect("it is sent");
        (request, publish)
    });
    for _ in 0..2 {
        peer.read(|_| ());
    }
    drop(peer);
    let request = played.runtime.block_on(request).expect_err("it broke");
    let publish = played.runtime.block_on(publish).expect_err("it broke");
    for error in [request, publish] {
        assert!(matches!(error, ClientError::Lost(_)), "{error:?}");
    }
    // They are not sent again: the next session's first frame is another one.
    let (mut peer, _) = Peer::log_in(&played.listener, STREAM, 5);
    played
        .runtime
        .block_on(client.connected())
        .expect("it is back");
    let pinging = played.runtime.spawn(async move { client.ping().await });
    peer.read(|frame| assert!(matches!(frame, ClientFrame::Ping(_)), "{frame:?}"));
    pinging.abort();
}

#[test]
fn frames_in_flight_at_a_closing_fail_as_closed() {
    let (mut played, mut peer) = Played::new(Some(Reconnect::new()));
    let client = played.client.clone();
    let request = played.runtime.block_on(client.begin_request("um"));
    peer.read(|_| ());
    peer.send(&closing("shutdown"));
    let error = played.runtime.block_on(request.expect("it is sent"));
    let error = error.expect_err("it is not answered");
    assert!(
        matches!(
            error,
            ClientError::Closed(Named::Known(CloseReason::Shutdown))
        ),
        "{error:?}"
    );
    let told = played.expect_disconnected();
    assert!(
        matches!(
            told,
            ClientError::Closed(Named::Known(CloseReason::Shutdown))
        ),
        "{told:?}"
    );
}

#[test]
fn acknowledgement_after_a_closing_reaches_the_old_session() {
    let (mut played, mut peer) = Played::new(Some(Reconnect::new()));
    peer.send_message(6);
    peer.send(&closing("shutdown"));
    played.expect_message(6);
    played.expect_disconnected();
    let acked = played.runtime.block_on(played.client.ack(Seq(6)));
    acked.expect("the write side is open");
    peer.read(|frame| assert!(matches!(frame, ClientFrame::Ack(_)), "{frame:?}"));
    // The client goes on, and the old connection ends.
    let _ = played.events.try_next(); // nothing has come yet, or a notice
    peer.read_to_end();
}

#[test]
fn login_refused_for_good_after_a_break_ends_the_client() {
    let (mut played, peer) = Played::new(Some(Reconnect::new()));
    drop(peer);
    played.expect_disconnected();
    let mut peer = Peer::accept(&played.listener);
    peer.login();
    peer.send(&ServerFrame::Error(ErrorFrame {
        id: Some(0),
        code: ErrorCode::BadCredentials,
        message: "no".into(),
        retry_after: None,
    }));
    match played.next_but_retries() {
        Some(Incoming::Lost(error)) => assert_eq!(error.code(), Some(ErrorCode::BadCredentials)),
        other => panic!("the refusal is told: {other:?}"),
    }
    assert!(played.next().is_none());
    let ended = played.runtime.block_on(played.client.connected());
    assert_eq!(
        ended.expect_err("it has ended").code(),
        Some(ErrorCode::BadCredentials)
    );
}

#[test]
fn client_revoked_by_the_server_does_not_log_in_again() {
    let (mut played, mut peer) = Played::new(Some(Reconnect::new()));
    peer.send(&closing("revoked"));
    match played.next() {
        Some(Incoming::Closing(end)) => {
            assert_eq!(end.reason, CloseReason::Error(ErrorCode::Revoked));
        }
        other => panic!("the end is told: {other:?}"),
    }
    assert!(played.next().is_none());
}

#[test]
fn client_without_a_policy_ends_with_its_session() {
    let (mut played, peer) = Played::new(None);
    drop(peer);
    match played.next() {
        Some(Incoming::Lost(ClientError::Lost(_))) => {}
        other => panic!("the end is told: {other:?}"),
    }
    assert!(played.next().is_none());
}

#[test]
fn fim_between_two_sessions_ends_the_client() {
    let (mut played, peer) = Played::new(Some(Reconnect::new()));
    drop(peer);
    played.expect_disconnected();
    let ended = played.runtime.block_on(played.client.fim());
    let error = ended.expect_err("the session broke");
    assert!(
        matches!(
            error,
            ClientError::Lost(Break::NoClosing | Break::Io { .. })
        ),
        "{error:?}"
    );
    match played.next_but_retries() {
        Some(Incoming::Lost(_)) => {}
        other => panic!("the end is told: {other:?}"),
    }
}

#[test]
fn patience_ends_the_attempts() {
    let policy = Reconnect::new().patience(Duration::from_millis(500));
    let (mut played, peer) = Played::new(Some(policy));
    let spare = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    drop(std::mem::replace(&mut played.listener, spare));
    drop(peer);
    played.expect_disconnected();
    match played.next_but_retries() {
        Some(Incoming::Lost(error)) => assert!(
            matches!(error, ClientError::Connect { .. } | ClientError::Lost(_)),
            "{error:?}"
        ),
        other => panic!("the end is told: {other:?}"),
    }
}

#[test]
fn dropped_client_leaves_no_task_that_connects() {
    let (mut played, peer) = Played::new(Some(Reconnect::new()));
    drop(peer);
    played.expect_disconnected();
    let Played {
        runtime,
        client,
        events,
        ..
    } = played;
    drop((client, events));
    wait_until("the client's tasks have ended", || {
        runtime.metrics().num_alive_tasks() == 0
    });
}

#[test]
fn client_misses_nothing_across_a_killed_server() {
    let _watchdog = watchdog();
    let arguments = ["--journal", "--no-console"];
    let mut served = Served::new(&arguments);
    let runtime = Runtime::new().expect("a runtime can be made");
    let builder = Client::builder(served.endpoint().clone())
        .user("ana")
        .password(PASSWORD)
        .reconnect(Reconnect::new());
    let connected = runtime.block_on(builder.connect());
    let (client, mut events) = connected.expect("the server is there");
    let mut last = client.who_am_i().seq;
    let mut sessions = 1;
    for round in 0..3 {
        let published = runtime.block_on(async {
            client.connected().await.expect("it does not end");
            let mut published = Seq::ZERO;
            for _ in 0..50 {
                published = client.publish("bom dia").await.expect("it is published");
            }
            published
        });
        if round < 2 {
            served.child.kill().expect("it runs");
            served = Served::within(served.into_folder(), &arguments);
        }
        // Each seq comes once, over the sessions too.
        runtime.block_on(async {
            while last < published || (round < 2 && sessions < round + 2) {
                match events.next().await.expect("it does not end") {
                    Incoming::Event(event) => {
                        assert_eq!(event.seq(), last.next(), "{event:?}");
                        assert!(!matches!(event, Event::Gap(_)), "{event:?}");
                        last = event.seq();
                    }
                    Incoming::Reconnected(who) => {
                        sessions += 1;
                        assert_eq!(who.seq, last);
                    }
                    _ => {}
                }
            }
        });
    }
    assert_eq!(sessions, 3);
    runtime.block_on(client.fim()).expect("it ends in order");
    served.stop();
}
