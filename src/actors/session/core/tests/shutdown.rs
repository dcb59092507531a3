//! The supervisor's orders.

use std::time::Duration;

use crate::actors::session::core::effects::Done;
use crate::actors::session::core::shutdown::Carried;
use crate::actors::session::core::testing::{Effect, Run, fim, ping, request, shutdown, status};
use crate::close::{Evidence, Micros, Phase};
use crate::wire::{Role, Seq};

const LINGER: Duration = Duration::from_secs(1);

/// A member that has got `closing`, written and not known to be read.
fn drained() -> Run {
    let mut run = Run::member();
    run.core.announce(status(Phase::Announce), &mut run.out);
    assert_eq!(
        run.core.drain(Seq::ZERO, run.now, &mut run.out),
        Carried::Later
    );
    run.advance_and_write().clear();
    run
}

#[test]
fn announcement_tells_the_client_once_and_makes_the_cut() {
    let mut run = Run::member();
    run.out.stop_time = Some(Micros(9));
    run.core.announce(status(Phase::Announce), &mut run.out);
    run.core.announce(status(Phase::Announce), &mut run.out);
    run.frame(ping(2));
    run.advance();
    assert_eq!(run.answers(), ["stopping - announce", "error 2 stopping"]);
    assert_eq!(run.record().times_us.cut, Some(Micros(9)));
    assert!(!run.core.has_said_closing(), "broadcasts go on");
}

#[test]
fn announcement_to_a_client_in_its_handshake_closes_silently() {
    let mut run = Run::with(|beginning| beginning.out.is_open = false);
    run.clear();
    run.core.announce(status(Phase::Announce), &mut run.out);
    assert_eq!(run.answers(), [""; 0]);
    assert!(run.core.is_closed());
    assert_eq!(run.reason(), "lost");
}

#[test]
fn session_that_asked_for_the_stop_is_told_by_its_answer() {
    let mut run = Run::member();
    run.out.account_role = Role::Admin;
    run.frame(shutdown(2, false));
    run.core.announce(status(Phase::Announce), &mut run.out);
    assert_eq!(run.answers(), [""; 0]);
    run.done(Done::Stopping(status(Phase::Trigger)));
    assert_eq!(run.answers(), ["stopping 2 announce"]);
}

#[test]
fn answer_to_a_shutdown_makes_the_cut() {
    let mut run = Run::member();
    run.out.account_role = Role::Admin;
    run.frame(shutdown(2, false));
    run.done(Done::Stopping(status(Phase::Trigger)));
    run.core.announce(status(Phase::Announce), &mut run.out);
    run.frame(ping(3));
    assert_eq!(run.answers(), ["stopping 2 trigger", "error 3 stopping"]);
}

#[test]
fn drain_waits_for_the_cut_then_for_the_client_to_read() {
    let mut run = Run::member();
    run.core.announce(status(Phase::Announce), &mut run.out);
    run.clear();
    run.out.head = Seq(5);
    run.core.drain(Seq(5), run.now, &mut run.out);
    run.advance();
    assert_eq!(run.answers(), [""; 0]);
    run.out.write_all();
    run.advance();
    assert_eq!(
        run.answers(),
        ["closing shutdown at 5, 0 accepted, 0 refused"]
    );
    run.out.write_all();
    run.advance();
    assert!(
        !run.effects().contains(&Effect::CarriedOut),
        "it is not read"
    );
    run.out.evidence = Evidence::Read;
    run.pass_until_woken(Duration::ZERO);
    run.advance();
    assert_eq!(run.effects(), [Effect::CarriedOut]);
    run.advance();
    assert_eq!(run.effects(), [], "once");
    assert!(!run.core.is_closed(), "the order to close comes later");
}

#[test]
fn drain_without_an_announcement_makes_the_cut() {
    let mut run = Run::member();
    run.core.drain(Seq::ZERO, run.now, &mut run.out);
    run.frame(ping(2));
    run.advance();
    let expected = [
        "error 2 stopping",
        "closing shutdown at 0, 0 accepted, 1 refused",
    ];
    assert_eq!(run.answers(), expected);
}

#[test]
fn drain_takes_over_a_session_that_ends_by_itself() {
    let mut run = Run::member();
    run.frame(fim(2));
    run.advance_and_write().clear();
    run.core.hang_up();
    run.core.drain(Seq::ZERO, run.now, &mut run.out);
    run.out.evidence = Evidence::Read;
    run.advance();
    assert_eq!(run.effects(), [Effect::CarriedOut]);
    assert!(!run.core.is_closed(), "the supervisor leads");
    assert_eq!(run.core.close(LINGER, run.now), Carried::Later);
    run.advance();
    assert!(run.core.is_closed());
    assert_eq!(run.reason(), "fim", "the reason stays");
}

#[test]
fn orders_to_a_session_that_has_nothing_to_do_are_carried_out() {
    let mut run = Run::member();
    assert_eq!(
        run.core.close(LINGER, run.now),
        Carried::Out,
        "it is not drained"
    );
    run.core.finish(&mut run.out);
    assert_eq!(
        run.core.drain(Seq::ZERO, run.now, &mut run.out),
        Carried::Out
    );
    assert_eq!(run.core.close(LINGER, run.now), Carried::Out);
}

#[test]
fn drain_of_a_client_that_was_promised_nothing_is_short() {
    let mut run = Run::new();
    run.core.drain(Seq::ZERO, run.now, &mut run.out);
    run.advance();
    assert!(run.pass(Duration::from_secs(1)));
    assert!(run.core.is_closed());

    let mut run = Run::member();
    run.core.drain(Seq::ZERO, run.now, &mut run.out);
    run.advance();
    run.pass(Duration::from_secs(1));
    assert!(!run.core.is_closed(), "broadcasts are its own");
}

#[test]
fn close_waits_for_the_clients_end() {
    let mut run = drained();
    run.out.evidence = Evidence::Read;
    assert_eq!(run.core.close(LINGER, run.now), Carried::Later);
    run.advance();
    assert_eq!(run.effects()[0], Effect::ShutOutput);
    assert!(!run.core.is_closed());
    run.core.hang_up();
    run.advance();
    assert!(run.core.is_closed());
    assert_eq!(
        run.effects(),
        [
            Effect::ShutOutput,
            Effect::StopFollowing,
            Effect::CarriedOut
        ]
    );
    assert_eq!(run.reason(), "shutdown");
}

#[test]
fn linger_time_closes_only_a_client_that_has_read_everything() {
    for evidence in [Evidence::Written, Evidence::Read] {
        let mut run = drained();
        run.core.close(LINGER, run.now);
        run.advance();
        run.out.evidence = evidence;
        run.pass(LINGER);
        assert_eq!(
            run.core.is_closed(),
            evidence == Evidence::Read,
            "{evidence:?}"
        );
    }
}

#[test]
fn finish_closes_at_once_and_tells_that_the_order_is_over() {
    let mut run = Run::member();
    run.frame(request(2));
    run.core.drain(Seq::ZERO, run.now, &mut run.out);
    run.clear();
    run.core.finish(&mut run.out);
    assert!(run.core.is_closed());
    assert_eq!(run.effects(), [Effect::StopFollowing, Effect::CarriedOut]);
    let record = run.record();
    assert_eq!(
        (record.accepted, record.answered),
        (1, 0),
        "the report tells"
    );
    assert_eq!(run.core.wake_at(), None);
}
