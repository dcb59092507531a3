//! `direction=duplex`: input is a request, output is the bare reply.

use std::sync::Arc;
use std::time::Duration;

use arauto::wire::Charset;
use arauto::{Answer, Handler, HandlerError, Request};

use super::{KINDS, encoded, fixture};
use crate::support::block_on;

#[test]
fn each_message_or_line_is_answered_with_the_bare_reply() {
    for kind in KINDS {
        let fixture = fixture(kind, "", |_| {});
        let mut client = fixture.bare();
        for (said, answer) in [("bom dia", "BOM DIA"), ("straße", "STRASSE"), ("", "")] {
            client.send_text(said);
            client.expect(answer);
        }
        block_on(fixture.server.publish("a broadcast")).expect("it runs");
        client.send_text("/who");
        client.expect("/WHO");
        client.send_text("fim");
        client.expect_end();
        drop(client);
        fixture.finish();
    }
}

#[test]
fn an_endpoints_handler_may_say_the_same_to_all() {
    let fixed = "&handler=fixed:Default%20answer%20from%20server";
    let fixture = fixture("seqpacket", fixed, |_| {});
    let mut client = fixture.bare();
    client.send(b"Default message from client\0");
    client.expect("Default answer from server\0");
    client.send(b"no terminator");
    client.expect("Default answer from server");
    fixture.finish();
}

#[test]
fn a_trailing_nul_is_taken_off_and_put_back_in_every_encoding() {
    for charset in Charset::ALL {
        for (kind, end) in [("seqpacket", ""), ("unix", "\n")] {
            let fixture = fixture(kind, &format!("&encoding={charset}"), |_| {});
            let mut client = fixture.bare();
            for (said, answer) in [("olá €", "OLÁ €"), ("olá\0", "OLÁ\0"), ("\0", "\0")] {
                client.send(&encoded(*charset, &format!("{said}{end}")));
                let answer = encoded(*charset, &format!("{answer}{end}"));
                assert_eq!(client.receive(), Some(answer), "{kind} {charset} {said:?}");
            }
            client.send(&encoded(*charset, &format!("fim\0{end}")));
            assert_eq!(client.receive(), None, "{kind} {charset}");
            drop(client);
            fixture.finish();
        }
    }
}

#[test]
fn a_line_may_end_in_cr_lf_come_in_pieces_and_the_last_have_no_end() {
    let fixture = fixture("unix", "", |_| {});
    let mut client = fixture.bare();
    for piece in ["ol", "á\r", "\ndois\nsem", " fim"] {
        client.send(piece.as_bytes());
    }
    client.shut_write();
    assert_eq!(client.rest(), ["OLÁ", "DOIS", "SEM FIM"]);
    drop(client);
    fixture.finish();
}

#[test]
fn what_is_not_in_the_encoding_is_replaced() {
    let fixture = fixture("seqpacket", "&handler=echo", |_| {});
    let mut client = fixture.bare();
    client.send(b"a\xffb");
    client.expect("a\u{fffd}b");
    fixture.finish();
}

#[test]
fn an_empty_message_is_a_request_and_not_the_end() {
    let fixture = fixture("seqpacket", "", |_| {});
    let mut client = fixture.bare();
    client.send(b"");
    client.send(b"");
    client.send(b"a");
    assert_eq!(
        [client.receive_text(), client.receive_text()],
        [Some(String::new()), Some(String::new())]
    );
    client.expect("A");
    client.shut_write();
    client.expect_end();
    drop(client);
    fixture.finish();
}

struct Moody;

impl Handler for Moody {
    fn handle(&self, request: Request<'_>) -> Answer {
        assert_eq!(request.user, "", "nobody has logged in");
        match request.body.as_text() {
            Some("pânico") => panic!("as the test wants it"),
            Some("não") => Answer::refuse(HandlerError::Forbidden("assim não".to_owned())),
            _ => Answer::now("sim\nou não"),
        }
    }
}

#[test]
fn a_request_that_fails_is_answered_with_why() {
    for kind in KINDS {
        let fixture = fixture(kind, "", |config| config.handler = Arc::new(Moody));
        let mut client = fixture.bare();
        client.send_text("não");
        client.expect("- forbidden assim não");
        client.send_text("sim");
        client.expect(match client.keeps_messages() {
            true => "sim\nou não",
            false => "sim ou não",
        });
        fixture.finish();
    }
}

#[test]
fn a_handler_that_panics_ends_the_session_that_asked_and_no_other() {
    for kind in KINDS {
        let fixture = fixture(kind, "", |config| config.handler = Arc::new(Moody));
        let (mut one, mut other) = (fixture.bare(), fixture.bare());
        one.send_text("pânico");
        one.send_text("não");
        one.expect_end();
        other.send_text("não");
        other.expect("- forbidden assim não");
        drop((one, other));
        fixture.wait_for_sessions(0);
        fixture.finish();
    }
}

#[test]
fn what_is_too_long_is_told_and_ends_the_session() {
    for kind in KINDS {
        let fixture = fixture(kind, "", |config| config.limits.max_frame = 2000);
        let mut client = fixture.bare();
        client.send_text(&"x".repeat(2000));
        client.expect(&"X".repeat(2000));
        client.send_text(&"x".repeat(2010));
        let told = client.receive_text().expect("it is told");
        assert!(told.starts_with("- frame-too-large "), "{told}");
        client.expect_end();
        drop(client);
        fixture.finish();
    }
}

#[test]
fn a_message_longer_than_the_system_hands_over_is_never_cut_without_a_word() {
    let fixture = fixture("seqpacket", "", |_| {});
    let mut client = fixture.bare();
    client.send(&vec![b'x'; 128 << 10]);
    assert_eq!(client.receive_message(), Some(vec![b'X'; 128 << 10]));
    client.send(&vec![b'x'; 200_000]);
    let told = client.receive_text().expect("it is told");
    assert!(
        told.starts_with("- frame-too-large a frame of 200000 bytes"),
        "{told}"
    );
    client.expect_end();
    drop(client);
    fixture.finish();
}

#[test]
fn nobody_has_to_log_in_but_whoever_says_nothing_for_too_long_must_go() {
    let fixture = fixture("unix", "", |config| {
        config.timeouts.login = Duration::from_millis(1);
        config.timeouts.idle = Some(Duration::from_millis(100));
    });
    let mut client = fixture.bare();
    client.send_text("bom dia");
    client.expect("BOM DIA");
    client.expect_end();
    drop(client);
    fixture.finish();
}

#[test]
fn many_requests_at_once_are_answered_in_their_order() {
    for kind in KINDS {
        let fixture = fixture(kind, "", |_| {});
        let mut client = fixture.bare();
        std::thread::scope(|scope| {
            let mut other = client.share();
            scope
                .spawn(move || (0..5000).for_each(|number| other.send_text(&format!("n{number}"))));
            for number in 0..5000 {
                client.expect(&format!("N{number}"));
            }
        });
        fixture.finish();
    }
}
