//! Responders that answer wrongly, late, or not at all.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    Attack, Others, PATIENCE, SERVICE, answer, call, expect, expect_failed, member, member_over,
    next, number, offer, reply_to,
};
use crate::alone;
use crate::support::{Frame, FrameClient, ask, os, prefixed, watchdog_for};

/// The service of an attacker and of its own caller.
const OTHER: &str = "other";

/// The answers to calls of others that are sent at once.
const FORGED: u64 = 128;

/// The calls that are answered late at once.
const LATE: u64 = 16;

/// The default of the longest frame.
const MAX_FRAME: usize = 1 << 20;

/// Lets a responder take part in the service of the others until the attack is over.
fn take_part(
    attack: &Attack<'_>,
    limit: u64,
    mut hear: impl FnMut(&mut FrameClient, &Frame) + Send,
) {
    let stream = os::connect(attack.endpoint).expect("the server listens");
    let mut own = stream.try_clone().expect("a descriptor is free");
    let mut client = member_over(stream, "eva");
    offer(&mut client, SERVICE, limit);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while let Some(frame) = client.recv() {
                hear(&mut client, &frame);
            }
            assert!(client.ended_whole());
        });
        attack.begin();
        attack.wait_for_the_end();
        own.write_all(&ask("fim", 9).bytes()).expect("it is read");
    });
}

/// Makes a caller and a responder of a service that the others do not use.
fn pair(attack: &Attack<'_>) -> (FrameClient, FrameClient) {
    let mut responder = member(attack.endpoint, "eva");
    offer(&mut responder, OTHER, FORGED);
    (member(attack.endpoint, "eva"), responder)
}

/// Makes a call of the pair's service, and returns its number.
fn give(caller: &mut FrameClient, responder: &mut FrameClient) -> u64 {
    caller.send(&call(7, OTHER, "a"));
    expect(responder, "call").num("call")
}

#[test]
fn responder_that_never_answers_costs_its_limit_of_calls() {
    const LIMIT: usize = 2;
    let (_alone, _watchdog) = (alone(), watchdog_for(PATIENCE));
    let attack = |attack: &Attack<'_>| {
        let (given, held) = (AtomicUsize::new(0), AtomicUsize::new(0));
        take_part(attack, LIMIT as u64, |_, frame| {
            if frame.is("call") {
                given.fetch_add(1, Ordering::Relaxed);
                let before = held.fetch_add(1, Ordering::Relaxed);
                assert!(before < LIMIT, "it is given no more than its limit");
            } else if frame.is("cancelled") {
                held.fetch_sub(1, Ordering::Relaxed);
            }
        });
        assert_eq!(held.into_inner(), 0, "each call was cancelled");
        given.into_inner()
    };
    Others::new().assert_unharmed(
        "a responder that never answers",
        attack,
        |measured, given| {
            assert!(given >= LIMIT);
            assert_eq!(measured.timeouts, given, "no other call is lost");
            0
        },
    );
}

#[test]
fn second_answers_have_no_effect() {
    let (_alone, _watchdog) = (alone(), watchdog_for(PATIENCE));
    let attack = |attack: &Attack<'_>| {
        let given = AtomicUsize::new(0);
        take_part(attack, super::LIMIT, |client, frame| {
            if frame.is("call") {
                given.fetch_add(1, Ordering::Relaxed);
                let call = frame.num("call");
                let right = answer(call, &reply_to(frame.text("body"))).bytes();
                let again = answer(call, "again").bytes();
                client.send_bytes(&[right, again.clone(), again].concat());
            }
        });
        given.into_inner()
    };
    Others::new().assert_unharmed(
        "a responder that answers thrice",
        attack,
        |measured, given| {
            assert!(given > 0);
            assert_eq!(measured.timeouts, 0);
            0
        },
    );
}

