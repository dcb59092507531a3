//! The properties that must hold at each instant and at the end.
//!
//! The properties of the end compare the report with the actual fate of each frame and each
//! broadcast ([`crate::witness`]). No decision reads these fates.

pub mod cursor;
pub mod numbers;
pub mod services;

use arauto::{CloseReason, Evidence, ExitCode, Phase, Seq, SessionRecord};
use stateright::Property;

use crate::reachable::reachable;
use crate::setting::{Client, Frame, Setting};
use crate::state::{RosterEntry, Slot, State, ToHub};
use crate::witness::{Fate, Fault};

pub const NOTHING_LOST: &str = "nothing accepted is lost when the exit is 0";
pub const ANSWERED_ONCE: &str = "no frame is answered twice";
pub const IN_ORDER: &str = "answers come in the order of their frames";
pub const OWN_SEQ: &str = "published has the seq of the broadcast";
pub const CLOSING_LAST: &str = "closing is the last frame and counts what was answered";
pub const EXACT: &str = "each broadcast is sent once, or told as missing once";
pub const PHASES_IN_ORDER: &str = "the phases come in their order, each at most once";
pub const CUT_KEPT: &str = "a frame after the cut is refused or unread";
pub const SEAL_LAST: &str = "the log is sealed after the last admitted publish";
pub const WORK_AWAITED: &str = "the requests phase ends in time only if nothing is in work";
pub const TRUTH: &str = "the report is true";
pub const ACKS_TRUE: &str = "no reported ack is beyond the last sent broadcast";
pub const EVIDENCE: &str = "bytes that are reported as read were read";
pub const ALL_TOLD: &str = "each accepted client is reported and told, when the exit is 0";
pub const EXIT_3_HAS_CAUSE: &str = "exit 3 has a cause";
pub const ON_DISK: &str = "published comes after the commit of the journal";
pub const THIRD_SIGNAL: &str = "a third signal ends the process at once, with exit 4";
pub const ONLY_OWN: &str = "no session gets a broadcast that is not for it";
pub const RULES_KEPT: &str = "no broadcast is sent that the rules denied before it was published";
pub const ENDS: &str = "every run ends";

/// Returns the properties of a setting.
pub fn all(setting: &Setting) -> Vec<Property<Setting>> {
    let mut all = vec![
        Property::<Setting>::always(NOTHING_LOST, |_, state| {
            !is_exit(state, ExitCode::Clean)
                || state.slots.iter().all(|slot| has_everything(slot, state))
        }),
        Property::<Setting>::always(ANSWERED_ONCE, |_, state| {
            state.slots.iter().all(|slot| is_answered_once(slot))
        }),
        Property::<Setting>::always(IN_ORDER, |_, state| !has(state, Fault::OutOfOrder)),
        Property::<Setting>::always(OWN_SEQ, |_, state| !has(state, Fault::WrongSeq)),
        Property::<Setting>::always(CLOSING_LAST, |_, state| {
            !has(state, Fault::SentAfterClosing)
                && state.slots.iter().all(|slot| is_closing_last(slot))
        }),
        Property::<Setting>::always(EXACT, |_, state| !has(state, Fault::NotExact)),
        Property::<Setting>::always(PHASES_IN_ORDER, |_, state| {
            let lines = &state.world.supervisor.lines;
            lines.iter().eq(Phase::ALL.iter().take(lines.len()))
        }),
        Property::<Setting>::always(CUT_KEPT, |_, state| {
            let mut fates = state.slots.iter().flat_map(|slot| &slot.io.witness.fates);
            !fates.any(|fate| *fate == Fate::AdmittedAfterCut)
        }),
        Property::<Setting>::always(SEAL_LAST, |_, state| {
            let mut waiting = state.world.hub.mailbox.iter();
            let is_patient = !state.world.supervisor.was_late;
            !(is_patient
                && state.world.hub.is_sealed
                && waiting.any(|message| {
                    matches!(message, ToHub::Publish { .. } | ToHub::PublishJudged { .. })
                }))
        }),
        Property::<Setting>::always(WORK_AWAITED, |_, state| {
            !state.world.supervisor.overlooked_work
        }),
        Property::<Setting>::always(TRUTH, tells_the_truth),
        Property::<Setting>::always(ACKS_TRUE, |_, state| {
            let records = state.slots.iter().filter_map(|slot| slot.record.as_ref());
            records.clone().all(|record| record.acked <= record.sent)
        }),
        Property::<Setting>::always(EVIDENCE, |_, state| {
            state.world.exit().is_none() || state.slots.iter().all(|slot| is_evidence_true(slot))
        }),
        Property::<Setting>::always(ALL_TOLD, |_, state| {
            let is_clean = is_exit(state, ExitCode::Clean);
            !is_clean || state.slots.iter().all(|slot| is_told(slot, state))
        }),
        Property::<Setting>::always(EXIT_3_HAS_CAUSE, |setting, state| {
            !is_exit(state, ExitCode::Deadline) || has_cause(setting, state)
        }),
        // So a process may end at any instant, by a third signal too.
        Property::<Setting>::always(ON_DISK, |_, state| {
            !has(state, Fault::PublishedBeforeCommit)
        }),
        Property::<Setting>::always(THIRD_SIGNAL, |setting, state| {
            !state.world.has_third_signal(setting) || is_exit(state, ExitCode::Forced)
        }),
        Property::<Setting>::always(ONLY_OWN, |_, state| !has(state, Fault::NotForIt)),
        Property::<Setting>::always(RULES_KEPT, |_, state| !has(state, Fault::Denied)),
        Property::<Setting>::eventually(ENDS, |_, state| state.world.exit().is_some()),
    ];
    if setting.has_cursor() {
        all.extend(cursor::all());
    }
    if setting.has_services() {
        all.extend(services::all(setting));
    }
    all.extend(numbers::all());
    all.extend(reachable(setting));
    all
}

