//! The properties that must hold at each instant and at the end, and those that must be possible.
//!
//! The end is held against what really happened to each frame ([`Fate`]) and to each
//! byte, which no actor of the model looks at.

use crate::close::{CloseReason, Evidence, ExitCode, Phase, SessionRecord};
use stateright::Property;

use crate::setting::Setting;
use crate::state::{Connection, Fate, Item, Roster, Seq, SessionSlot, State, Tally, ToHub, seq};

pub const NOTHING_LOST: &str = "nothing accepted is lost when the exit is 0";
pub const ANSWERED_ONCE: &str = "no frame is answered twice";
pub const CLOSING_LAST: &str = "closing is the last frame and counts what was answered";
pub const PHASES_IN_ORDER: &str = "the phases come in their order, each at most once";
pub const CUT_KEPT: &str = "a frame behind the cut is refused or unread";
pub const SEAL_LAST: &str = "the seal of the log comes after the last admitted publish";
pub const WORK_AWAITED: &str = "the requests phase is over in time only with nothing in work";
pub const TRUTH: &str = "the report tells the truth";
pub const EVIDENCE: &str = "evidence never says read of what is not";
pub const ALL_TOLD: &str = "whoever was let in is on the report and was told, when the exit is 0";
pub const PATIENCE: &str = "exit 3 only where somebody keeps the server waiting";
pub const ENDS: &str = "every run ends";

pub fn all(setting: &Setting) -> Vec<Property<Setting>> {
    let mut all = vec![
        Property::<Setting>::always(NOTHING_LOST, |_, state| {
            !is_exit(state, ExitCode::Clean) || state.slots.iter().all(|slot| kept(slot, state))
        }),
        Property::<Setting>::always(ANSWERED_ONCE, |_, state| {
            state.slots.iter().all(is_answered_once)
        }),
        Property::<Setting>::always(CLOSING_LAST, |_, state| {
            state.slots.iter().all(is_closing_last)
        }),
        Property::<Setting>::always(PHASES_IN_ORDER, |_, state| {
            let lines = &state.supervisor.lines;
            lines.iter().eq(Phase::ALL.iter().take(lines.len()))
        }),
        Property::<Setting>::always(CUT_KEPT, |_, state| {
            let mut fates = state.slots.iter().flat_map(|slot| &slot.session.fates);
            !fates.any(|fate| *fate == Fate::BehindCut)
        }),
        Property::<Setting>::always(SEAL_LAST, |_, state| {
            let mut waiting = state.hub.mailbox.iter();
            let is_patient = !state.supervisor.was_late;
            !(is_patient
                && state.hub.is_sealed
                && waiting.any(|message| matches!(message, ToHub::Publish(_))))
        }),
        Property::<Setting>::always(WORK_AWAITED, |_, state| !state.supervisor.overlooked_work),
        Property::<Setting>::always(TRUTH, tells_the_truth),
        Property::<Setting>::always(EVIDENCE, |_, state| {
            state.supervisor.exit.is_none() || state.slots.iter().all(is_evidence_true)
        }),
        Property::<Setting>::always(ALL_TOLD, |_, state| {
            let is_clean = is_exit(state, ExitCode::Clean);
            !is_clean || (0..state.slots.len()).all(|at| is_told(state, at))
        }),
        Property::<Setting>::always(PATIENCE, |setting, state| {
            !is_exit(state, ExitCode::Deadline) || has_cause(setting, state)
        }),
        Property::<Setting>::eventually(ENDS, |_, state| state.supervisor.exit.is_some()),
    ];
    all.extend(possible(setting));
    all
}

/// The states that this setting must reach, so that the other properties are tested at all.
fn possible(setting: &Setting) -> Vec<Property<Setting>> {
    let any = |has: fn(&crate::setting::Client) -> bool| setting.clients.iter().any(has);
    let stalls = any(|client| !client.reads);
    let can_serve = any(|client| !client.frames.is_empty() && !client.is_late);
    let shows = [
        (
            !stalls || setting.clients.iter().any(|client| client.may_break),
            Property::<Setting>::sometimes("exit 0", |_, state| is_exit(state, ExitCode::Clean)),
        ),
        (
            stalls || setting.session_panics > 0,
            Property::<Setting>::sometimes("exit 3", |_, state| is_exit(state, ExitCode::Deadline)),
        ),
        (
            setting.second_signal,
            Property::<Setting>::sometimes("exit 4", |_, state| is_exit(state, ExitCode::Forced)),
        ),
        (
            setting.hub_panics > 0,
            Property::<Setting>::sometimes("exit 70", |_, state| {
                is_exit(state, ExitCode::Panicked)
            }),
        ),
        (
            stalls,
            Property::<Setting>::sometimes("a range is missing", |_, state| {
                let mut records = state.slots.iter().filter_map(|slot| slot.record.as_ref());
                state.supervisor.exit.is_some() && records.any(|record| !record.missing.is_empty())
            }),
        ),
        (
            can_serve,
            Property::<Setting>::sometimes("a frame is refused behind its cut", |_, state| {
                let mut fates = state.slots.iter().flat_map(|slot| &slot.session.fates);
                fates.any(|fate| *fate == Fate::Refused)
            }),
        ),
        (
            any(|client| client.is_late),
            Property::<Setting>::sometimes("a late connection is told of the stop", |_, state| {
                state.slots.iter().any(|slot| {
                    let told = [
                        Item::Failure,
                        Item::Closing {
                            accepted: 0,
                            refused: 0,
                        },
                    ];
                    slot.session.outbox == told
                })
            }),
        ),
        (
            any(|client| client.is_late),
            Property::<Setting>::sometimes(
                "a late connection finds the door closed",
                |_, state| {
                    let mut slots = state.slots.iter();
                    slots.any(|slot| slot.connection == Connection::Refused)
                },
            ),
        ),
        (
            any(|client| client.may_break),
            Property::<Setting>::sometimes("a broken connection is lost", |_, state| {
                let mut records = state.slots.iter().filter_map(|slot| slot.record.as_ref());
                records.any(|record| record.reason == CloseReason::Lost.as_str())
            }),
        ),
    ];
    let shown = shows.into_iter().filter(|(is_due, _)| *is_due);
    shown.map(|(_, property)| property).collect()
}

