//! The text dialect over seqpacket: each message is one line.

use arauto::wire::Charset;

use crate::support::{Fixture, block_on};

#[test]
fn seqpacket_text_has_one_message_per_line() {
    let fixture = Fixture::on("seqpacket", "?dialect=text", |_| {});
    let mut ana = fixture.bare();
    ana.expect("+ arauto 1");
    for (line, answer) in [
        ("/login ana segredo", "+ ana registered"),
        ("olá\n", "= OLÁ"),
        ("olá\r\n", "= OLÁ"),
        ("/who", "+ present ana"),
        // Nothing but the message's end ends a line.
        ("um\n/who\ndois", "= UM\\n/WHO\\nDOIS"),
        ("", "= "),
    ] {
        ana.send(line.as_bytes());
        ana.expect(answer);
    }
    block_on(fixture.server.publish("bom\ndia")).expect("it runs");
    ana.expect("* message 2 consola bom\\ndia");
    fixture.begin_stop();
    assert_eq!(ana.rest(), ["* stopping fim", ". shutdown"]);
    drop(ana);
    fixture.assert_clean();
}

#[test]
fn seqpacket_text_may_be_utf_16() {
    let fixture = Fixture::on("seqpacket", "?dialect=text&encoding=utf-16le", |_| {});
    let mut ana = fixture.bare();
    let encoded = |text: &str| {
        let mut bytes = Vec::new();
        Charset::Utf16Le.encode(text, &mut bytes);
        bytes
    };
    assert_eq!(ana.receive(), Some(encoded("+ arauto 1")));
    ana.send(&encoded("/login ana x\n"));
    assert_eq!(ana.receive(), Some(encoded("+ ana registered")));
    ana.send(&encoded("ol\u{e1} \u{1f980}\u{a0a}"));
    assert_eq!(ana.receive(), Some(encoded("= OL\u{c1} \u{1f980}\u{a0a}")));
    fixture.finish();
}

#[test]
fn overlong_seqpacket_line_is_a_gap_and_reply_an_error() {
    let fixture = Fixture::on("seqpacket", "?dialect=text&handler=echo", |_| {});
    let mut ana = fixture.bare();
    ana.expect("+ arauto 1");
    ana.send_text("/login ana segredo");
    ana.expect("+ ana registered");
    // Each of these bytes becomes four.
    block_on(fixture.server.publish(vec![0; 100 << 10])).expect("it runs");
    ana.expect("* gap 2 2");
    ana.send_text(&"\u{1}".repeat(100 << 10));
    let told = ana.receive_text().expect("it is told");
    assert!(told.starts_with("- frame-too-large "), "{told}");
    ana.send_text("/ping"); // the request alone was refused
    ana.expect("+ pong");
    drop(ana);
    fixture.finish();
}
