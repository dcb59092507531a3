//! `max` on a raw listener: further clients wait for a permit, because raw has no errors.

use super::{KINDS, fixture, rests, rows};
use crate::support::block_on;

#[test]
fn second_reader_at_max_1_is_served_after_the_first() {
    for kind in ["unix", "seqpacket"] {
        let fixture = fixture(kind, "&direction=outbound&max=1", |_| {});
        let mut first = fixture.bare();
        fixture.wait_for_sessions(1);
        let mut second = fixture.bare();
        block_on(fixture.server.publish("um")).expect("it runs");
        first.expect("um");
        assert_eq!(block_on(fixture.server.sessions()).len(), 1, "it waits");
        drop(first);
        assert!(block_on(fixture.server.wait_for_sessions(1)));
        // It may be the first one still, until that is seen to have gone.
        let second_is_in = || {
            block_on(fixture.server.sessions())
                .iter()
                .any(|s| s.session.0 == 2)
        };
        crate::support::wait_until("the second is in", second_is_in);
        block_on(fixture.server.publish("dois")).expect("it runs");
        second.expect("dois");
        fixture.begin_stop();
        assert_eq!(second.rest(), ["fim"]);
        drop(second);
        fixture.assert_clean();
    }
}

#[test]
fn input_sent_while_waiting_for_a_permit_is_answered() {
    for kind in KINDS {
        let fixture = fixture(kind, "&max=1", |_| {});
        let mut first = fixture.bare();
        first.send_text("um");
        first.expect("UM");
        let mut second = fixture.bare();
        second.send_text("");
        second.send_text("dois");
        first.send_text("fim");
        first.expect_end();
        drop(first);
        assert_eq!(
            [second.receive_text(), second.receive_text()].map(Option::unwrap),
            ["", "DOIS"]
        );
        fixture.finish();
    }
}

#[test]
fn waiting_raw_clients_are_served_in_turn() {
    let fixture = fixture("unix", "&max=2", |_| {});
    std::thread::scope(|scope| {
        for number in 0..50 {
            let fixture = &fixture;
            scope.spawn(move || {
                let mut client = fixture.bare();
                client.send_text(&format!("cliente {number}"));
                client.expect(&format!("CLIENTE {number}"));
            });
        }
    });
    fixture.finish();
}

#[test]
fn raw_client_waits_for_max_sessions_too() {
    let fixture = fixture("unix", "", |config| config.limits.max_sessions = 1);
    let mut first = fixture.bare();
    first.send_text("um");
    first.expect("UM");
    let mut second = fixture.bare();
    second.send_text("dois");
    drop(first);
    second.expect("DOIS");
    fixture.finish();
}

#[test]
fn stop_ends_waiting_raw_clients_cleanly() {
    for kind in ["unix", "seqpacket"] {
        let fixture = fixture(kind, "&direction=outbound&max=1", |_| {});
        let mut readers = vec![fixture.bare()];
        fixture.wait_for_sessions(1);
        readers.extend((0..5).map(|_| fixture.bare()));
        block_on(fixture.server.publish("um")).expect("it runs");
        fixture.begin_stop();
        let heard = rests(readers);
        assert_eq!(heard[0], ["um", "fim"]);
        assert!(
            heard[1..].iter().all(|rest| rest[..] == ["fim"]),
            "{heard:?}"
        );
        let report = fixture.assert_clean();
        assert_eq!(rows(&report).len(), 6);
    }
}
