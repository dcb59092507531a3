//! Services under faults: responders that are restarted or killed, and stops amid calls.
//!
//! Each call has a body of its own, by which the records of callers, of responders and of the
//! server are compared.

mod callers;
mod responder;
mod restarts;
mod sessions;
mod stops;

use arauto::{Report, SessionRecord};

/// The name of the service.
const SERVICE: &str = "s";

/// Few, so that password hashes are not what is measured.
const USERS: usize = 4;

/// Returns the body of a caller's call.
fn body_of(caller: usize, number: u64) -> String {
    format!("{caller}-{number}")
}

/// Returns the reply of a responder to a call, which names both.
fn reply_of(responder: usize, body: &str) -> String {
    format!("{responder} {body}")
}

/// Returns the responder and the call that a reply names.
fn parse_reply(reply: &str) -> (usize, &str) {
    let (responder, body) = reply.split_once(' ').expect("it has two words");
    (responder.parse().expect("it is a number"), body)
}

/// The counts of a session's calls.
#[derive(Debug, PartialEq, Eq, Default)]
struct Counts {
    made: u64,
    replied: u64,
    failed: u64,
    held: u64,
    answered: u64,
}

impl Counts {
    /// Returns the counts of a record. A session that has made and held no call has none in the report.
    fn of(record: &SessionRecord) -> Counts {
        let calls = record.calls.unwrap_or_default();
        Counts {
            made: calls.made,
            replied: calls.replied,
            failed: calls.failed,
            held: calls.held,
            answered: calls.answered,
        }
    }
}

/// Returns the record of a session.
fn record_of(report: &Report, session: u64) -> &SessionRecord {
    let mut records = report.sessions.iter();
    let record = records.find(|record| record.session.0 == session);
    record.unwrap_or_else(|| panic!("session {session} is not in the report"))
}