fn is_exit(state: &State, code: ExitCode) -> bool {
    state.supervisor.exit == Some(code)
}

/// The broadcasts that a session had to get.
fn owed(slot: &SessionSlot, state: &State) -> Seq {
    match slot.session.promised {
        _ if !slot.session.follows => 0,
        Some(promised) => promised,
        None => state.hub.head,
    }
}

/// Whether the session's client has got everything, and has read it.
fn kept(slot: &SessionSlot, state: &State) -> bool {
    let session = &slot.session;
    let is_answered = |(number, fate): (usize, &Fate)| match fate {
        Fate::InWork | Fate::BehindCut => false,
        Fate::Answered => answers(slot, number, usize::from(session.written)) == 1,
        Fate::Unread | Fate::Refused | Fate::Taken => true,
    };
    let has_failed = session.outbox.contains(&Item::Failure);
    let was_over_before = slot.record.is_none() && session.is_closed();
    slot.is_gone
        || (has_failed && was_over_before)
        || (slot.unread == 0
            && session.fates.iter().enumerate().all(is_answered)
            && session.cursor >= owed(slot, state))
}

/// How many of the first `among` items answer the frame.
fn answers(slot: &SessionSlot, number: usize, among: usize) -> usize {
    let items = slot.session.outbox.iter().take(among);
    items
        .filter(|item| match item {
            Item::Answer(frame) | Item::Refusal(frame) => usize::from(*frame) == number,
            Item::Stopping | Item::Failure | Item::Closing { .. } => false,
        })
        .count()
}

fn is_answered_once(slot: &SessionSlot) -> bool {
    let session = &slot.session;
    (0..session.fates.len()).all(|number| answers(slot, number, session.outbox.len()) <= 1)
}

fn is_closing_last(slot: &SessionSlot) -> bool {
    let session = &slot.session;
    let closing = session
        .outbox
        .iter()
        .position(|item| matches!(item, Item::Closing { .. }));
    let Some(place) = closing else { return true };
    let truth = truth(slot);
    let failed = session.outbox.contains(&Item::Failure);
    let counts = Item::Closing {
        accepted: truth.answered,
        refused: truth.refused,
    };
    place + 1 == session.outbox.len() && (failed || session.outbox[place] == counts)
}

/// The counts of what really happened.
fn truth(slot: &SessionSlot) -> Tally {
    let count = |known: &[Fate]| {
        let fates = slot.session.fates.iter();
        fates.filter(|fate| known.contains(fate)).count() as u8
    };
    Tally {
        accepted: count(&[Fate::InWork, Fate::BehindCut, Fate::Answered]),
        answered: count(&[Fate::Answered]),
        refused: count(&[Fate::Refused]),
    }
}

/// Each last word is exact, and the exit code follows from what happened.
fn tells_the_truth(setting: &Setting, state: &State) -> bool {
    let Some(exit) = state.supervisor.exit else {
        return true;
    };
    let follows = match exit {
        ExitCode::Forced => state.left.signals < u8::from(setting.second_signal),
        ExitCode::Panicked => state.left.hub_panics < setting.hub_panics,
        _ => true,
    };
    let mut slots = state.slots.iter();
    follows
        && slots.all(|slot| match &slot.record {
            // The last record of a session that has ended.
            Some(record) if slot.roster == Roster::Over => is_exact(slot, record, state),
            _ => true,
        })
}

fn is_exact(slot: &SessionSlot, record: &SessionRecord, state: &State) -> bool {
    let sent = slot.session.cursor;
    let owed = owed(slot, state);
    // A client that broke the connection was promised nothing more.
    let is_missing = sent < owed && record.reason != CloseReason::Lost.as_str();
    // A head that was not sealed in time is a guess; the report's trouble says so.
    let is_known = !state.supervisor.has_guessed;
    let truth = truth(slot);
    let counts = [truth.accepted, truth.answered, truth.refused].map(u64::from);
    let missing: Vec<_> = is_missing
        .then(|| (seq(sent + 1), seq(owed)))
        .into_iter()
        .collect();
    [record.accepted, record.answered, record.refused] == counts
        && record.sent == seq(sent)
        && (!is_known || record.missing == missing)
}

fn is_evidence_true(slot: &SessionSlot) -> bool {
    let claims = slot
        .record
        .as_ref()
        .is_some_and(|record| record.evidence >= Evidence::KernelAcked);
    let is_written = usize::from(slot.session.written) == slot.session.outbox.len();
    !claims || (slot.unread == 0 && is_written)
}

/// A session that a deadline cut short may have had no time for `closing`.
fn is_told(state: &State, at: usize) -> bool {
    let slot = &state.slots[at];
    let is_listed = slot.record.is_some() || slot.session.is_closed();
    let last = slot.session.outbox.last();
    let has_closing = matches!(last, Some(Item::Closing { .. }));
    !state.is_let_in(at)
        || (is_listed && (has_closing || slot.is_gone || state.supervisor.was_late))
}

fn has_cause(setting: &Setting, state: &State) -> bool {
    state.left.early_deadlines < setting.early_deadlines
        || state.left.session_panics < setting.session_panics
        || state.left.hub_panics < setting.hub_panics
        || setting.clients.iter().any(|client| !client.reads)
}
