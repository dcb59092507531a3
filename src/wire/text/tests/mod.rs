mod services;

use super::*;
use crate::wire::{
    ErrorCode, Login, Message, Millis, Passed, Publish, Request, Seq, Subscribe, Subscribed,
};

fn parsed(line: &str) -> ClientFrame<'static> {
    parse::line(Cow::Owned(line.to_owned()))
}

fn request(body: Body<'static>) -> ClientFrame<'static> {
    ClientFrame::Request(Request::new(0, body))
}

fn rendered(frame: &ServerFrame<'_>) -> String {
    let mut out = Vec::new();
    encode_server(Charset::Utf8, Framing::Messages, frame, &mut out);
    String::from_utf8(out).expect("it is utf-8")
}

#[test]
fn text_line_without_a_command_is_a_request() {
    assert_eq!(parsed("olá"), request(Body::text("olá")));
    assert_eq!(parsed(""), request(Body::text("")));
    assert_eq!(parsed("//who"), request(Body::text("/who")));
    assert_eq!(parsed("/whoever"), request(Body::text("/whoever")));
    assert_eq!(parsed("fim."), request(Body::text("fim.")));
}

#[test]
fn password_is_the_rest_of_the_line() {
    let ClientFrame::Login(login) = parsed("/login ana a b\\n ") else {
        panic!("a login");
    };
    let Login { user, password, .. } = *login;
    assert_eq!((&*user, &*password), ("ana", "a b\\n "));
}

#[test]
fn escapes_round_trip_and_unknown_ones_stay() {
    assert_eq!(
        parsed(r"a\nb\\c\u{1b}"),
        request(Body::text("a\nb\\c\u{1b}"))
    );
    assert_eq!(parsed(r"C:\dir\"), request(Body::text(r"C:\dir\")));
    assert_eq!(
        parsed(r"\u{110000}\u{"),
        request(Body::text(r"\u{110000}\u{"))
    );
    assert_eq!(parsed(r"\x00\xfF"), request(Body::bytes(&[0, 255])));
    assert_eq!(parsed(r"\x00 "), request(Body::text(r"\x00 ")));
    assert_eq!(
        body_line(&Body::text("a\nb\r\t\\\u{1b}\u{202e}\u{2028}é")),
        r"a\nb\r\u{9}\\\u{1b}\u{202e}\u{2028}é"
    );
    assert_eq!(body_line(&Body::bytes(&[0, 255])), r"\x00\xff");
}

#[test]
fn line_ends_in_lf_or_cr_lf_in_every_charset() {
    for charset in Charset::ALL {
        for end in ["\n", "\r\n"] {
            let mut bytes = Vec::new();
            charset.encode(&format!("olá{end}fim{end}"), &mut bytes);
            let Ok(Decoded::Frame(first, used)) = decode_client(*charset, &bytes, 100) else {
                panic!("a line");
            };
            assert_eq!(first, request(Body::text("olá")));
            let rest = decode_client(*charset, &bytes[used..], 100);
            assert!(matches!(rest, Ok(Decoded::Frame(ClientFrame::Fim(_), _))));
        }
    }
}

#[test]
fn line_limit_is_the_same_however_the_line_arrives() {
    for charset in Charset::ALL {
        let mut line = Vec::new();
        charset.encode("olá!", &mut line);
        let limit = line.len();
        charset.encode("\n", &mut line);
        for cut in 0..line.len() {
            let part = decode_client(*charset, &line[..cut], limit);
            assert_eq!(part, Ok(Decoded::Partial), "{charset} {cut}");
        }
        let whole = Decoded::Frame(request(Body::text("olá!")), line.len());
        assert_eq!(decode_client(*charset, &line, limit), Ok(whole));
        assert!(decode_client(*charset, &line[..limit], limit - charset.width()).is_err());
    }
}

#[test]
fn line_too_long_or_in_another_charset_is_an_error() {
    let code = |bytes: &[u8]| {
        decode_client(Charset::Utf8, bytes, 4)
            .expect_err("no line")
            .code
    };
    assert_eq!(code(b"12345"), ErrorCode::FrameTooLarge);
    assert_eq!(code(b"12345\n"), ErrorCode::FrameTooLarge);
    assert_eq!(code(b"\xff\n"), ErrorCode::BadFrame);
}

#[test]
fn text_message_is_one_line() {
    let mut out = Vec::new();
    let frame = ServerFrame::Message(Message::new(
        Seq(7),
        "ana",
        Millis(0),
        Body::text("um\ndois"),
    ));
    encode_server(Charset::Utf8, Framing::Stream, &frame, &mut out);
    assert_eq!(out, b"* message 7 ana um\\ndois\n");
    out.clear();
    encode_server(Charset::Utf8, Framing::Messages, &frame, &mut out);
    assert_eq!(out, b"* message 7 ana um\\ndois");
}

#[test]
fn text_message_with_a_line_ending_is_one_line() {
    for charset in Charset::ALL {
        for end in ["", "\n", "\r\n"] {
            let mut bytes = Vec::new();
            charset.encode(&format!("olá\nfim{end}"), &mut bytes);
            let frame = decode_message(*charset, &bytes, 100).expect("it is short");
            assert_eq!(frame, request(Body::text("olá\nfim")));
        }
    }
}

#[test]
fn post_has_a_topic_of_one_word() {
    let posted = |line: &str| match parsed(line) {
        ClientFrame::Publish(Publish {
            body,
            topic: Some(topic),
            options: None,
            ..
        }) => (topic, body),
        other => panic!("a post: {other:?}"),
    };
    let text = |topic: &'static str, body: &'static str| (Cow::Borrowed(topic), Body::text(body));
    assert_eq!(posted("/post a/b olá mundo"), text("a/b", "olá mundo"));
    assert_eq!(posted(r"/post a\u{20}b\\c x\ny"), text("a b\\c", "x\ny"));
    assert_eq!(
        posted(r"/post \x41 \x00"),
        (Cow::Borrowed(r"\x41"), Body::bytes(&[0]))
    );
    assert_eq!(posted("/post a"), text("a", ""));
    assert_eq!(posted("/post"), text("", ""));
    assert_eq!(parsed("/poste a"), request(Body::text("/poste a")));
}

#[test]
fn tell_names_the_only_receiver() {
    let ClientFrame::Publish(publish) = parsed(r"/tell ana\ olá\n") else {
        panic!("a publish");
    };
    let options = publish.options.expect("it has a receiver");
    assert_eq!(options.to.as_deref(), Some("ana\\"));
    assert_eq!((publish.topic, publish.body), (None, Body::text("olá\n")));
}

#[test]
fn subscribe_and_unsubscribe_have_patterns_of_one_word() {
    let frame = |add: &[&'static str], remove: &[&'static str], kept| {
        let owned = |list: &[&'static str]| list.iter().map(|text| Cow::Borrowed(*text)).collect();
        ClientFrame::Subscribe(Box::new(Subscribe {
            id: 0,
            add: owned(add),
            remove: owned(remove),
            kept,
        }))
    };
    assert_eq!(parsed("/subscribe a/#"), frame(&["a/#"], &[], Some(true)));
    assert_eq!(
        parsed(r"/subscribe a\u{20}b +"),
        frame(&["a b", "+"], &[], Some(true))
    );
    assert_eq!(parsed("/subscribe"), frame(&[""], &[], Some(true)));
    assert_eq!(parsed("/unsubscribe a"), frame(&[], &["a"], None));
}

#[test]
fn frames_of_topics_have_lines_of_their_own() {
    let mut message = Message::new(Seq(7), "ana", Millis(0), Body::text("um\ndois"));
    message.topic = Some(Cow::Borrowed("a b/\\"));
    let kept = ServerFrame::Kept(message.clone());
    assert_eq!(rendered(&kept), r"* kept 7 ana a\u{20}b/\\ um\ndois");
    let post = ServerFrame::Message(message.clone());
    assert_eq!(rendered(&post), r"* post 7 ana a\u{20}b/\\ um\ndois");
    message.to = Some(Cow::Borrowed("rui"));
    let direct = ServerFrame::Message(message);
    assert_eq!(rendered(&direct), r"* direct 7 ana um\ndois");
    let passed = ServerFrame::Passed(Passed { to: Seq(9) });
    assert_eq!(rendered(&passed), "* passed 9");
    let subscribed = |filter| {
        rendered(&ServerFrame::Subscribed(Subscribed {
            id: 0,
            seq: Seq(9),
            filter,
        }))
    };
    let filter = vec![Cow::Borrowed("a b"), Cow::Borrowed("#")];
    assert_eq!(subscribed(Some(filter)), r"+ subscribed a\u{20}b #");
    assert_eq!(subscribed(None), "+ subscribed");
}

/// A topic or a pattern is the same when it is written as a word and read again.
#[test]
fn word_round_trips_through_its_escapes() {
    for word in [
        "a b",
        " ",
        "a\\u{20}b",
        "a\\",
        "é/\u{2028}",
        "\\x41",
        "\u{202e}",
    ] {
        let mut written = String::new();
        escape::escape_word(word, &mut written);
        assert!(
            !written.contains([' ', '\u{2028}', '\u{202e}']),
            "{written:?}"
        );
        assert_eq!(escape::unescape_text(&written), word);
    }
}
