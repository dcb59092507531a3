//! Publishers that do not wait: several batches are being written to disk at once.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Barrier, Mutex};

use arauto::wire::{ClientFrame, Decoded, ServerFrame, cbor};

use super::{Data, on_disk};
use crate::support::os::{self, Stream};
use crate::support::{Fixture, FrameClient, ask, prefixed, publish, request, text};

#[test]
fn answers_keep_the_frame_order_despite_disk_waits() {
    let data = Data::new();
    let fixture = Fixture::with(|config| data.journal(config));
    let stream = fixture.stream();
    let mut ana = FrameClient::local(stream.try_clone().expect("a descriptor is free"));
    ana.expect("welcome");
    ana.log_in("ana");
    let mut bytes = Vec::new();
    let mut names = Vec::new();
    for id in 0..3_000_u64 {
        let (frame, name) = match id % 1000 {
            997 => (request(id, text("x")), "reply"),
            998 => (ask("who", id), "present"),
            999 => (ask("ping", id), "pong"),
            _ => (publish(id, text(&"x".repeat(300))), "published"),
        };
        bytes.extend_from_slice(&frame.bytes());
        names.push(name);
    }
    let mut answers = Vec::new();
    std::thread::scope(|scope| {
        let mut writer = stream.try_clone().expect("a descriptor is free");
        scope.spawn(move || writer.write_all(&bytes).expect("the server reads"));
        while answers.len() < names.len() {
            let frame = ana.recv().expect("the session goes on");
            if !frame.is("message") {
                answers.push((frame.num("id"), frame.name.clone()));
            }
        }
    });
    for (id, ((answered, name), expected)) in answers.iter().zip(&names).enumerate() {
        assert_eq!((*answered, &**name), (id as u64, *expected));
    }
    let closing = ana.fim();
    assert_eq!(closing.num("accepted"), names.len() as u64);
    fixture.finish();
}

#[test]
fn bad_frame_behind_publishes_ends_after_their_answers() {
    let data = Data::new();
    let fixture = Fixture::with(|config| data.journal(config));
    let mut ana = fixture.client("ana");
    let mut bytes = Vec::new();
    for id in 0..700 {
        bytes.extend_from_slice(&publish(id, text("x")).bytes());
    }
    bytes.extend_from_slice(&prefixed(&[0xff]));
    ana.send_bytes(&bytes);
    let mut next = 0;
    let error = loop {
        let frame = ana.recv().expect("it is told");
        match frame.name.as_str() {
            "message" => {}
            "published" => {
                assert_eq!(frame.num("id"), next);
                next += 1;
            }
            _ => break frame,
        }
    };
    assert_eq!((next, error.text("code")), (700, "bad-frame"));
    // Answers go out before broadcasts: some of those may be yet to come.
    let closing = ana.skip_to("closing");
    assert_eq!(closing.text("reason"), "bad-frame");
    ana.expect_end();
    fixture.finish();
}

/// Publishes without waiting until the server says that it stops; its answers.
fn publish_until_the_end(
    client: FrameClient,
    stream: &Stream,
    name: usize,
) -> HashMap<u64, String> {
    let mut writer = stream.try_clone().expect("a descriptor is free");
    let writing = std::thread::spawn(move || {
        for first in (0_u64..).step_by(50) {
            let mut bytes = Vec::new();
            for id in first..first + 50 {
                let body = format!("{name}-{id}");
                let body = arauto::Body::text(&body);
                let frame = ClientFrame::Publish(arauto::wire::Publish::new(id, body));
                cbor::encode(&frame, &mut bytes);
            }
            if writer.write_all(&bytes).is_err() {
                return;
            }
        }
    });
    let mut client = client;
    let mut published = HashMap::new();
    let mut is_over = false;
    while !is_over {
        let heard = client.recv_item(|item| {
            let bytes = prefixed(item);
            match cbor::decode_server(&bytes, usize::MAX) {
                Ok(Decoded::Frame(ServerFrame::Published(answer), _)) => {
                    published.insert(answer.seq.0, format!("{name}-{}", answer.id));
                }
                Ok(Decoded::Frame(ServerFrame::Closing(_), _)) => is_over = true,
                Ok(_) => {}
                Err(error) => panic!("no frame: {error}"),
            }
        });
        assert!(heard.is_some(), "the pipe ended without closing");
    }
    os::end(stream);
    writing.join().expect("no panic");
    published
}

#[test]
fn publish_accepted_before_fim_is_on_disk_after_exit_0() {
    for _ in 0..5 {
        let data = Data::new();
        let fixture = Fixture::with(|config| data.journal(config));
        let published = Mutex::new(HashMap::new());
        let all_in = Barrier::new(6);
        std::thread::scope(|scope| {
            for name in 0..6 {
                let (fixture, published, all_in) = (&fixture, &published, &all_in);
                scope.spawn(move || {
                    let stream = fixture.stream();
                    let mut client = FrameClient::local(stream.try_clone().expect("a descriptor"));
                    client.expect("welcome");
                    client.log_in(&format!("user{name}"));
                    all_in.wait(); // the stop refuses later logins
                    let own = publish_until_the_end(client, &stream, name);
                    published.lock().expect("nobody panics").extend(own);
                });
            }
            let mut watcher = fixture.client("watcher");
            for _ in 0..2_000 {
                watcher.skip_to("message");
            }
            fixture.begin_stop();
            drop(watcher);
        });
        let report = fixture.assert_clean();
        let published = published.into_inner().expect("nobody panicked");
        assert!(published.len() > 1_000, "the stop fell into the work");
        let (kept, head) = on_disk(&data.database());
        assert_eq!(head, report.head.0);
        for (seq, body) in &published {
            assert_eq!(kept.get(seq), Some(body));
        }
        assert_eq!(kept.len() as u64, head, "no hole");
        let messages = kept.values().filter(|body| !body.is_empty()).count();
        assert_eq!(messages, published.len(), "and nothing that was refused");
    }
}
