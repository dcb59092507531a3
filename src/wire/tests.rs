//! Properties of all dialects: no input causes a panic, and a frame decodes to what was encoded.

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::text::body_line;
use super::{
    Body, Charset, ClientFrame, Decoded, Dialect, MAX_FRAME, Publish, RawDialect, Request, cbor,
};

fn dialects() -> impl Iterator<Item = Dialect> {
    let text = Charset::ALL.iter().map(|charset| Dialect::Text(*charset));
    let raw = Charset::ALL.iter().map(|charset| {
        Dialect::Raw(RawDialect {
            charset: *charset,
            ..RawDialect::default()
        })
    });
    [Dialect::Cbor].into_iter().chain(text).chain(raw)
}

fn bodies() -> impl Strategy<Value = Body<'static>> {
    let text = any::<String>().prop_map(Body::from);
    let bytes = prop::collection::vec(any::<u8>(), 0..64).prop_map(Body::from);
    proptest::prop_oneof![text, bytes]
}

fn decode_everywhere(bytes: &[u8]) {
    for dialect in dialects() {
        let _ = dialect.decode(bytes, MAX_FRAME); // an error is as good as a frame
        let _ = dialect.decode_message(bytes, MAX_FRAME);
    }
    let _ = cbor::decode_server(bytes, MAX_FRAME);
}

proptest! {
    #[test]
    fn no_input_causes_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        decode_everywhere(&bytes);
        let mut framed = u32::try_from(bytes.len()).expect("small").to_be_bytes().to_vec();
        framed.extend_from_slice(&bytes);
        decode_everywhere(&framed);
    }

    /// The alphabet is small, so that line endings, whole and incomplete, are frequent.
    #[test]
    fn input_not_worth_decoding_is_still_partial(
        bytes in prop::collection::vec(prop::sample::select(b"\n\0x".to_vec()), 1..24),
        searched in 0..24_usize,
        limit in 1..24_usize,
    ) {
        let searched = searched.min(bytes.len());
        for dialect in dialects() {
            let was_partial = dialect.decode(&bytes[..searched], limit) == Ok(Decoded::Partial);
            if was_partial && !dialect.is_worth_decoding(&bytes, searched, limit) {
                prop_assert_eq!(dialect.decode(&bytes, limit), Ok(Decoded::Partial));
            }
        }
    }

    #[test]
    fn damaged_frame_causes_no_panic(
        id in any::<u64>(),
        body in bodies(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = Vec::new();
        cbor::encode(&ClientFrame::Request(Request::new(id, body)), &mut bytes);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        decode_everywhere(&bytes);
    }

    #[test]
    fn text_frame_decodes_as_it_was_encoded(id in any::<u64>(), body in bodies()) {
        let frame = ClientFrame::Publish(Publish::new(id, body));
        let mut bytes = Vec::new();
        cbor::encode(&frame, &mut bytes);
        let length = bytes.len();
        bytes.extend_from_slice(b"what follows is not looked at");
        let decoded = cbor::decode_client(&bytes, MAX_FRAME).expect("it is a frame");
        prop_assert_eq!(decoded, Decoded::Frame(frame, length));
    }

    #[test]
    fn body_line_parses_back_to_the_body(body in bodies()) {
        let line = body_line(&body);
        prop_assert!(!line.contains(char::is_control), "{:?}", line);
        let sent = format!("/publish {line}\n");
        let dialect = Dialect::Text(Charset::Utf8);
        let decoded = dialect.decode(sent.as_bytes(), MAX_FRAME).expect("it is a line");
        let Decoded::Frame(ClientFrame::Publish(asking), _) = decoded else {
            panic!("{sent:?} is no publish");
        };
        // An empty byte string has no digits to be known by.
        prop_assert!(asking.body == body || body.as_bytes().is_empty());
    }
}
