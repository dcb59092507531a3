//! `direction=outbound`: only the server sends.

use arauto::wire::Charset;
use arauto::{Client, Evidence, Seq};

use super::{KINDS, encoded, fixture, readers, rests, rows};
use crate::support::{Fixture, block_on};

fn say(fixture: &Fixture, body: &str) -> Seq {
    block_on(fixture.server.publish(body)).expect("the server runs")
}

#[test]
fn outbound_body_is_one_message_or_line_and_fim_is_last() {
    for kind in KINDS {
        let fixture = fixture(kind, "&direction=outbound", |_| {});
        let mut feed = fixture.server.subscribe();
        say(&fixture, "before anybody was there");
        block_on(feed.next()).expect("it is in the log");
        let readers = readers(&fixture, 3);
        say(&fixture, "bom dia");
        // Joins and leaves are not sent to it.
        block_on(async {
            let unauthenticated_client = Client::connect(&fixture.server.endpoints()[1])
                .await
                .unwrap();
            let (ana, _events) = unauthenticated_client
                .login("ana", "segredo")
                .await
                .unwrap();
            ana.publish("olá, straße").await.unwrap();
            ana.fim().await.unwrap();
        });
        say(&fixture, "");
        fixture.wait_for_sessions(3);
        fixture.begin_stop();
        for rest in rests(readers) {
            assert_eq!(rest, ["bom dia", "olá, straße", "", "fim"], "{kind}");
        }
        let report = fixture.assert_clean();
        for row in rows(&report) {
            assert_eq!((row.cut, row.sent), (report.head, report.head), "{row:?}");
            assert!(row.missing.is_empty() && row.gaps.is_empty(), "{row:?}");
            assert!(row.evidence >= Evidence::KernelAcked, "{row:?}");
            assert_eq!(row.reason, "shutdown");
        }
        assert_eq!(rows(&report).len(), 3);
    }
}

#[test]
fn outbound_body_is_in_the_listeners_encoding() {
    for (charset, text) in [
        (Charset::Utf8, "a→b 🦀 olá €"),
        (Charset::Utf16Le, "a→b 🦀 olá €"),
        (Charset::Windows1252, "a?b ? olá €"),
    ] {
        for kind in ["unix", "seqpacket"] {
            let options = format!("&direction=outbound&encoding={charset}");
            let fixture = fixture(kind, &options, |_| {});
            let mut reader = readers(&fixture, 1).remove(0);
            say(&fixture, "a→b 🦀 olá €");
            fixture.begin_stop();
            let end = if reader.keeps_messages() { "" } else { "\n" };
            let expected = format!("{text}{end}fim{end}");
            let heard: Vec<Vec<u8>> = std::iter::from_fn(|| reader.receive()).collect();
            assert_eq!(
                heard.concat(),
                encoded(charset, &expected),
                "{kind} {charset}"
            );
            drop(reader);
            fixture.assert_clean();
        }
    }
}

#[test]
fn line_break_in_a_body_makes_no_second_line() {
    let fixture = fixture("unix", "&direction=outbound", |_| {});
    let mut reader = readers(&fixture, 1).remove(0);
    say(&fixture, "um\r\ndois\nfim\r");
    reader.expect("um dois fim ");
    fixture.finish();
}

#[test]
fn outbound_message_is_exactly_the_body() {
    let fixture = fixture("seqpacket", "&direction=outbound", |_| {});
    let mut reader = readers(&fixture, 1).remove(0);
    say(&fixture, "um\r\ndois\n");
    block_on(fixture.server.publish(vec![0, 0xff, b'\n'])).expect("it runs");
    reader.expect("um\r\ndois\n");
    assert_eq!(reader.receive_message(), Some(vec![0, 0xff, b'\n']));
    fixture.finish();
}

#[test]
fn outbound_bytes_on_lines_are_decoded_as_text() {
    let fixture = fixture("unix", "&direction=outbound", |_| {});
    let mut reader = readers(&fixture, 1).remove(0);
    block_on(fixture.server.publish(b"a\xff\nb".to_vec())).expect("it runs");
    reader.expect("a\u{fffd} b");
    fixture.finish();
}

#[test]
fn outbound_message_ends_in_a_nul_with_the_option() {
    let options = "&direction=outbound&terminator=nul&encoding=utf-16le";
    let fixture = fixture("seqpacket", options, |_| {});
    let mut reader = readers(&fixture, 1).remove(0);
    say(&fixture, "olá");
    fixture.begin_stop();
    for text in ["olá\0", "fim\0"] {
        assert_eq!(
            reader.receive_message(),
            Some(encoded(Charset::Utf16Le, text))
        );
    }
    reader.expect_end();
    drop(reader);
    fixture.assert_clean();
}

#[test]
fn input_of_an_outbound_reader_is_ignored() {
    for kind in KINDS {
        let fixture = fixture(kind, "&direction=outbound", |_| {});
        let mut reader = readers(&fixture, 1).remove(0);
        reader.send_text("fim");
        reader.send(&[0xff; 150_000]);
        say(&fixture, "bom dia");
        reader.expect("bom dia");
        // nc -N, say, closes its own side when its input is over.
        reader.shut_write();
        say(&fixture, "boa tarde");
        reader.expect("boa tarde");
        fixture.begin_stop();
        assert_eq!(reader.rest(), ["fim"], "{kind}");
        drop(reader);
        let report = fixture.assert_clean();
        assert_eq!(
            (rows(&report)[0].accepted, rows(&report)[0].refused),
            (0, 0)
        );
    }
}

#[test]
fn gone_outbound_reader_is_noticed_without_traffic() {
    for kind in ["unix", "seqpacket"] {
        let fixture = fixture(kind, "&direction=outbound", |_| {});
        let both = readers(&fixture, 2);
        both[0].shut_write();
        drop(both);
        fixture.wait_for_sessions(0);
        fixture.finish();
    }
}

#[test]
fn silent_outbound_reader_has_no_idle_timeout() {
    let idle = std::time::Duration::from_millis(10);
    let fixture = fixture("unix", "&direction=outbound", |config| {
        config.timeouts.idle = Some(idle);
        config.timeouts.login = idle;
    });
    let mut reader = readers(&fixture, 1).remove(0);
    let asked = std::time::Instant::now();
    while asked.elapsed() < idle * 5 {
        say(&fixture, "tique");
        reader.expect("tique");
    }
    fixture.finish();
}

#[test]
fn body_too_long_for_a_message_is_skipped() {
    let fixture = fixture("seqpacket", "&direction=outbound", |_| {});
    let mut reader = readers(&fixture, 1).remove(0);
    let longest = "x".repeat(128 << 10);
    say(&fixture, &longest);
    let passed_over = say(&fixture, &"y".repeat(200 << 10));
    say(&fixture, "bom dia");
    reader.expect(&longest);
    reader.expect("bom dia");
    fixture.begin_stop();
    reader.expect("fim");
    reader.expect_end();
    drop(reader);
    let report = fixture.assert_clean();
    assert_eq!(rows(&report)[0].gaps, [(passed_over, passed_over)]);
    assert_eq!(rows(&report)[0].sent, report.head);
}
