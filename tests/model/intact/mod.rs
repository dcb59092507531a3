//! Checks the intact rules in every state of each setting.
//! `cargo test --test model intact -- --nocapture` prints the numbers of states. The large settings
//! need an optimized build: `just model`.

mod cursor;
mod numbers;
mod services;
mod topics;

use std::collections::HashSet;
use std::time::Instant;

use arauto::SlowPolicy;
use stateright::{Checker, Model};

use crate::setting::{Client, Frame, Setting};
use crate::state::State;
use crate::trace;

/// Checks every state of a setting, and prints the number of states.
///
/// # Panics
/// Panics if a property fails, or if there are fewer than `least` states.
fn check(name: &str, setting: Setting, least: usize) {
    let began = Instant::now();
    let checker = setting.checker().threads(2).spawn_dfs().join();
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    let took = began.elapsed();
    println!("{name}: {states} states, depth {depth}, {took:.1?}");
    for (name, path) in checker.discoveries() {
        let property = checker.model().property(name);
        if property.expectation.discovery_is_failure() {
            let steps = trace::steps(checker.model(), path, &property);
            println!("{}", trace::text(name, &steps));
        }
    }
    checker.assert_properties();
    assert!(states >= least, "{name}: only {states} states");
}

/// A state on the current path, and the next states that the search has not visited yet.
struct Visit {
    state: State,
    ahead: Vec<State>,
}

impl Visit {
    fn of(setting: &Setting, state: State) -> Visit {
        let ahead = setting.next_states(&state);
        Visit { state, ahead }
    }
}

