//! The hand-written codecs write the same bytes and read the same frames as serde.

use std::borrow::Cow;

use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::codec::publishes;
use crate::topic::LONGEST_TOPIC;
use crate::wire::cbor::{
    FrameScanner, MessageFrames, MessageKeys, PREFIX, by_hand, checked_client_item, decode_server,
    encode, encode_body, encode_content, encode_server, max_body, max_body_with_topics,
    message_keys,
};
use crate::wire::{
    AnswerFrame, Body, ClientFrame, Decoded, Headers, LONGEST_HEADERS, LONGEST_NAME, MOST_HEADERS,
    Message, Millis, Publish, PublishOptions, Published, ReplyFrame, Request, RequestOptions, Seq,
    ServerFrame,
};

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

fn maybe_text() -> impl Strategy<Value = Option<Cow<'static, str>>> {
    prop::option::of(any::<String>().prop_map(Cow::Owned))
}

/// Generates the frames that are read by hand.
fn usual_frames() -> impl Strategy<Value = ClientFrame<'static>> {
    let publish = (numbers(), bodies(), maybe_text()).prop_map(|(id, body, topic)| {
        let mut publish = Publish::new(id, body);
        publish.topic = topic;
        ClientFrame::Publish(publish)
    });
    let options = (any::<String>(), prop::option::of(numbers()));
    let options = options.prop_map(|(service, timeout)| RequestOptions {
        service: Some(Cow::Owned(service)),
        timeout,
        headers: None,
    });
    let options = prop::option::of(options.prop_map(Box::new));
    let request = (numbers(), bodies(), options);
    let request = request.prop_map(|(id, body, options)| Request { id, body, options });
    let answer = (numbers(), bodies()).prop_map(|(call, body)| AnswerFrame {
        call,
        result: Ok((body, None)),
    });
    prop_oneof![
        publish,
        request.prop_map(ClientFrame::Request),
        answer.prop_map(ClientFrame::Answer),
    ]
}

fn read_by_hand(item: &[u8]) -> Option<ClientFrame<'_>> {
    by_hand::body_frame(item).or_else(|| by_hand::answer(item).map(ClientFrame::Answer))
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
        let frame = ServerFrame::Message(Message::new(seq, from.as_str(), at, body.clone()));
        prop_assert_eq!(message, by_serde(&frame));

        for frame in [
            ServerFrame::Published(Published::new(id, seq)),
            ServerFrame::Reply(ReplyFrame::new(id, body)),
        ] {
            let mut bytes = Vec::new();
            encode_server(&frame, &mut bytes);
            prop_assert_eq!(bytes, by_serde(&frame));
        }
    }

    #[test]
    fn handwritten_decoder_equals_the_general_decoder(
        frame in usual_frames(),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut bytes = Vec::new();
        encode(&frame, &mut bytes);
        let item = &mut bytes[PREFIX..];
        match damage {
            None => prop_assert_eq!(read_by_hand(item), Some(frame)),
            Some((at, byte)) => {
                item[at.index(item.len())] = byte;
                if let Some(read) = read_by_hand(item) {
                    prop_assert_eq!(checked_client_item(item).expect("it is well-formed"), read);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn message_with_any_keys_is_written_and_read_like_serde(
        publish in publishes(), seq in numbers(), at in numbers(), from in "\\PC{1,20}",
    ) {
        let mut content = Vec::new();
        let keys = encode_content(&publish, &mut content).count;
        let (seq, at) = (Seq(seq), Millis(at));
        let frames = MessageFrames::new(&from, at);
        let mut bytes = Vec::new();
        frames.encode_with_keys(seq, &content, keys, &mut bytes);
        prop_assert_eq!(bytes.len(), frames.length(seq, &content));
        let options = publish.options.as_deref().cloned().unwrap_or_default();
        let message = Message {
            seq,
            from: Cow::Borrowed(from.as_str()),
            at,
            body: publish.body.clone(),
            topic: publish.topic.clone(),
            headers: options.headers,
            keep: options.keep == Some(true),
            to: options.to,
        };
        prop_assert_eq!(&bytes, &by_serde(&ServerFrame::Message(message.clone())));
        let expected = MessageKeys {
            seq,
            from: &from,
            at,
            topic: message.topic.as_deref(),
            keep: message.keep,
            to: message.to.as_deref(),
            is_empty_text: message.body.as_text() == Some(""),
        };
        prop_assert_eq!(message_keys(&bytes), Some(expected));
        let mut scanned = Vec::new();
        let outcome = FrameScanner::new(Seq(0), usize::MAX)
            .with_skipped_seqs()
            .scan(&bytes, |frame| scanned.push(format!("{frame:?}")));
        if seq > Seq(0) {
            prop_assert_eq!((outcome, scanned.len()), (Ok(()), 1));
        }
        for end in 0..bytes.len() {
            prop_assert_eq!(message_keys(&bytes[..end]), None);
        }
    }

    /// The keys that are read from a damaged message equal the keys that the general decoder reads.
    #[test]
    fn keys_of_a_damaged_message_equal_those_of_the_decoder(
        publish in publishes(), damage in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut content = Vec::new();
        let keys = encode_content(&publish, &mut content).count;
        let mut bytes = Vec::new();
        let frames = MessageFrames::new("ana", Millis(5));
        frames.encode_with_keys(Seq(7), &content, keys, &mut bytes);
        let at = PREFIX + damage.index(bytes.len() - PREFIX);
        bytes[at] = byte;
        if let Some(keys) = message_keys(&bytes) {
            let decoded = decode_server(&bytes, usize::MAX);
            if let Ok(Decoded::Frame(ServerFrame::Message(message), _)) = &decoded {
                prop_assert_eq!(keys.seq, message.seq);
                prop_assert_eq!(keys.topic, message.topic.as_deref());
                prop_assert_eq!(keys.to, message.to.as_deref());
                prop_assert_eq!(keys.keep, message.keep);
            }
        }
    }
}

#[test]
fn max_body_with_topics_fits_for_any_keys() {
    let mut headers = Headers::default();
    for number in 0..MOST_HEADERS {
        headers.push(
            format!("{number:02}"),
            "v".repeat(LONGEST_HEADERS / MOST_HEADERS - 2),
        );
    }
    assert_eq!(
        (headers.len(), headers.bytes()),
        (MOST_HEADERS, LONGEST_HEADERS)
    );
    let name = "n".repeat(LONGEST_NAME);
    let mut publish = Publish::new(0, Body::text(""));
    publish.topic = Some("t".repeat(LONGEST_TOPIC).into());
    publish.options = Some(Box::new(PublishOptions {
        headers: Some(headers),
        keep: Some(true),
        to: Some(name.clone().into()),
        ..PublishOptions::default()
    }));
    let frames = MessageFrames::new(&name, Millis(u64::MAX));
    for max_frame in [8 << 10, 64 << 10, 128 << 10, 1 << 20] {
        let longest = max_body_with_topics(max_frame);
        publish.body = Body::from("x".repeat(longest));
        let mut content = Vec::new();
        encode_content(&publish, &mut content);
        let item = frames.length(Seq(u64::MAX), &content) - PREFIX;
        assert!(
            (max_frame - 200..=max_frame).contains(&item),
            "{max_frame} {item}"
        );
    }
    assert_eq!(max_body_with_topics(4096), 0);
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