pub fn is_exit(state: &State, code: ExitCode) -> bool {
    state.world.exit() == Some(code)
}

fn has(state: &State, fault: Fault) -> bool {
    let mut slots = state.slots.iter();
    slots.any(|slot| slot.io.witness.fault == Some(fault))
}

/// Returns the last broadcast that a session had to get.
fn owed(slot: &Slot, state: &State) -> u64 {
    match slot.io.witness.promised {
        _ if slot.io.reader.is_none() => 0,
        Some(promised) => promised,
        None => state.world.hub.head,
    }
}

/// Whether a session's client has got and read everything that it was promised.
fn has_everything(slot: &Slot, state: &State) -> bool {
    let io = &slot.io;
    let is_answered = |(number, fate): (u8, &Fate)| match fate {
        Fate::InWork | Fate::AdmittedAfterCut => false,
        Fate::Answered => answers(slot, number, io.written.into()) == 1,
        Fate::Unread | Fate::Refused | Fate::Uncounted => true,
    };
    let has_failed = io.queue.contains(&crate::item::Item::Failure);
    let was_over_before = slot.record.is_none() && slot.is_over();
    // The server waits one second for a client that has not logged in, and promises it no more.
    // A client that hung up before the stop can still read the frames that were written to it.
    let is_read = io.client.unread == 0 || (io.client.has_ended && was_over_before);
    let was_not_awaited = !io.witness.is_member && io.witness.is_timed_out;
    io.client.is_gone
        || was_not_awaited
        || (has_failed && was_over_before)
        || (is_read
            && (0..).zip(&io.witness.fates).all(is_answered)
            && io.witness.seen >= owed(slot, state))
}

/// Returns how many of the first `among` items answer a frame.
fn answers(slot: &Slot, number: u8, among: usize) -> usize {
    let items = slot.io.queue.iter().take(among);
    items.filter(|item| item.answers() == Some(number)).count()
}

fn is_answered_once(slot: &Slot) -> bool {
    let frames = 0..slot.io.served;
    frames
        .into_iter()
        .all(|number| answers(slot, number, slot.io.queue.len()) <= 1)
}

/// Whether `closing` is the last item and has the right counts, or is not queued.
fn is_closing_last(slot: &Slot) -> bool {
    use crate::item::Item;
    let queue = &slot.io.queue;
    let Some(place) = queue.iter().position(|item| item.is_closing()) else {
        return true;
    };
    let truth = truth(slot);
    let failed = queue.contains(&Item::Failure);
    let counts = Item::Closing {
        accepted: truth.answered,
        refused: truth.refused,
    };
    place + 1 == queue.len() && (failed || queue[place] == counts)
}