/// Searches depth-first and compares each state with the states above it on the path. The checker
/// does not compare them.
#[test]
#[ignore = "slow without optimization; `just model` runs it"]
fn no_run_returns_to_an_earlier_state() {
    let setting = Setting {
        early_deadlines: 1,
        second_fim: true,
        ..Setting::of(vec![
            Client::sends(&[Frame::Publish, Frame::Fim]).may_break(),
        ])
    };
    let first = State::begin(&setting);
    let (mut above, mut known) = (HashSet::from([first.clone()]), HashSet::new());
    let mut way = vec![Visit::of(&setting, first)];
    while let Some(visit) = way.last_mut() {
        let Some(next) = visit.ahead.pop() else {
            above.remove(&visit.state);
            known.insert(visit.state.clone());
            way.pop();
            continue;
        };
        assert!(!above.contains(&next), "a cycle: {next:#?}");
        if !known.contains(&next) {
            above.insert(next.clone());
            way.push(Visit::of(&setting, next));
        }
        assert!(
            known.len() < 1_000_000,
            "the setting has too many states for this search"
        );
    }
    println!("no cycle in {} states", known.len());
    assert!(known.len() >= 1000, "only {} states", known.len());
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn three_sessions_lose_nothing_in_any_order() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Request]),
        Client::sends(&[Frame::Publish]),
        Client::sends(&[]),
    ]);
    check("three sessions", setting, 960_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn frames_are_answered_or_refused_exactly_once() {
    let setting = Setting {
        second_fim: true,
        ..Setting::of(vec![
            Client::sends(&[Frame::Publish, Frame::Request, Frame::Publish]),
            Client::sends(&[Frame::Request]),
        ])
    };
    check("runs of frames", setting, 3_000_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn stalled_or_broken_client_costs_others_nothing() {
    let setting = Setting {
        waiting: 4,
        ..Setting::of(vec![
            Client::sends(&[Frame::Request]).stalls().may_break(),
            Client::sends(&[Frame::Publish]).may_break(),
        ])
    };
    check("stalled and broken", setting, 2_200_000);
}

#[test]
fn session_that_says_fim_is_owed_earlier_broadcasts() {
    let setting = Setting {
        waiting: 3,
        ..Setting::of(vec![
            Client::sends(&[Frame::Publish, Frame::Fim]),
            Client::sends(&[Frame::Fim]).stalls(),
        ])
    };
    check("fim", setting, 100_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn deadline_passed_at_any_instant_is_reported() {
    let setting = Setting {
        early_deadlines: 2,
        ..Setting::of(vec![
            Client::sends(&[Frame::Publish]),
            Client::sends(&[Frame::Request]),
        ])
    };
    check("early deadlines", setting, 4_900_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn second_signal_is_exit_4_and_a_panic_ends_one_session() {
    let setting = Setting {
        waiting: 2,
        session_panics: 1,
        signals: 2,
        ..Setting::of(vec![
            Client::sends(&[Frame::Request, Frame::Publish]).may_break(),
        ])
    };
    check("panic and second signal", setting, 980_000);
}

#[test]
fn third_signal_ends_the_process_at_any_instant() {
    let setting = Setting {
        is_journaled: true,
        signals: 3,
        ..Setting::of(vec![Client::sends(&[Frame::Publish, Frame::Request])])
    };
    check("third signal", setting, 160_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn panicking_hub_is_exit_70() {
    let setting = Setting {
        hub_panics: 1,
        ..Setting::of(vec![
            Client::sends(&[Frame::Publish]),
            Client::sends(&[Frame::Publish]),
        ])
    };
    check("hub panic", setting, 1_900_000);
}

#[test]
#[ignore = "slow without optimization; `just model` runs it"]
fn late_connection_is_served_or_refused() {
    let setting = Setting {
        early_deadlines: 1,
        early_timeouts: 1,
        ..Setting::of(vec![
            Client::sends(&[]),
            Client::sends(&[Frame::Login, Frame::Request]).comes_late(),
        ])
    };
    check("late connection", setting, 270_000);
}

#[test]
#[ignore = "slow without optimization; `just model` runs it"]
fn publishes_with_a_journal_are_answered_in_order() {
    let setting = Setting {
        is_journaled: true,
        disk_failures: 1,
        ..Setting::of(vec![
            Client::sends(&[Frame::Publish, Frame::Publish, Frame::Ping]),
            Client::sends(&[]),
        ])
    };
    check("journal", setting, 380_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn stop_with_a_failing_disk_and_a_passed_deadline_is_reported() {
    let setting = Setting {
        is_journaled: true,
        disk_failures: 1,
        early_deadlines: 1,
        ..Setting::of(vec![
            Client::sends(&[Frame::Publish, Frame::Ping]),
            Client::sends(&[Frame::Publish]),
        ])
    };
    check("journal and deadlines", setting, 13_000_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn three_sessions_with_work_lose_nothing_in_any_order() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Request]),
        Client::sends(&[Frame::Publish]),
        Client::sends(&[Frame::Ping]),
    ]);
    check("three sessions with work", setting, 6_000_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn reader_that_falls_off_the_log_is_told_of_each_gap() {
    let setting = Setting {
        waiting: 2,
        log_holds: Some(1),
        ..Setting::of(vec![
            Client::sends(&[Frame::Publish, Frame::Publish]),
            Client::sends(&[]),
        ])
    };
    check("gaps", setting, 690_000);
}

#[test]
#[ignore = "takes minutes without optimization; `just model` runs it"]
fn reader_that_falls_off_the_log_may_be_disconnected() {
    let setting = Setting {
        waiting: 1,
        log_holds: Some(1),
        slow: SlowPolicy::Disconnect,
        ..Setting::of(vec![
            Client::sends(&[Frame::Publish, Frame::Publish]),
            Client::sends(&[]),
        ])
    };
    check("disconnected readers", setting, 720_000);
}

#[test]
fn resumed_session_gets_each_broadcast_since_once() {
    let setting = Setting {
        waiting: 3,
        log_holds: Some(2),
        ..Setting::of(vec![
            Client::sends(&[]),
            Client::sends(&[Frame::Resume(2), Frame::Ack]).comes_late(),
        ])
    };
    check("resume", setting, 65_000);
}

#[test]
#[ignore = "slow without optimization; `just model` runs it"]
fn shutdown_of_a_session_is_answered_and_stops_the_server() {
    let setting = Setting::of(vec![
        Client::sends(&[Frame::Publish, Frame::Shutdown]),
        Client::sends(&[Frame::Request]),
    ]);
    check("shutdown", setting, 430_000);
}

#[test]
fn shutdown_now_reports_what_it_cuts_short() {
    let setting = Setting {
        waiting: 1,
        ..Setting::of(vec![Client::sends(&[Frame::Publish, Frame::ShutdownNow])])
    };
    check("shutdown --now", setting, 73_000);
}

#[test]
fn client_that_hangs_up_is_served_to_its_end() {
    let setting = Setting {
        waiting: 2,
        ..Setting::of(vec![
            Client::sends(&[Frame::Ping, Frame::Ack, Frame::AckAhead]).may_hang_up(),
        ])
    };
    check("hang-up", setting, 10_000);
}

#[test]
fn client_that_stays_is_closed_by_its_time_out() {
    let setting = Setting {
        waiting: 2,
        early_timeouts: 1,
        ..Setting::of(vec![
            Client::sends(&[Frame::Fim]).stays(),
            Client::sends(&[]).stays(),
        ])
    };
    check("time-outs", setting, 20_000);
}
