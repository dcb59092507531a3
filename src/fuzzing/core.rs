//! A session's core, without actors, for the fuzz target `core`.

use std::sync::Arc;
use std::time::Instant;

use crate::actors::session::core::testing::drive::drive;
use crate::actors::session::core::testing::steps::Step;
use crate::actors::session::saved::{Surroundings, read_back};
use crate::framing::Framing;
use crate::log::{BackpressureLimits, Content, Log, LogLimits};
use crate::wire::cbor::encode_body;
use crate::wire::{Body, Dialect, Millis};

/// Takes a session's core through the steps that these bytes choose.
///
/// # Panics
/// If something that must hold does not.
pub fn take_steps(bytes: &[u8]) {
    let (kind, steps) = Step::script(bytes);
    drive(kind, &steps);
}

/// Reads bytes as a saved session: not all bytes are one, and none does harm. A session
/// that was read and written again is read as the same.
///
/// # Panics
/// If that does not hold.
pub fn read_saved(bytes: &[u8]) {
    let now = Instant::now();
    for framing in [Framing::Stream, Framing::Messages] {
        let limits = LogLimits {
            bytes: 4096,
            backpressure: BackpressureLimits::default(),
        };
        let (log, mut appender) = Log::new("0123456789abcdef".to_owned(), limits, 1);
        // So that a reader can have a place in it.
        let mut body = Vec::new();
        encode_body(&Body::text("bom dia"), &mut body);
        let messages = std::iter::repeat_n(Content::body(&body), 20);
        let pushed = appender.push_messages(Millis(0), "ana", messages);
        pushed.expect("the log is not sealed");
        appender.commit();
        let surroundings = || Surroundings {
            dialect: Dialect::Cbor,
            framing,
            log: Arc::clone(&log),
            shard: 0,
            reader: "ana".into(),
            permissions: Arc::default(),
            sends_files: false,
        };
        let Ok(written) = read_back(bytes, surroundings(), now) else {
            continue;
        };
        let again = read_back(&written, surroundings(), now);
        assert_eq!(again, Ok(written));
    }
}