#[test]
fn answers_to_calls_of_others_have_no_effect() {
    let (_alone, _watchdog) = (alone(), watchdog_for(PATIENCE));
    let attack = |attack: &Attack<'_>| {
        let (mut caller, mut responder) = pair(attack);
        attack.begin();
        while !attack.is_over() {
            let own = give(&mut caller, &mut responder);
            // Numbers of calls are given in order: those of the others are near.
            let near = own.saturating_sub(FORGED / 2)..own + FORGED / 2;
            let forged = near.filter(|call| *call != own);
            let forged = forged.flat_map(|call| answer(call, "forged").bytes());
            let mut answers: Vec<u8> = forged.collect();
            answers.extend(answer(own, "own").bytes());
            responder.send_bytes(&answers);
            assert_eq!(expect(&mut caller, "reply").text("body"), "own");
        }
        caller.fim();
        responder.fim();
    };
    // The others check the text of each reply.
    Others::new().assert_unharmed("answers to the calls of others", attack, |measured, ()| {
        assert_eq!(measured.timeouts, 0);
        0
    });
}

#[test]
fn late_answers_are_dropped() {
    let (_alone, _watchdog) = (alone(), watchdog_for(PATIENCE));
    let attack = |attack: &Attack<'_>| {
        let (mut caller, mut responder) = pair(attack);
        attack.begin();
        let mut late = 0;
        while !attack.is_over() {
            for id in 0..LATE {
                caller.send(&call(id, OTHER, "a").with("timeout", number(50)));
            }
            for _ in 0..LATE {
                let error = expect(&mut caller, "error");
                assert_eq!(error.text("code"), "timeout");
            }
            late += answer_late(&mut responder);
            expect_only_a_pong(&mut responder);
            expect_only_a_pong(&mut caller);
        }
        caller.fim();
        responder.fim();
        late
    };
    Others::new().assert_unharmed("answers after the time-out", attack, |measured, late| {
        assert!(late > 0);
        assert_eq!(measured.timeouts, 0);
        0
    });
}

/// Answers the calls that were given, all of which must be cancelled. Returns how many there were.
fn answer_late(responder: &mut FrameClient) -> usize {
    let (mut given, mut cancelled) = (Vec::new(), Vec::new());
    responder.ask("ping", 999);
    loop {
        let frame = next(responder);
        match frame.name.as_str() {
            "call" => given.push(frame.num("call")),
            "cancelled" => cancelled.push(frame.num("call")),
            "pong" => break,
            other => panic!("nobody asked for {other}"),
        }
    }
    cancelled.sort_unstable();
    assert_eq!(given, cancelled);
    for call in &given {
        responder.send(&answer(*call, "late"));
    }
    given.len()
}

fn expect_only_a_pong(client: &mut FrameClient) {
    client.ask("ping", 999);
    expect(client, "pong");
}

#[test]
fn answers_of_1_mib_harm_only_their_own_call() {
    let (_alone, _watchdog) = (alone(), watchdog_for(PATIENCE));
    let long = "x".repeat(MAX_FRAME - 256); // the reply's frame is longer than the answer's
    let garbage = prefixed(&vec![0xff; MAX_FRAME]);
    let attack = |attack: &Attack<'_>| {
        let (mut caller, mut responder) = pair(attack);
        attack.begin();
        while !attack.is_over() {
            let own = give(&mut caller, &mut responder);
            responder.send(&answer(own, &long));
            assert_eq!(expect(&mut caller, "reply").text("body"), long);

            give(&mut caller, &mut responder);
            // The server may close the connection before it has read all of it.
            let _ = responder.try_send(&garbage);
            expect_failed(&mut caller, 7, "unavailable");
            assert_eq!(responder.skip_to("closing").text("reason"), "bad-frame");
            responder = member(attack.endpoint, "eva");
            offer(&mut responder, OTHER, FORGED);
        }
        caller.fim();
        responder.fim();
    };
    Others::new().assert_unharmed("answers of 1 MiB", attack, |measured, ()| {
        assert_eq!(measured.timeouts, 0);
        0
    });
}
