//! The states that a setting must reach. A setting that did not reach them would not test the other
//! properties.

use arauto::{CloseReason, ExitCode, Phase, Seq, SlowPolicy};
use stateright::Property;

use crate::item::Item;
use crate::properties::is_exit;
use crate::setting::{Client, Frame, Setting};
use crate::shared::Shared;
use crate::state::{Connection, Slot, State};
use crate::witness::Fate;

type Sometimes = Property<Setting>;

/// Returns the properties that the checker must find at least once in a setting.
pub fn reachable(setting: &Setting) -> Vec<Sometimes> {
    let any = |has: fn(&Client) -> bool| setting.clients.iter().any(has);
    let stalls = any(|client| !client.reads);
    let asks = |client: &Client| {
        [Frame::Request, Frame::Publish, Frame::Call]
            .iter()
            .any(|frame| client.has(*frame))
    };
    let is_served = |client: &Client| asks(client) && !client.is_late;
    let can_serve = setting.clients.iter().any(is_served);
    let is_late = any(|client| client.is_late);
    let cases = [
        (
            !stalls || any(|client| client.may_break),
            Sometimes::sometimes("exit 0", |_, state| is_exit(state, ExitCode::Clean)),
        ),
        (
            stalls || setting.session_panics > 0,
            Sometimes::sometimes("exit 3", |_, state| is_exit(state, ExitCode::Deadline)),
        ),
        (
            setting.signals > 1,
            Sometimes::sometimes("exit 4 with a report", |setting, state| {
                is_exit(state, ExitCode::Forced) && !state.world.has_third_signal(setting)
            }),
        ),
        (
            setting.signals > 2,
            Sometimes::sometimes(
                "a third signal ends a stop with work left",
                |setting, state| {
                    state.world.has_third_signal(setting) && has_fate(state, Fate::InWork)
                },
            ),
        ),
        (
            setting.signals > 2,
            Sometimes::sometimes(
                "a third signal comes in the last phase",
                |setting, state| {
                    let is_last = state.world.phase() == Some(Phase::Store);
                    state.world.has_third_signal(setting) && is_last
                },
            ),
        ),
        (
            setting.hub_panics > 0,
            Sometimes::sometimes("exit 70", |_, state| is_exit(state, ExitCode::Panicked)),
        ),
        (
            stalls,
            Sometimes::sometimes("a range is missing", |_, state| {
                let mut records = state.slots.iter().filter_map(|slot| slot.record.as_ref());
                state.world.exit().is_some() && records.any(|record| !record.missing.is_empty())
            }),
        ),
        (
            can_serve,
            Sometimes::sometimes("a frame is refused after the cut", |_, state| {
                has_fate(state, Fate::Refused)
            }),
        ),
        (
            is_late,
            Sometimes::sometimes("a late connection is told of the stop", |_, state| {
                let told = [Item::Welcome, Item::Failure];
                let mut slots = state.slots.iter();
                slots.any(|slot| {
                    let queue = &slot.io.queue;
                    queue.starts_with(&told) && queue.last().is_some_and(|item| item.is_closing())
                })
            }),
        ),
        (
            is_late,
            Sometimes::sometimes("a late connection is refused", |_, state| {
                let mut slots = state.slots.iter();
                slots.any(|slot| slot.connection == Connection::Refused)
            }),
        ),
        (
            any(|client| client.may_break),
            Sometimes::sometimes("a broken connection is lost", |_, state| {
                let mut records = state.slots.iter().filter_map(|slot| slot.record.as_ref());
                records.any(|record| record.reason == CloseReason::Lost)
            }),
        ),
        (
            setting.log_holds.is_some() && setting.slow == SlowPolicy::Gap,
            Sometimes::sometimes("a client gets a gap", |_, state| {
                let mut slots = state.slots.iter();
                slots.any(|slot| !slot.io.witness.gaps.is_empty())
            }),
        ),
        (
            setting.slow == SlowPolicy::Disconnect,
            Sometimes::sometimes("a slow reader is disconnected", |_, state| {
                let mut slots = state.slots.iter();
                slots.any(|slot| slot.io.queue.contains(&Item::Failure))
            }),
        ),
        (
            setting.is_journaled && any(publishes_twice),
            Sometimes::sometimes("two runs are in work", |_, state| {
                state.slots.iter().any(|slot| slot.io.jobs.len() > 1)
            }),
        ),
        (
            any(|client| client.has(Frame::Ack)),
            Sometimes::sometimes("an ack is reported", |_, state| {
                let mut records = state.slots.iter().filter_map(|slot| slot.record.as_ref());
                records.any(|record| record.acked > Seq::ZERO)
            }),
        ),
        (
            any(|client| client.filter.is_some()) && !stalls && setting.log_holds.is_none(),
            Sometimes::sometimes("a client is told by passed", |setting, state| {
                let (history, rules) = (&state.world.hub.history, &state.world.rules);
                let mut slots = setting.clients.iter().zip(&state.slots).enumerate();
                slots.any(|(at, (client, slot))| {
                    let seen = slot.io.witness.seen;
                    let route = history.route(seen);
                    let is_sent = route.is_for(at, client.filter) && !rules.forbid(route, seen);
                    seen > 0 && client.filter.is_some() && !is_sent
                })
            }),
        ),
        (
            setting.rule_changes > 0,
            Sometimes::sometimes("a denied broadcast is passed over", |_, state| {
                let (history, rules) = (&state.world.hub.history, &state.world.rules);
                let seen = state.slots.iter().map(|slot| slot.io.witness.seen).max();
                (1..=seen.unwrap_or(0)).any(|seq| rules.forbid(history.route(seq), seq))
            }),
        ),
        (
            any(|client| client.has(Frame::LoginWithCursor)),
            Sometimes::sometimes("a login gets the cursor", |setting, state| {
                let mut slots = setting.clients.iter().zip(&state.slots).enumerate();
                slots.any(|(at, (client, slot))| {
                    let is_holder = state.world.hub.cursor.holder == Some(at);
                    client.is_late && is_holder && slot.io.witness.is_member
                })
            }),
        ),
        (
            any(|client| client.same_user_as.is_some()),
            Sometimes::sometimes("a number is answered to two sessions", |_, state| {
                let told = |slot: &&Shared<Slot>| !slot.io.witness.acknowledged.is_empty();
                state.slots.iter().filter(told).count() > 1
            }),
        ),
    ];
    let expected = cases.into_iter().filter(|(is_expected, _)| *is_expected);
    expected.map(|(_, property)| property).collect()
}

fn has_fate(state: &State, fate: Fate) -> bool {
    let mut fates = state.slots.iter().flat_map(|slot| &slot.io.witness.fates);
    fates.any(|known| *known == fate)
}

fn publishes_twice(client: &Client) -> bool {
    let publishes = client
        .frames
        .iter()
        .filter(|frame| **frame == Frame::Publish);
    publishes.count() > 1
}
