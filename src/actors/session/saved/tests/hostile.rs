//! Bytes that no server has written.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Bench, DIALECTS, Frame, Step};
use crate::actors::session::core::policy::SlowPolicy;
use crate::actors::session::saved::error::RestoreError;
use crate::actors::session::saved::{SavedSession, Surroundings, read_back};
use crate::log::{BackpressureLimits, Log, LogLimits};
use crate::wire::Seq;

/// A session of each kind, with input and output that wait.
fn benches() -> Vec<Bench> {
    let kinds = 0..DIALECTS.len();
    let benches = kinds.map(|kind| {
        let mut bench = Bench::new(kind, SlowPolicy::Gap);
        for step in [
            Step::Take(1 << 20),
            Step::Send(Frame::Login, 99),
            Step::Finish,
            Step::Broadcast(3, 100),
            Step::Take(100),
            Step::Send(Frame::Ping, 99),
            Step::Finish, // a line is a request in the raw dialect
            Step::Broadcast(9, 300),
            Step::Send(Frame::Part, 99),
            Step::Pass(Duration::from_secs(1)),
        ] {
            bench.step(&step);
        }
        bench
    });
    benches.collect()
}

fn saved(bench: &Bench) -> Vec<u8> {
    let saved = bench.sessions[0].save();
    saved.expect("nothing is under way").encode()
}

/// Reads the bytes back as the session of this kind.
fn read(bytes: &[u8], kind: usize, log: &Arc<Log>) -> Result<Vec<u8>, RestoreError> {
    let (dialect, framing) = DIALECTS[kind];
    let surroundings = Surroundings {
        permissions: Arc::default(),
        dialect,
        framing,
        log: Arc::clone(log),
        shard: 0,
        reader: Arc::from("ana"),
        sends_files: false,
    };
    read_back(bytes, surroundings, Instant::now())
}

#[test]
fn saved_session_of_another_version_is_refused() {
    let mut bytes = saved(&benches()[0]);
    assert_eq!(bytes[0], 1, "the version is the first item");
    bytes[0] = 2;
    let error = SavedSession::decode(&bytes).expect_err("it is of version 2");
    let expected = RestoreError::Version {
        found: 2,
        expected: 1,
    };
    assert_eq!(error, expected);
}

#[test]
fn saved_session_that_is_cut_or_goes_on_is_refused() {
    let bytes = saved(&benches()[0]);
    for length in 0..bytes.len() {
        let error = SavedSession::decode(&bytes[..length]).expect_err("it is cut");
        assert!(matches!(error, RestoreError::Malformed(_)), "{error}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(SavedSession::decode(&longer).is_err());
}

#[test]
fn saved_session_with_any_byte_changed_panics_nowhere() {
    for (kind, bench) in benches().iter().enumerate() {
        let bytes = saved(bench);
        let log = bench.sessions[0].log();
        assert_eq!(read(&bytes, kind, log).as_ref(), Ok(&bytes));
        let mut refused = 0;
        for at in 0..bytes.len() {
            for change in [1, 0x20, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                refused += usize::from(read(&changed, kind, log).is_err());
            }
        }
        assert!(
            refused > 300,
            "changes outside of bodies are seen: {refused}"
        );
    }
}

#[test]
fn saved_session_is_refused_by_a_listener_of_another_kind() {
    let benches = benches();
    for (kind, bench) in benches.iter().enumerate() {
        let (bytes, log) = (saved(bench), bench.sessions[0].log());
        // Text in another encoding looks the same until it is decoded.
        for other in [0, 4, 5].into_iter().filter(|other| *other != kind) {
            let is_dialogue = |kind: usize| kind < 4;
            if is_dialogue(kind) && is_dialogue(other) {
                continue;
            }
            let result = read(&bytes, other, log);
            assert_eq!(result, Err(RestoreError::OtherListener), "{kind} {other}");
        }
    }
}

#[test]
fn saved_session_ahead_of_the_log_is_refused() {
    let limits = LogLimits {
        bytes: 1500,
        backpressure: BackpressureLimits::default(),
    };
    let (log, _) = Log::new("0123456789abcdef".to_owned(), limits, 1);
    let result = read(&saved(&benches()[0]), 0, &log);
    let Err(RestoreError::AheadOfLog { read, head }) = result else {
        panic!("the log is empty: {result:?}");
    };
    assert!(read > head);
    assert_eq!(head, Seq::ZERO);
}

/// Returns the seeds of the fuzz target `core` that are saved sessions, by name.
fn seeds() -> Vec<(&'static str, Bench)> {
    let mut ending = Bench::new(0, SlowPolicy::Gap);
    for step in [
        Step::Take(1 << 20),
        Step::Send(Frame::Login, 99),
        Step::Finish,
        Step::Take(1 << 20),
        Step::Send(Frame::Fim, 99),
        Step::Take(1 << 20),
    ] {
        ending.step(&step);
    }
    let mut dialogues = benches().into_iter();
    let mut next = || dialogues.next().expect("there are several kinds");
    vec![
        ("saved-stream", next()),
        ("saved-messages", next()),
        ("saved-ending", ending),
    ]
}

/// With `UPDATE_SEEDS=1` the seeds are written first.
#[test]
fn fuzz_seeds_that_are_saved_sessions_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/core");
    for (kind, (name, bench)) in seeds().iter().enumerate() {
        let path = folder.join(name);
        if std::env::var_os("UPDATE_SEEDS").is_some() {
            let seed = [&[0xff], &saved(bench)[..]].concat();
            std::fs::write(&path, seed).expect("the seed is written");
        }
        let seed = std::fs::read(&path).expect("the seed is there");
        let read = read(&seed[1..], kind % 2, bench.sessions[0].log());
        assert!(read.is_ok(), "{name}: {read:?}");
    }
}

#[test]
fn list_that_claims_to_be_long_takes_no_memory() {
    let bytes = [0x9b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    let mut items = serde_cbor::Deserializer::from_slice(&bytes);
    let list = crate::actors::session::saved::plain::list::<u64, _>(&mut items);
    assert!(list.is_err(), "it has one element");
}
