//! `direction=duplex`: input is a request, output is the bare reply.

use std::sync::Arc;
use std::time::Duration;

use arauto::wire::Charset;
use arauto::{Answer, Handler, HandlerError, Request};

use super::{KINDS, encoded, fixture};
use crate::support::block_on;

#[test]
fn raw_request_is_answered_with_the_bare_reply() {
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
fn handler_may_answer_all_requests_alike() {
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
fn trailing_nul_is_kept_in_every_encoding() {
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
fn raw_line_may_end_in_cr_lf_or_at_the_end_of_input() {
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
fn bytes_outside_the_encoding_are_replaced() {
    let fixture = fixture("seqpacket", "&handler=echo", |_| {});
    let mut client = fixture.bare();
    client.send(b"a\xffb");
    client.expect("a\u{fffd}b");
    fixture.finish();
}

#[test]
fn empty_raw_message_is_a_request() {
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
fn failed_raw_request_is_answered_with_the_reason() {
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
fn panicking_handler_ends_only_its_raw_session() {
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
fn overlong_raw_request_gets_an_error_and_ends_the_session() {
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
fn truncated_raw_message_is_never_served_silently() {
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
fn silent_raw_session_ends_at_the_idle_timeout() {
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
fn pipelined_raw_requests_are_answered_in_order() {
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
