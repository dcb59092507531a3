//! The text dialect, line by line.

use std::io::{Read, Write};

use crate::support::Fixture;

fn fixture() -> Fixture {
    Fixture::listening("?dialect=text", |_| {})
}

#[test]
fn text_conversation_has_every_kind_of_line() {
    let fixture = fixture();
    let mut ana = fixture.lines();
    ana.expect("+ arauto 1");
    ana.exchange("/ping", "+ pong");
    ana.exchange("/login ana a senha tem espaços", "+ ana registered");
    ana.exchange("olá straße", "= OLÁ STRASSE");
    ana.exchange("//who", "= /WHO");
    ana.exchange("/who", "+ present ana");

    let mut rui = fixture.lines();
    rui.expect("+ arauto 1");
    rui.exchange("/login rui x", "+ rui registered");
    ana.expect("* joined 2 rui");
    rui.send_text("/publish bom  dia ");
    let mut lines =
        [rui.receive_text(), rui.receive_text()].map(|line| line.expect("two lines come"));
    lines.sort();
    assert_eq!(lines, ["* message 3 rui bom  dia ", "+ published 3"]);
    ana.expect("* message 3 rui bom  dia ");
    ana.exchange("/who", "+ present ana rui");
    rui.exchange("fim", ". fim");
    rui.expect_end();
    drop(rui);
    ana.expect("* left 4 rui");

    fixture.begin_stop();
    ana.expect("* stopping fim");
    ana.expect(". shutdown");
    ana.expect_end();
    fixture.assert_clean();
}

#[test]
fn second_text_login_is_logged_in_not_registered() {
    let fixture = fixture();
    for answer in ["+ ana registered", "+ ana logged in"] {
        let mut ana = fixture.lines();
        ana.expect("+ arauto 1");
        ana.exchange("/login ana segredo", answer);
        ana.exchange("fim", ". fim");
    }
    fixture.finish();
}

#[test]
fn text_error_is_a_code_and_a_message() {
    let fixture = fixture();
    let mut client = fixture.lines();
    client.expect("+ arauto 1");
    client.send_text("pedido");
    assert!(client.skip_to("- not-logged-in ").len() > "- not-logged-in ".len());
    client.send_text("/login");
    client.skip_to("- bad-name ");
    client.exchange("/login a/b x", "+ a/b registered");
    client.send_text("/login a/b x");
    client.skip_to("- already-logged-in ");
    fixture.finish();
}

#[test]
fn text_commands_of_topics_are_answered_and_delivered() {
    let fixture = fixture();
    let mut ana = fixture.lines();
    ana.expect("+ arauto 1");
    ana.send_text("/post a b");
    ana.skip_to("- not-logged-in ");
    ana.exchange("/login ana segredo", "+ ana registered");
    ana.exchange("/subscribe a/+", "+ subscribed a/+");
    ana.exchange("/post a/b ol\u{e1} mundo", "+ published 2");
    ana.expect("* post 2 ana a/b olá mundo");
    ana.exchange("/post c nothing", "+ published 3");
    ana.exchange("/tell ana psst", "+ published 4");
    ana.expect("* direct 4 ana psst");
    for (line, code) in [
        ("/tell nobody x", "- unknown-user "),
        ("/post $a x", "- bad-topic "),
        ("/post", "- bad-topic "),
        ("/subscribe a/#/b", "- bad-topic "),
    ] {
        ana.send_text(line);
        ana.skip_to(code);
    }
    ana.exchange("/unsubscribe a/+", "+ subscribed");
    ana.exchange("/post a/b for nobody", "+ published 5");
    ana.expect("* passed 5");
    ana.exchange("/posts", "= /POSTS");
    fixture.finish();
}

#[test]
fn text_control_characters_are_sent_as_escapes() {
    let fixture = fixture();
    let mut ana = fixture.lines();
    ana.expect("+ arauto 1");
    ana.exchange("/login ana x", "+ ana registered");
    ana.exchange(r"a\nb\r\\c\u{1b}[0m", r"= A\nB\r\\C\u{1b}[0M");
    fixture.finish();
}

#[test]
fn byte_string_is_shown_in_hexadecimal() {
    let fixture = Fixture::listening("?dialect=text&handler=echo", |_| {});
    let mut ana = fixture.lines();
    ana.expect("+ arauto 1");
    ana.exchange("/login ana x", "+ ana registered");
    let mut feed = fixture.server.subscribe();
    let published = crate::support::block_on(fixture.server.publish(vec![0, 0xff, 0x41]));
    let seq = published.expect("it runs");
    assert_eq!(
        crate::support::block_on(feed.next()).map(|event| event.seq()),
        Some(seq)
    );
    ana.expect(&format!(r"* message {seq} consola \x00\xff\x41"));
    fixture.finish();
}

#[test]
fn text_line_may_end_in_cr_lf_and_come_in_pieces() {
    let fixture = fixture();
    let mut ana = fixture.lines();
    ana.expect("+ arauto 1");
    for piece in ["/log", "in ana", " x\r", "\nolá", "\r\n"] {
        ana.send(piece.as_bytes());
    }
    ana.expect("+ ana registered");
    ana.expect("= OLÁ");
    fixture.finish();
}

#[test]
fn text_line_too_long_or_not_text_ends_the_session() {
    let fixture = fixture();
    for (line, code) in [
        (vec![b'x'; 17 << 10], "frame-too-large"),
        (vec![0xff, b'\n'], "bad-frame"),
    ] {
        let mut client = fixture.lines();
        client.expect("+ arauto 1");
        client.send(&line);
        client.skip_to(&format!("- {code} "));
        client.expect(&format!(". {code}"));
        client.expect_end();
    }
    fixture.finish();
}

#[test]
fn text_reader_gets_every_message_in_order() {
    let fixture = fixture();
    let mut ana = fixture.lines();
    ana.expect("+ arauto 1");
    ana.exchange("/login ana x", "+ ana registered");
    let publishes = (0..500)
        .map(|number| format!("/publish {number}\n"))
        .collect::<String>();
    ana.send(publishes.as_bytes());
    ana.send_text("fim");
    let mut heard = Vec::new();
    let mut published = 0;
    loop {
        let line = ana.receive_text().expect("closing comes first");
        match line
            .split_once(' ')
            .expect("each line has a mark and a rest")
        {
            ("*", rest) => heard.push(rest.to_owned()),
            ("+", _) => published += 1,
            (".", "fim") => break,
            other => panic!("nobody asked for {other:?}"),
        }
    }
    let expected = (0..500).map(|number| format!("message {} ana {number}", number + 2));
    assert_eq!(heard, expected.collect::<Vec<_>>());
    assert_eq!(published, 500);
    fixture.finish();
}

#[test]
fn text_endpoint_may_use_utf_16() {
    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }
    let fixture = Fixture::listening("?dialect=text&encoding=utf-16le", |_| {});
    let mut stream = fixture.stream();
    // U+0A0A holds the byte of LF twice, and is none.
    let said = utf16("/login ana x\nol\u{e1} \u{1f980}\u{a0a}\nfim\n");
    for byte in said {
        stream.write_all(&[byte]).expect("the server reads");
    }
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).expect("the server closes");
    let answers = "+ arauto 1\n+ ana registered\n= OL\u{c1} \u{1f980}\u{a0a}\n. fim\n";
    assert_eq!(heard, utf16(answers));
    fixture.finish();
}
