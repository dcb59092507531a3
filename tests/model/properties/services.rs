//! The properties of services and their calls.

use arauto::{CallEnd, ExitCode, KnownCall, Phase, RecentCalls, SessionCalls};
use stateright::Property;

use super::is_exit;
use crate::calls::{AnswerKind, CallFate, CallFault, ToldEnd};
use crate::setting::{Client, Frame, Setting};
use crate::state::{BASE, RosterEntry, SlotId, State, id};

pub const ENDED_ONCE: &str = "no request is told its end twice";
pub const NONE_OPEN: &str = "each call has an end when the stop is over";
pub const SENT_ONCE: &str = "a request is sent to one session at most";
pub const OWN_ANSWER: &str = "a caller gets the answer of the session that was sent its call";
pub const HELD_TO_END: &str = "a session keeps its calls until it ends by itself or time is over";
pub const CAUSE: &str = "a call is unavailable only where no session can answer it";
pub const IN_TIME: &str = "a call whose deadline has passed has an end";
pub const DRAINED: &str = "withdrawn and closing come behind the last call";
pub const RELEASED: &str = "no session has a call that has ended";
pub const AWAITED: &str =
    "the requests phase is late for a call only if its client does not answer";
pub const COUNTED: &str = "the report has the calls of each session";
pub const RECORDED: &str = "the report has the end of each call";
pub const EMPTY: &str = "no service is left when the stop is over";

type Always = Property<Setting>;

/// Returns the properties of a setting with services.
pub fn all(setting: &Setting) -> Vec<Property<Setting>> {
    let mut all = vec![
        Always::always(ENDED_ONCE, |_, state| !has(state, CallFault::EndedTwice)),
        Always::always(NONE_OPEN, |setting, state| {
            !is_over(setting, state) || !state.world.services.calls.has_open()
        }),
        Always::always(SENT_ONCE, |_, state| !has(state, CallFault::SentTwice)),
        Always::always(OWN_ANSWER, |_, state| !has(state, CallFault::ForeignAnswer)),
        Always::always(HELD_TO_END, |_, state| !has(state, CallFault::TakenAway)),
        Always::always(CAUSE, |_, state| !has(state, CallFault::FalselyUnavailable)),
        Always::always(IN_TIME, |_, state| !has(state, CallFault::DeadlineMissed)),
        Always::always(DRAINED, |_, state| !has(state, CallFault::EndedUnanswered)),
        Always::always(RELEASED, |_, state| {
            let services = &state.world.services;
            let open = services.calls.iter().filter(|fate| fate.is_open());
            services.held() <= open.count()
        }),
        Always::always(AWAITED, |_, state| !state.world.supervisor.waited_in_vain),
        Always::always(COUNTED, is_counted),
        Always::always(RECORDED, |setting, state| {
            let services = &state.world.services;
            let report = services.registry().recent_calls(*BASE);
            let is_recorded = |fate: &CallFate| is_recorded(fate, &report);
            !is_over(setting, state) || services.calls.iter().all(is_recorded)
        }),
        Always::always(EMPTY, |setting, state| {
            !is_over(setting, state) || state.world.services.list("", 1).is_empty()
        }),
    ];
    all.extend(reachable(setting));
    all
}

fn has(state: &State, fault: CallFault) -> bool {
    state.world.services.calls.fault == Some(fault)
}

/// Whether the stop has run to its end. A third signal ends the process with everything as it is.
fn is_over(setting: &Setting, state: &State) -> bool {
    state.world.exit().is_some() && !state.world.has_third_signal(setting)
}

/// Whether the report has the actual counts of each session's calls.
fn is_counted(_: &Setting, state: &State) -> bool {
    if state.world.exit().is_none() {
        return true;
    }
    let is_clean = is_exit(state, ExitCode::Clean);
    state.slots.iter().enumerate().all(|(at, slot)| {
        let Some(record) = &slot.record else {
            return true;
        };
        let reported = record.calls.unwrap_or_default();
        let truth = truth(state, at);
        let SessionCalls {
            made,
            replied,
            failed,
            ..
        } = reported;
        let is_exact = SessionCalls { failed, ..truth } == reported;
        // A session that was ended by force may have calls that have no end yet.
        let is_whole = made == replied + failed || (!is_clean && made > replied + failed);
        slot.roster != RosterEntry::SessionEnded || (is_exact && is_whole)
    })
}

