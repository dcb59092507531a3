//! Rows 7 to 9: `fim`, the stop, `closing`.

use std::sync::Arc;

use crate::support::{Fixture, PausedHandler};

#[test]
fn fim_after_requests_gets_answers_and_broadcasts_first() {
    let fixture = Fixture::new();
    let (mut ana, login) = fixture.client_and_login("ana");
    let first = login.num("seq") + 1;
    for id in 0..20 {
        ana.request(id, "a");
        ana.publish(100 + id, "b");
    }
    ana.ask("fim", 7);
    ana.request(8, "after fim: nobody answers this");
    let frames = ana.until("closing");
    ana.expect_end();
    let count = |name| frames.iter().filter(|frame| frame.is(name)).count();
    assert_eq!((count("reply"), count("published")), (20, 20));
    let heard: Vec<u64> = frames
        .iter()
        .filter(|frame| frame.is("message"))
        .map(|frame| frame.num("seq"))
        .collect();
    assert_eq!(heard, (first..first + 20).collect::<Vec<_>>());
    let closing = frames.last().expect("it ends with closing");
    assert_eq!(closing.text("reason"), "fim");
    assert_eq!(closing.num("last_seq"), first + 19);
    assert_eq!((closing.num("accepted"), closing.num("refused")), (40, 0));
    fixture.finish();
}

#[test]
fn bad_bytes_behind_fim_are_not_answered() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let mut bytes = crate::support::ask("fim", 7).bytes();
    bytes.extend([0xff; 8]); // announces a frame that no listener takes
    ana.send_bytes(&bytes);
    assert_eq!(ana.until("closing").len(), 1);
    ana.expect_end();
    fixture.finish();
}

#[test]
fn closing_counts_errors_but_not_login_ack_or_fim() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    ana.send(&crate::support::request(1, crate::support::bytes(&[1])));
    ana.expect_error("not-text");
    ana.ack(1);
    ana.ask("ping", 2);
    ana.expect("pong");
    let closing = ana.fim();
    assert_eq!((closing.num("accepted"), closing.num("refused")), (2, 0));
    fixture.finish();
}

#[test]
#[cfg(unix)] // a pipe has no side of its own
fn client_that_shuts_its_write_side_gets_answers_and_closing() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    ana.request(1, "a");
    ana.shut_write();
    assert_eq!(ana.expect("reply").text("body"), "A");
    ana.expect_closing("disconnected");
    fixture.finish();
}

#[test]
fn stop_sends_stopping_answers_broadcasts_then_closing() {
    let held = PausedHandler::default();
    let handler = Arc::new(held.clone());
    let fixture = Fixture::with(|config| config.handler = handler);
    let mut rui = fixture.client("rui");
    let (mut ana, login) = fixture.client_and_login("ana");
    rui.skip_to("joined");
    rui.publish(1, "before");
    rui.skip_to("message");
    ana.request(1, "slow");
    assert_eq!(ana.expect("message").num("seq"), login.num("seq") + 1);
    // The request is on its way to the handler; the stop must find it accepted.
    held.wait_for_request();

    fixture.begin_stop();
    let stopping = ana.expect("stopping");
    assert_eq!(stopping.text("reason"), "fim");
    assert!(stopping.get("id").is_none(), "nobody asked");
    assert!(
        (1..=20_000).contains(&stopping.num("remaining")),
        "{stopping:?}"
    );
    ana.publish(2, "late");
    rui.expect("stopping");
    rui.request(2, "late");
    assert_eq!(rui.expect_error("stopping").num("id"), 2);

    held.release();
    assert_eq!(ana.expect("reply").text("body"), "done");
    assert_eq!(ana.expect_error("stopping").num("id"), 2);
    // The server closes once all have read: nobody waits for the end before that.
    let closing = ana.expect("closing");
    assert_eq!(closing.num("last_seq"), login.num("seq") + 1);
    assert_eq!((closing.num("accepted"), closing.num("refused")), (1, 1));
    let closing = rui.expect_closing("shutdown");
    ana.expect_end();
    assert_eq!((closing.num("accepted"), closing.num("refused")), (1, 1));
    fixture.assert_clean();
}

#[test]
fn unauthenticated_session_gets_stopping_too() {
    let fixture = Fixture::new();
    let mut unauthenticated_client = fixture.unauthenticated();
    fixture.begin_stop();
    unauthenticated_client.expect("stopping");
    let closing = unauthenticated_client.expect_closing("shutdown");
    assert_eq!(closing.num("last_seq"), 0);
    fixture.assert_clean();
}
