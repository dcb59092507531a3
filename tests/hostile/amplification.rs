//! Small inputs that could cost much memory: announced lengths, deep nesting, and tiny items that
//! decode to large values.

use crate::process::{MIB, Process};
use crate::support::{Frame, FrameClient, PASSWORD, Served, login, prefixed, watchdog};
use crate::{alone, may_open, serve};

/// The server's own default.
const MAX_FRAME: usize = 1 << 20;

/// The announced frame length in bytes, and the number of sessions that announce it.
const ANNOUNCED: usize = MAX_FRAME;
const ANNOUNCERS: usize = 1000;
const USERS: usize = 50;

/// The allowed growth of memory for all sessions: 8 KiB each, much less than 1 MiB each.
const FOR_ALL: u64 = 8 * MIB;

/// The allowed growth of memory for single frames of 1 MiB: the frame in the read buffer and in
/// the queue, and its answer, but not a value for each of its bytes.
const FOR_ONE: u64 = 4 * MIB;

const DEPTH: usize = 100_000;

struct Target {
    served: Served,
    process: Process,
    witness: FrameClient,
    before: u64,
}

impl Target {
    /// Starts a server whose users have registered, so that no hash is computed later.
    fn new(users: &[String]) -> Target {
        let served = serve(&["--data", "none"]);
        let process = Process::of(&served);
        for name in users {
            user(&served, name).fim();
        }
        // The buffers reach their size with this.
        let mut witness = user(&served, "ana");
        witness.request(1, &"x".repeat(MAX_FRAME / 2));
        witness.skip_to("reply");
        process.forget_peak();
        Target {
            before: process.memory(),
            served,
            process,
            witness,
        }
    }

    /// Asserts that another client is served, and that the memory has grown by less than allowed.
    #[track_caller]
    fn assert_unharmed(&mut self, what: &str, allowed: u64) {
        self.witness.request(2, "olá");
        self.witness.skip_to("reply");
        let grown = self.process.peak().saturating_sub(self.before);
        println!("{what}: the memory grew by {} KiB at most", grown / 1024);
        assert!(grown < allowed, "{what}: it grew by {grown} bytes");
    }

    fn stop(self) {
        drop(self.witness);
        self.served.stop();
    }
}

fn user(served: &Served, name: &str) -> FrameClient {
    let mut client = served.unauthenticated();
    client.send(&login(0, name, PASSWORD));
    client.expect("logged_in");
    client
}

/// `{"request": {"id": 7, KEY: …}}` around these bytes.
fn request_around(key: &str, item: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xa1, 0x67];
    frame.extend_from_slice(b"request");
    frame.push(0xa2);
    frame.extend_from_slice(b"\x62id\x07");
    frame.push(0x60 + u8::try_from(key.len()).expect("it is short"));
    frame.extend_from_slice(key.as_bytes());
    frame.extend_from_slice(item);
    frame
}

/// Nests `outer` to this depth around a null.
fn nested(outer: &[u8], depth: usize) -> Vec<u8> {
    let mut item = outer.repeat(depth);
    item.push(0xf6);
    item
}

/// Makes an array of `length` items of one byte each.
fn array_of(item: u8, length: usize) -> Vec<u8> {
    let announced = u32::try_from(length).expect("it is a frame").to_be_bytes();
    let mut array = vec![0x9a];
    array.extend_from_slice(&announced);
    array.resize(array.len() + length, item);
    array
}

#[test]
fn frame_lengths_up_to_4_gib_are_refused_at_the_prefix() {
    let (_alone, _watchdog) = (alone(), watchdog());
    let mut target = Target::new(&["bia".to_owned()]);
    for length in [1 << 24, u32::MAX / 2, u32::MAX] {
        let mut unauthenticated = target.served.unauthenticated();
        unauthenticated.send_bytes(&length.to_be_bytes());
        unauthenticated.expect_error("frame-too-large");
        unauthenticated.expect_closing("frame-too-large");
        let mut member = user(&target.served, "bia");
        member.send_bytes(&length.to_be_bytes());
        member.skip_to("error");
        member.skip_to("closing");
    }
    target.assert_unharmed("prefixes of up to 4 GiB", FOR_ONE);
    target.stop();
}

