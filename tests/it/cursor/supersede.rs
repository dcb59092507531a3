//! Two sessions with one cursor.

use super::{heard, open, publish};
use crate::support::{Fixture, PASSWORD, ask, login, text};

#[test]
pub fn second_login_with_a_cursor_ends_the_first_with_superseded() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let mut first = fixture.unauthenticated();
    let begin = open(&mut first, "rui", "c").num("seq");
    let last = publish(&mut ana, 10);
    heard(&mut first, last);
    super::ack(&mut first, begin + 3);
    let mut second = fixture.unauthenticated();
    assert_eq!(open(&mut second, "rui", "c").num("seq"), begin + 3);
    let error = first.expect_error("superseded");
    assert!(error.get("id").is_none());
    first.ack(last); // read behind its closing: it has no effect
    first.expect_closing("superseded");
    drop(first);
    assert_eq!(
        heard(&mut second, last),
        (begin + 4..=last).collect::<Vec<_>>()
    );
    super::ack(&mut second, begin + 5);
    second.fim();
    drop(second);
    let mut third = fixture.unauthenticated();
    assert_eq!(open(&mut third, "rui", "c").num("seq"), begin + 5);
    fixture.finish();
}

#[test]
fn acks_sent_before_a_second_login_count_for_it() {
    let fixture = Fixture::with(|config| config.limits.arbiters = 2);
    let mut ana = fixture.client("ana");
    for round in 0..20 {
        let cursor = format!("c{round}");
        let mut first = fixture.unauthenticated();
        open(&mut first, "rui", &cursor);
        let last = publish(&mut ana, 3);
        heard(&mut first, last);
        super::ack(&mut first, last);
        let mut second = fixture.unauthenticated();
        assert_eq!(open(&mut second, "rui", &cursor).num("seq"), last);
        first.skip_to("closing");
        second.fim();
    }
    fixture.finish();
}

#[test]
fn many_logins_with_one_cursor_leave_one_session() {
    let fixture = Fixture::with(|config| config.limits.arbiters = 2);
    drop(fixture.client("rui"));
    let mut clients: Vec<_> = (0..10).map(|_| fixture.unauthenticated()).collect();
    for client in &mut clients {
        client.send(&login(1, "rui", PASSWORD).with("cursor", text("c")));
    }
    let mut left = 0;
    for client in &mut clients {
        client.skip_to("logged_in");
    }
    for client in &mut clients {
        // A pipe is closed for a superseded client before it has read why.
        let _ = client.try_send(&ask("ping", 2).bytes());
        let frame = loop {
            let frame = client.recv().expect("it is told");
            if frame.is("pong") || frame.is("closing") {
                break frame;
            }
        };
        if frame.is("closing") {
            assert_eq!(frame.text("reason"), "superseded");
        } else {
            left += 1;
        }
    }
    assert!(left >= 1, "the last one stays");
    drop(clients);
    fixture.finish();
}

#[test]
fn failed_login_with_a_cursor_supersedes_nobody() {
    let fixture = Fixture::new();
    let mut first = fixture.unauthenticated();
    open(&mut first, "rui", "c");
    let mut second = fixture.unauthenticated();
    second.send(&login(1, "rui", "another password").with("cursor", text("c")));
    second.expect_error("bad-credentials");
    first.ping();
    drop((first, second));
    fixture.finish();
}
