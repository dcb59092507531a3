//! The hand-written codecs write the same bytes and read the same frames as serde.

use std::borrow::Cow;

use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use crate::wire::cbor::{
    MessageFrames, PREFIX, by_hand, checked_client_item, encode, encode_body, encode_server,
    max_body,
};
use crate::wire::{Body, BodyFrame, ClientFrame, Message, Millis, Published, Seq, ServerFrame};

/// Generates numbers of all widths that a head can have, and those at their bounds.
pub(super) fn numbers() -> impl Strategy<Value = u64> {
    let edges = [0, 23, 24, 255, 256, 65_535, 65_536, 1 << 32, u64::MAX];
    prop_oneof![
        prop::sample::select(edges.to_vec()),
        any::<u64>(),
        0..70_000_u64
    ]
}

pub(super) fn bodies() -> impl Strategy<Value = Body<'static>> {
    let text = any::<String>().prop_map(Body::from);
    let bytes = prop::collection::vec(any::<u8>(), 0..300).prop_map(Body::from);
    let long = (65_000..66_000_usize).prop_map(|length| Body::from("x".repeat(length)));
    prop_oneof![4 => text, 4 => bytes, 1 => long, 1 => Just(Body::text(""))]
}

fn by_serde(frame: &ServerFrame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(frame, &mut bytes);
    bytes
}

proptest! {
    #[test]
    fn handwritten_encoder_equals_serde(
        id in numbers(), seq in numbers(), at in numbers(), from in "\\PC{1,20}", body in bodies(),
    ) {
        let mut item = Vec::new();
        encode_body(&body, &mut item);
        let (seq, at) = (Seq(seq), Millis(at));
        let frames = MessageFrames::new(&from, at);
        let mut message = Vec::new();
        frames.encode(seq, &item, &mut message);
        prop_assert_eq!(message.len(), frames.length(seq, &item));
        let from = Cow::Borrowed(from.as_str());
        let frame = ServerFrame::Message(Message { seq, from, at, body: body.clone() });
        prop_assert_eq!(message, by_serde(&frame));

        for frame in [
            ServerFrame::Published(Published { id, seq }),
            ServerFrame::Reply(BodyFrame { id, body }),
        ] {
            let mut bytes = Vec::new();
            encode_server(&frame, &mut bytes);
            prop_assert_eq!(bytes, by_serde(&frame));
        }
    }

    #[test]
    fn handwritten_decoder_equals_the_general_decoder(
        id in numbers(),
        body in bodies(),
        is_publish in any::<bool>(),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let asking = BodyFrame { id, body };
        let frame = if is_publish {
            ClientFrame::Publish(asking)
        } else {
            ClientFrame::Request(asking)
        };
        let mut bytes = Vec::new();
        encode(&frame, &mut bytes);
        let item = &mut bytes[PREFIX..];
        match damage {
            None => prop_assert_eq!(by_hand::body_frame(item), Some(frame)),
            Some((at, byte)) => {
                item[at.index(item.len())] = byte;
                if let Some(read) = by_hand::body_frame(item) {
                    prop_assert_eq!(checked_client_item(item).expect("it is well-formed"), read);
                }
            }
        }
    }
}

#[test]
fn max_body_fits_for_any_user_name() {
    let name = "n".repeat(crate::wire::LONGEST_NAME);
    let frames = MessageFrames::new(&name, Millis(u64::MAX));
    let item_length = |body: usize| {
        let mut item = Vec::new();
        encode_body(&Body::bytes(&vec![b'x'; body]), &mut item);
        frames.length(Seq(u64::MAX), &item) - PREFIX
    };
    // Covers each width of a string's head and the bounds between them.
    let around = |at: usize| at - 20..at + 20;
    let frames = around(1024)
        .chain(around((64 << 10) + 112))
        .chain([128 << 10, 1 << 20]);
    for max_frame in (113..420).chain(frames) {
        let longest = max_body(max_frame);
        assert!(item_length(longest) <= max_frame, "{max_frame}");
        assert!(item_length(longest + 1) > max_frame, "{max_frame}");
    }
    assert_eq!(max_body(0), 0);
}