/// Whether the report has the actual end of a call, and its sessions.
fn is_recorded(fate: &CallFate, report: &RecentCalls) -> bool {
    let KnownCall::Listed(line) = report.of(fate.call.0) else {
        return false;
    };
    let responder = line.responder.as_ref().map(|party| party.session);
    let ends: &[CallEnd] = match (fate.answer, fate.end) {
        (Some(AnswerKind::Reply), _) => &[CallEnd::Replied],
        (Some(AnswerKind::Failure), _) => &[CallEnd::Failed],
        (None, _) if fate.is_lost => &[CallEnd::ResponderEnded],
        (None, Some(ToldEnd::TimedOut)) => &[CallEnd::Timeout],
        _ => &[CallEnd::NotOffered, CallEnd::CallerEnded],
    };
    line.caller.session == id(fate.caller)
        && line.sent == fate.sent_to.is_some()
        && (!line.sent || responder == fate.sent_to.map(id))
        && line.end.is_some_and(|end| ends.contains(&end))
}

/// Returns the counts of a session's calls, by their actual fates, without those that failed.
fn truth(state: &State, at: SlotId) -> SessionCalls {
    let count = |is_counted: &dyn Fn(&CallFate) -> bool| {
        let calls = state.world.services.calls.iter();
        calls.filter(|fate| is_counted(fate)).count() as u64
    };
    let is_own = |fate: &CallFate| fate.caller == at;
    let is_sent = |fate: &CallFate| fate.sent_to == Some(at);
    SessionCalls {
        made: count(&is_own),
        replied: count(&|fate| is_own(fate) && fate.answer == Some(AnswerKind::Reply)),
        failed: 0,
        held: count(&is_sent),
        answered: count(&|fate| is_sent(fate) && fate.answer.is_some()),
    }
}

/// Returns the properties that the checker must find at least once in a setting.
fn reachable(setting: &Setting) -> Vec<Property<Setting>> {
    let any = |has: fn(&Client) -> bool| setting.clients.iter().any(has);
    let is_responder_lost = any(|client| client.may_offer() && client.may_break);
    let cases = [
        (
            any(|client| client.has(Frame::Answer)),
            Always::sometimes("a call is answered with a reply", |_, state| {
                has_end(state, ToldEnd::Replied)
            }),
        ),
        (
            any(|client| client.has(Frame::Answer)),
            Always::sometimes("a call is answered in the phase requests", |_, state| {
                let mut calls = state.world.services.calls.iter();
                state.world.phase() == Some(Phase::Requests)
                    && calls.any(|fate| fate.is_open() && fate.answer.is_some())
            }),
        ),
        (
            any(|client| client.has(Frame::Fail)),
            Always::sometimes("a call is answered with an error", |_, state| {
                has_end(state, ToldEnd::Failed)
            }),
        ),
        (
            setting.early_timeouts > 0,
            Always::sometimes("the deadline of a call passes", |_, state| {
                has_end(state, ToldEnd::TimedOut)
            }),
        ),
        (
            any(|client| client.has(Frame::Call) && client.may_break),
            Always::sometimes("a caller leaves its call", |_, state| {
                has_end(state, ToldEnd::CallerLeft)
            }),
        ),
        (
            is_responder_lost || setting.session_panics > 0,
            Always::sometimes("a session ends with a call", |_, state| {
                let mut calls = state.world.services.calls.iter();
                calls.any(|fate| fate.is_lost && fate.end == Some(ToldEnd::Unavailable))
            }),
        ),
    ];
    let expected = cases.into_iter().filter(|(is_expected, _)| *is_expected);
    expected.map(|(_, property)| property).collect()
}

fn has_end(state: &State, end: ToldEnd) -> bool {
    let mut calls = state.world.services.calls.iter();
    calls.any(|fate| fate.end == Some(end))
}
