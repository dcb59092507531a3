//! Explains one call to a service: which sessions had a part in it, and how it ended.

use arauto::{CallEnd, CallParty, KnownCall, Micros, RecordedCall, Report, SessionId};
use serde_json::json;

use crate::cli::exit::{Failure, sysexits};
use crate::cli::output::Output;
use crate::cli::report::{clean, span};

/// The number that stands for the server in the place of a session's.
const SERVER: SessionId = SessionId(0);

/// Prints what became of a call.
///
/// # Errors
/// The report does not list the call, or stdout is closed.
pub(super) fn explain(report: &Report, call: u64, as_json: bool) -> Result<u8, Failure> {
    let calls = report.calls.clone().unwrap_or_default();
    let recorded = match calls.of(call) {
        KnownCall::Listed(recorded) => recorded,
        KnownCall::Unlisted => {
            let newest = calls.listed.len();
            let message = format!(
                "the report lists the {newest} newest calls only, and call {call} is older"
            );
            return Err(Failure::new(sysexits::DATAERR, message));
        }
        _ => {
            let message = match calls.last {
                0 => format!("there is no call {call}: none is in this report"),
                last => format!("there is no call {call}: the last one in this report is {last}"),
            };
            return Err(Failure::new(sysexits::USAGE, message));
        }
    };
    let mut out = Output::stdout();
    if as_json {
        let mut line = json!(recorded);
        line["because"] = json!(because(recorded));
        out.json(&line)?;
    } else {
        out.text(&story(report, recorded, calls.last))?;
    }
    out.finish()
}

fn story(report: &Report, recorded: &RecordedCall, last: u64) -> String {
    let RecordedCall {
        call,
        service,
        caller,
        made_us,
        ..
    } = recorded;
    let end = recorded.end.map_or("in work", CallEnd::as_str);
    let made = span(Micros(made_us.unsigned_abs()));
    let side = if *made_us < 0 { "before" } else { "after" };
    let responder = match &recorded.responder {
        Some(server) if server.session == SERVER => "answered by the server itself".to_owned(),
        Some(responder) if recorded.sent => format!("sent to {}", party(report, responder)),
        Some(responder) => {
            format!(
                "to be sent to {}, which did not read it",
                party(report, responder)
            )
        }
        None => "sent to no session: it waited for a free one".to_owned(),
    };
    format!(
        "call {call} of {last}, to the service {}: {end}\n\
         made by {}, {made} {side} the stop began\n\
         {responder}\n\
         {}\n",
        clean(service),
        party(report, caller),
        because(recorded),
    )
}

/// Describes a session, with its outcome where it was there when the stop began.
fn party(report: &Report, party: &CallParty) -> String {
    let CallParty { session, user } = party;
    let mut records = report.sessions.iter();
    let record = records.find(|record| record.session == *session);
    let outcome = record.map_or("ended before the stop", |record| record.outcome().as_str());
    format!("session {session} of {} ({outcome})", clean(user))
}

/// Explains how a call ended.
fn because(recorded: &RecordedCall) -> String {
    let took = recorded
        .took_us
        .map_or_else(String::new, |took| format!(" after {}", span(took)));
    let done = match recorded.sent {
        true => ": the service may have done it",
        false => ": the service has not seen it",
    };
    match recorded.end {
        None => format!("it had not ended when the server stopped{done}"),
        Some(CallEnd::Replied) => format!("the service replied{took}"),
        Some(CallEnd::Failed) => format!("the service answered with an error of its own{took}"),
        Some(CallEnd::TooLong) => {
            "its frame would have been longer than the responder takes".to_owned()
        }
        Some(CallEnd::ReplyDropped) => format!(
            "the service answered{took}, and the answer was dropped, because the caller had too \
             many that it had not read"
        ),
        Some(CallEnd::NotOffered) => "no session offered the service any more".to_owned(),
        Some(CallEnd::ResponderEnded) => {
            format!("the session that had it ended before it answered{done}")
        }
        Some(CallEnd::Timeout) => format!("no answer came in time{done}"),
        Some(CallEnd::CallerEnded) => {
            format!("the caller's session ended before an answer came{done}")
        }
        Some(end) => end.as_str().to_owned(),
    }
}