/// The counts of frames, by their actual fates.
struct Counts {
    accepted: u64,
    answered: u64,
    refused: u64,
}

fn truth(slot: &Slot) -> Counts {
    let count = |known: &[Fate]| {
        let fates = slot.io.witness.fates.iter();
        fates.filter(|fate| known.contains(fate)).count() as u64
    };
    let before = slot.io.witness.answered_before;
    Counts {
        accepted: before + count(&[Fate::InWork, Fate::AdmittedAfterCut, Fate::Answered]),
        answered: before + count(&[Fate::Answered]),
        refused: count(&[Fate::Refused]),
    }
}

/// Whether the last record of each session is exact, and the exit code fits the events.
fn tells_the_truth(setting: &Setting, state: &State) -> bool {
    let Some(exit) = state.world.exit() else {
        return true;
    };
    let follows = match exit {
        ExitCode::Forced => {
            state.world.supervisor.was_hurried || state.world.has_third_signal(setting)
        }
        ExitCode::Panicked => state.world.left.hub_panics < setting.hub_panics,
        _ => true,
    };
    let mut slots = state.slots.iter();
    follows
        && slots.all(|slot| match &slot.record {
            // A session that has ended sends no later record.
            Some(record) if slot.roster == RosterEntry::SessionEnded => {
                is_exact(slot, record, state)
            }
            _ => true,
        })
}

/// Whether a session's record agrees with the actual fates.
fn is_exact(slot: &Slot, record: &SessionRecord, state: &State) -> bool {
    let sent = slot.io.witness.seen;
    let owed = owed(slot, state);
    // A client that broke the connection was promised nothing more.
    let is_lost = record.reason == CloseReason::Lost;
    let has_gone = slot.io.client.is_gone || slot.io.client.has_ended;
    let is_missing = sent < owed && !is_lost;
    // The head of a log that was not sealed in time is a guess, which the report lists as trouble.
    let is_known = !state.world.supervisor.has_guessed;
    let truth = truth(slot);
    let missing: Vec<_> = is_missing
        .then(|| (Seq(sent + 1), Seq(owed)))
        .into_iter()
        .collect();
    let told = slot.io.witness.gaps.iter();
    let gaps: Vec<_> = told.map(|(from, to)| (Seq(*from), Seq(*to))).collect();
    [record.accepted, record.answered, record.refused]
        == [truth.accepted, truth.answered, truth.refused]
        && record.sent == Seq(sent)
        && record.gaps == gaps
        && (!is_lost || has_gone)
        && (!is_known || record.missing == missing)
}

/// Whether a record that claims more than written bytes is right.
fn is_evidence_true(slot: &Slot) -> bool {
    let claims = slot
        .record
        .as_ref()
        .is_some_and(|record| record.evidence >= Evidence::KernelAcked);
    !claims || (slot.io.client.unread == 0 && slot.io.is_clear())
}

/// Whether an accepted client is in the report and was told of the end by `closing`. A session that
/// a deadline cut short may have had no time for `closing`.
fn is_told(slot: &Slot, state: &State) -> bool {
    let is_listed = slot.record.is_some() || slot.is_over();
    let has_closing = slot.io.queue.last().is_some_and(|item| item.is_closing());
    let is_excused = slot.io.client.is_gone || state.world.supervisor.was_late;
    !slot.is_accepted() || (is_listed && (has_closing || is_excused))
}

/// Whether the run has a cause for exit 3: a deadline or time-out that passed early, a panic, a
/// `shutdown --now`, a client that stayed until its time-out, or a client that does not read.
fn has_cause(setting: &Setting, state: &State) -> bool {
    let left = &state.world.left;
    let stalls = setting.clients.iter().any(|client| !client.reads);
    let hurries = |client: &Client| client.has(Frame::ShutdownNow);
    left.early_deadlines < setting.early_deadlines
        || left.session_panics < setting.session_panics
        || left.hub_panics < setting.hub_panics
        || setting.clients.iter().any(hurries)
        || left.early_timeouts < setting.early_timeouts
        || setting
            .clients
            .iter()
            .zip(&state.slots)
            .any(|(client, slot)| !client.closes && slot.io.witness.is_timed_out)
        || stalls
}
