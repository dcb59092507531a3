//! Where a session with a cursor begins.

use super::{ack, heard, open, publish};
use crate::support::Fixture;

#[test]
fn unknown_cursor_begins_at_the_head_and_is_stored_there() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    publish(&mut ana, 3);
    let mut rui = fixture.unauthenticated();
    let first = open(&mut rui, "rui", "c");
    assert!(first.flag("cursor_new"));
    let begin = first.num("seq");
    assert_eq!(begin, ana.skip_to("joined").num("seq"), "its own joined");
    rui.fim();
    drop(rui);
    let last = publish(&mut ana, 2);
    let mut rui = fixture.unauthenticated();
    let second = open(&mut rui, "rui", "c");
    assert!(second.get("cursor_new").is_none());
    assert_eq!(second.num("seq"), begin, "nothing was acknowledged");
    assert_eq!(
        heard(&mut rui, last),
        (begin + 1..=last).collect::<Vec<_>>()
    );
    fixture.finish();
}

#[test]
fn session_begins_behind_the_highest_ack_of_its_cursor() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let mut rui = fixture.unauthenticated();
    let begin = open(&mut rui, "rui", "c").num("seq");
    let last = publish(&mut ana, 10);
    heard(&mut rui, last);
    ack(&mut rui, begin + 4);
    ack(&mut rui, begin + 2); // behind an earlier one
    ack(&mut rui, last + 100); // ahead of what was sent
    rui.fim();
    drop(rui);
    let mut rui = fixture.unauthenticated();
    assert_eq!(open(&mut rui, "rui", "c").num("seq"), begin + 4);
    assert_eq!(
        heard(&mut rui, last),
        (begin + 5..=last).collect::<Vec<_>>()
    );
    ack(&mut rui, begin + 3); // behind the begin
    rui.fim();
    drop(rui);
    let mut rui = fixture.unauthenticated();
    assert_eq!(open(&mut rui, "rui", "c").num("seq"), begin + 4);
    fixture.finish();
}

#[test]
fn cursors_of_other_names_and_accounts_are_independent() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let sessions = [("rui", "c"), ("rui", "d"), ("eva", "c")];
    let mut clients = sessions.map(|(user, cursor)| {
        let mut client = fixture.unauthenticated();
        assert!(open(&mut client, user, cursor).flag("cursor_new"));
        client
    });
    let last = publish(&mut ana, 3);
    for (number, client) in (1..).zip(&mut clients) {
        heard(client, last);
        ack(client, last - number);
        client.fim();
    }
    drop(clients);
    for (number, (user, cursor)) in (1..).zip(sessions) {
        let mut client = fixture.unauthenticated();
        assert_eq!(open(&mut client, user, cursor).num("seq"), last - number);
    }
    fixture.finish();
}

#[test]
fn cursor_behind_the_log_begins_with_a_gap() {
    let fixture = Fixture::with(|config| {
        config.limits.log_bytes = 256 << 10;
        config.backpressure.window = 32 << 10;
    });
    let mut ana = fixture.client("ana");
    let mut rui = fixture.unauthenticated();
    let begin = open(&mut rui, "rui", "c").num("seq");
    rui.fim();
    drop(rui);
    let body = "x".repeat(8 << 10);
    for id in 0..100 {
        ana.publish(id, &body);
        ana.skip_to("published");
    }
    let mut rui = fixture.unauthenticated();
    assert_eq!(open(&mut rui, "rui", "c").num("seq"), begin);
    assert_eq!(rui.expect("gap").num("from"), begin + 1);
    fixture.finish();
}
