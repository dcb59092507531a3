//! Whole sessions: a client's bytes, cut into pieces, and the real actors behind them.
//!
//! An input is a few choices (the dialect, how the peer behaves, when the server stops) and
//! the bytes that the client sends. Then must hold, in every dialect:
//! - nothing panics, the session ends, and the server's stop after it finds all in order;
//! - what was written is frames of the dialect, the welcome first, one `closing` last;
//! - answers come in the order of the frames that they answer, one each, and none is
//!   missing where the session was not cut short; `closing` counts them right;
//! - broadcasts come without a hole, and all up to the end; where the client has used topics, their
//!   seqs rise, what was not for it is told with `passed`, and it is sent nothing of others.

#![no_main]

mod asked;
mod lines;
mod said;
mod script;

use arauto::fuzzing::{Conversation, converse};
use arauto::wire::Dialect;
use arauto::{SessionOutcome, SessionRecord};
use arauto_fuzz::memory::peak;
use libfuzzer_sys::fuzz_target;

use asked::Asked;
use script::Choices;

thread_local! {
    static SYSTEM: actix_rt::SystemRunner = actix_rt::System::new();
}

/// The memory of a session and its server, with the buffer of a thread and that of a hash.
const MOST: usize = 44 * 1024 * 1024;

fuzz_target!(|data: &[u8]| {
    let choices = Choices::new(data);
    let asked = Asked::of(&choices);
    let script = choices.script();
    let (outcome, peak) = peak(|| SYSTEM.with(|system| system.block_on(converse(script))));
    assert!(peak <= MOST + 256 * data.len(), "it took {peak} bytes");
    stopped_in_order(&outcome, &asked, &choices);
    match choices.dialect {
        Dialect::Cbor => said::judge(&outcome, &asked, &choices),
        Dialect::Text(charset) => lines::judge_text(charset, &outcome, &asked, &choices),
        Dialect::Raw(raw) => lines::judge_raw(raw, &outcome, &asked, &choices),
    }
});

/// Checks the report of the stop: all is whole, and no actor failed.
fn stopped_in_order(outcome: &Conversation, asked: &Asked, choices: &Choices<'_>) {
    let report = &outcome.report;
    assert!(report.trouble.is_empty(), "{report:?}");
    let is_unproven = |session: &SessionRecord| session.outcome() == SessionOutcome::Unproven;
    let is_gone = choices.gone_after.is_some();
    match report.exit {
        0 => {}
        4 => assert!(asked.hurries, "{report:?}"),
        // A client that ended by an error, and was gone before it was told so.
        3 => assert!(
            is_gone && report.sessions.iter().any(is_unproven),
            "{report:?}"
        ),
        _ => panic!("{report:?}"),
    }
    for session in &report.sessions {
        let is_whole = session.is_whole() || asked.hurries || (is_gone && is_unproven(session));
        assert!(is_whole, "{session:?}");
        assert!(session.answered <= session.accepted);
        assert!(session.sent <= report.head && session.acked <= session.sent);
    }
}
