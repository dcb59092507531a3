//! Rows 3 to 5: presence, the stream, publishing.

use crate::support::{Fixture, Frame, bytes, publish, text};

fn seqs(frames: &[Frame]) -> Vec<u64> {
    frames.iter().map(|frame| frame.num("seq")).collect()
}

#[test]
fn joined_and_left_are_numbered_broadcasts() {
    let fixture = Fixture::new();
    let (mut ana, login) = fixture.client_and_login("ana");
    let mut rui = fixture.client("rui");
    rui.publish(1, "olá");
    rui.skip_to("published");
    rui.fim();
    let (joined, message, left) = (
        ana.expect("joined"),
        ana.expect("message"),
        ana.expect("left"),
    );
    assert_eq!(joined.text("user"), "rui");
    assert_eq!((message.text("from"), message.text("body")), ("rui", "olá"));
    assert_eq!(left.text("user"), "rui");
    let first = login.num("seq") + 1;
    assert_eq!(
        seqs(&[joined, message, left]),
        [first, first + 1, first + 2]
    );
    fixture.finish();
}

#[test]
fn session_gets_every_broadcast_after_login_in_order() {
    let fixture = Fixture::new();
    let (mut ana, ana_login) = fixture.client_and_login("ana");
    let (mut rui, rui_login) = fixture.client_and_login("rui");
    assert_eq!(
        ana_login.num("seq") + 1,
        rui_login.num("seq"),
        "rui's joined is before rui's S"
    );
    for number in 0..100 {
        ana.publish(number, "a");
        rui.publish(number, "b");
    }
    for (client, login) in [(&mut ana, ana_login), (&mut rui, rui_login)] {
        let mut heard = Vec::new();
        while heard.len() < 200 {
            let frame = client.recv().expect("the session goes on");
            match frame.name.as_str() {
                "message" => heard.push(frame.num("seq")),
                "joined" => assert_eq!(frame.num("seq"), login.num("seq") + 1),
                other => assert_eq!(other, "published"),
            }
        }
        assert_eq!(heard, (3..203).collect::<Vec<_>>(), "no hole, no repeat");
    }
    fixture.finish();
}

#[test]
fn fresh_login_does_not_see_its_own_joined() {
    let fixture = Fixture::new();
    let (mut ana, login) = fixture.client_and_login("ana");
    ana.publish(1, "first");
    let message = ana.skip_to("message");
    assert_eq!(message.num("seq"), login.num("seq") + 1);
    fixture.finish();
}

#[test]
fn body_keeps_its_kind_text_or_bytes() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    for body in [
        text("ol\u{e1}\n\u{1f980}"),
        text(""),
        bytes(&[0, 0xff, 10]),
        bytes(&[]),
    ] {
        ana.send(&publish(1, body.clone()));
        let frames = [ana.recv(), ana.recv()].map(|frame| frame.expect("two frames come"));
        let message = frames.iter().find(|frame| frame.is("message"));
        assert_eq!(
            message.expect("one is the message").get("body"),
            Some(&body)
        );
    }
    fixture.finish();
}

#[test]
fn published_has_the_seq_of_its_message() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let mut published = Vec::new();
    let mut messages = Vec::new();
    for id in 0..50 {
        ana.publish(id, &id.to_string());
    }
    while published.len() < 50 || messages.len() < 50 {
        let frame = ana.recv().expect("the session goes on");
        match frame.name.as_str() {
            "published" => published.push((frame.num("id").to_string(), frame.num("seq"))),
            "message" => messages.push((frame.text("body").to_owned(), frame.num("seq"))),
            other => panic!("nobody asked for {other}"),
        }
    }
    assert_eq!(published, messages);
    fixture.finish();
}

#[test]
fn console_line_is_published_as_consola() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let seq = crate::support::block_on(fixture.server.publish("aviso")).expect("it runs");
    let message = ana.expect("message");
    assert_eq!(
        (message.text("from"), message.num("seq")),
        ("consola", seq.0)
    );
    fixture.finish();
}