#[test]
fn announced_1_mib_frames_of_1000_sessions_take_no_memory() {
    let (_alone, _watchdog) = (alone(), watchdog());
    may_open(2 * ANNOUNCERS as u64);
    let users: Vec<String> = (0..USERS).map(|number| format!("u{number}")).collect();
    let mut target = Target::new(&users);
    let announced = u32::try_from(ANNOUNCED).expect("it is short");
    let announcers: Vec<FrameClient> = (0..ANNOUNCERS)
        .map(|number| {
            let mut client = user(&target.served, &users[number % USERS]);
            client.send_bytes(&announced.to_be_bytes());
            client.send_bytes(&[0xa1]);
            client
        })
        .collect();
    target.assert_unharmed("1,000 announcements of 1 MiB", FOR_ALL);
    drop(announcers);
    target.stop();
}

#[test]
fn nesting_100_000_deep_anywhere_is_bad_frame() {
    let (_alone, _watchdog) = (alone(), watchdog());
    let mut target = Target::new(&["bia".to_owned()]);
    let outers: [(&str, &[u8]); 5] = [
        ("arrays", &[0x81]),
        ("endless arrays", &[0x9f]),
        ("maps", &[0xa1, 0x61, b'a']),
        ("endless maps", &[0xbf, 0x61, b'a']),
        ("tags", &[0xd9, 0xd9, 0xf7]),
    ];
    for (what, outer) in outers {
        for key in ["body", "x"] {
            let mut member = user(&target.served, "bia");
            let frame = prefixed(&request_around(key, &nested(outer, DEPTH)));
            assert!(
                frame.len() < MAX_FRAME,
                "the frame is refused for its depth, not its length"
            );
            member.send_bytes(&frame);
            let error = member.skip_to("error");
            assert_eq!(error.text("code"), "bad-frame", "{what} under {key}");
            member.skip_to("closing");

            let mut unauthenticated = target.served.unauthenticated();
            let frame = request_around(key, &nested(outer, 5000));
            unauthenticated.send_bytes(&prefixed(&frame));
            unauthenticated.expect_error("bad-frame");
            unauthenticated.expect_closing("bad-frame");
        }
    }
    target.assert_unharmed("nesting", FOR_ONE);
    target.stop();
}

#[test]
fn array_of_1_mib_of_tiny_items_takes_bounded_memory() {
    let (_alone, _watchdog) = (alone(), watchdog());
    let mut target = Target::new(&["bia".to_owned()]);
    // Empty arrays, empty maps, empty strings, unassigned simple values.
    for item in [0x80, 0xa0, 0x60, 0xe0] {
        let length = MAX_FRAME - 64;
        let mut member = user(&target.served, "bia");
        member.send_bytes(&prefixed(&request_around("body", &array_of(item, length))));
        assert_eq!(member.skip_to("error").text("code"), "bad-frame");
        member.skip_to("closing");

        // Under an unknown key the array is skipped; the frame is bad because the body is missing.
        let mut member = user(&target.served, "bia");
        member.send_bytes(&prefixed(&request_around("x", &array_of(item, length))));
        assert_eq!(member.skip_to("error").text("code"), "bad-frame");
        member.skip_to("closing");
    }
    let mut unauthenticated = target.served.unauthenticated();
    unauthenticated.send_bytes(&prefixed(&[0x80; 16_000]));
    unauthenticated.expect_error("bad-frame");
    unauthenticated.expect_closing("bad-frame");
    target.assert_unharmed("a mebibyte of items of one byte", FOR_ONE);
    target.stop();
}

#[test]
fn unknown_key_of_1_mib_is_skipped_and_the_request_served() {
    let (_alone, _watchdog) = (alone(), watchdog());
    let mut target = Target::new(&["bia".to_owned()]);
    let body = [b"\x64body\x61a".to_vec(), b"\x61x".to_vec()].concat();
    for item in [0x80, 0xa0, 0x60, 0xe0] {
        let mut frame = vec![0xa1, 0x67];
        frame.extend_from_slice(b"request\xa3\x62id\x07");
        frame.extend_from_slice(&body);
        frame.extend_from_slice(&array_of(item, MAX_FRAME - 64));
        let mut member = user(&target.served, "bia");
        member.send_bytes(&prefixed(&frame));
        let reply: Frame = member.skip_to("reply");
        assert_eq!((reply.num("id"), reply.text("body")), (7, "A"));
        member.fim();
    }
    target.assert_unharmed("an ignored key of a mebibyte", FOR_ONE);
    target.stop();
}
