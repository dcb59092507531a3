//! Acknowledged data, which the next server must have.

use serde_cbor::Value;
use tempfile::TempDir;

use crate::support::{Frame, PASSWORD, Served, Stop, login, text};

/// The answers that clients received hold.
#[derive(Default)]
pub(super) struct Acknowledged {
    pub(super) users: Vec<String>,
    /// Each broadcast's seq and text.
    pub(super) published: Vec<(u64, String)>,
    pub(super) stream: String,
}

/// Starts the real server on what is left, which must have all of it, and stops it.
pub(super) fn check(folder: TempDir, told: &Acknowledged) -> TempDir {
    let mut served = Served::within(folder, &["--journal", "--no-console"]);
    for user in &told.users {
        let mut client = served.unauthenticated();
        assert!(!client.log_in(user).flag("registered"), "{user} is known");
    }
    let mut reader = served.unauthenticated();
    let resume = [
        (text("stream"), text(&told.stream)),
        (text("after"), Value::Integer(0)),
    ];
    reader.send(&login(1, "leitor", PASSWORD).with("resume", Value::Map(resume.into())));
    assert_eq!(reader.expect("logged_in").text("stream"), told.stream);
    let mut waiting = told.published.clone();
    waiting.sort_unstable();
    let mut waiting = waiting.into_iter().peekable();
    let mut last = 0;
    while waiting.peek().is_some() {
        let frame: Frame = reader.recv().expect("the session goes on");
        assert_eq!(frame.num("seq"), last + 1, "no hole, no repeat");
        last += 1;
        if let Some((_, said)) = waiting.next_if(|(seq, _)| *seq == last) {
            assert_eq!(frame.text("body"), said);
        }
    }
    drop(reader);
    let log = served.log();
    assert!(!log.contains("ERROR"), "{log}");
    served.send_stop(Stop::USUAL);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    served.into_folder()
}
