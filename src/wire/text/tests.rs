use super::*;
use crate::wire::{BodyFrame, ErrorCode, Login, Message, Millis, Seq};

fn parsed(line: &str) -> ClientFrame<'static> {
    match parse::line(Cow::Owned(line.to_owned())) {
        ClientFrame::Request(asking) => ClientFrame::Request(BodyFrame {
            id: asking.id,
            body: asking.body.into_owned(),
        }),
        other => other,
    }
}

fn request(body: Body<'static>) -> ClientFrame<'static> {
    ClientFrame::Request(BodyFrame { id: 0, body })
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
    let ClientFrame::Login(Login { user, password, .. }) = parsed("/login ana a b\\n ") else {
        panic!("a login");
    };
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
    let frame = ServerFrame::Message(Message {
        seq: Seq(7),
        from: Cow::Borrowed("ana"),
        at: Millis(0),
        body: Body::text("um\ndois"),
    });
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
