//! The way from the last frame to the close.

use std::time::Duration;

use crate::accounts::RevocationReason;
use crate::actors::session::core::ending::Sending;
use crate::actors::session::core::policy::{ConnectRefusal, SlowPolicy};
use crate::actors::session::core::testing::{Effect, LIMITS, Run, fim, ping, request, status};
use crate::close::{Evidence, Micros, Phase};
use crate::wire::{Gap, Seq};

/// A member that said `fim`, and got `closing`.
fn closing() -> Run {
    let mut run = Run::member();
    run.frame(fim(2));
    run.advance();
    assert_eq!(run.answers(), ["closing fim at 0, 0 accepted, 0 refused"]);
    run
}

#[test]
fn ending_session_sends_the_broadcasts_of_before_and_then_closing() {
    let mut run = Run::member();
    assert_eq!(run.core.sending(), Sending::UpTo(None));
    run.out.head = Seq(5);
    run.frame(fim(2));
    run.out.head = Seq(6); // too late for it
    run.advance();
    assert_eq!(run.core.sending(), Sending::UpTo(Some(Seq(5))));
    assert_eq!(run.answers(), [""; 0]);
    (run.out.output.reached, run.out.output.sent) = (Seq(5), Seq(5));
    run.advance();
    assert_eq!(run.answers(), ["closing fim at 5, 0 accepted, 0 refused"]);
    assert_eq!(run.core.sending(), Sending::UpTo(Some(Seq::ZERO)));
    assert_eq!(
        run.effects(),
        [Effect::StopFollowing, Effect::Leave("ana".to_owned())]
    );
}

#[test]
fn ending_session_shuts_its_output_once_closing_is_written() {
    let mut run = closing();
    run.clear();
    run.out.output.is_clear = false;
    run.advance();
    assert_eq!(run.effects(), []);
    run.out.write_all();
    run.advance();
    assert_eq!(run.effects()[0], Effect::ShutOutput);
    assert!(!run.core.is_closed(), "the client closes first");
    run.core.hang_up();
    run.advance();
    assert!(run.core.is_closed());
    assert_eq!(run.core.sending(), Sending::Nothing);
    assert_eq!(run.reason(), "fim");
}

#[test]
fn client_half_closed_early_in_a_stop_may_read_to_the_end() {
    let mut run = closing();
    run.out.stop_time = Some(Micros(1000));
    run.core.hang_up();
    run.advance_and_write();
    assert!(!run.core.is_closed(), "closing is not read yet");
    run.pass_until_woken(Duration::ZERO);
    assert!(!run.core.is_closed());
    run.out.evidence = Evidence::Read;
    run.pass_until_woken(Duration::ZERO);
    run.advance();
    assert!(run.core.is_closed());
    assert_eq!(run.record().evidence, Evidence::Read);
}

#[test]
fn ending_session_that_cannot_close_one_side_closes_once_all_is_read() {
    let mut run = closing();
    run.out.half_closes = false;
    run.advance_and_write();
    assert!(
        !run.core.is_closed(),
        "closing would take back what is unread"
    );
    run.out.evidence = Evidence::Read;
    run.pass_until_woken(Duration::ZERO);
    run.advance();
    assert!(run.core.is_closed());
}

#[test]
fn ending_waits_for_work_and_for_refusals_that_lack_room() {
    let mut run = Run::member();
    run.frame(request(2));
    run.core.announce(status(Phase::Announce), &mut run.out);
    run.core.drain(Seq::ZERO, run.now, &mut run.out);
    run.clear().advance();
    assert_eq!(run.answers(), [""; 0], "the request is in work");
    run.done(crate::actors::session::core::effects::Done::Gone);
    run.out.has_room = false;
    run.holds_frame = true;
    run.advance();
    assert_eq!(
        run.answers(),
        ["error 2 internal"],
        "a frame waits for its refusal"
    );
    run.out.has_room = true;
    run.frame(ping(3));
    run.holds_frame = false;
    run.advance();
    let expected = [
        "error 3 stopping",
        "closing shutdown at 0, 1 accepted, 1 refused",
    ];
    assert_eq!(run.answers(), expected);
}

#[test]
fn session_ended_by_a_shutdown_announces_no_departure() {
    let mut run = Run::member();
    run.core.announce(status(Phase::Announce), &mut run.out);
    run.core.drain(Seq::ZERO, run.now, &mut run.out);
    run.clear().advance();
    assert_eq!(run.effects(), [Effect::StopFollowing]);
}

#[test]
fn client_that_does_not_read_closing_is_given_up_after_its_time() {
    let refused = |refusal| Run::with(|beginning| beginning.refusal = Some(refusal));
    let mut revoked = Run::member();
    revoked.out.revoked = Some(RevocationReason::AccountRemoved);
    revoked.core.check_standing(&mut revoked.out);
    let endings = [
        (closing(), LIMITS.drain_timeout),
        (revoked, Duration::from_secs(2)),
        (refused(ConnectRefusal::Full), Duration::from_secs(1)),
        (
            refused(ConnectRefusal::FullBriefly),
            Duration::from_millis(250),
        ),
    ];
    for (mut run, limit) in endings {
        run.advance();
        run.effects();
        assert_eq!(run.sleep(), Some(limit));
        run.pass(limit - Duration::from_millis(1));
        assert!(!run.core.is_closed());
        assert!(run.pass(Duration::from_millis(1)));
        assert!(run.core.is_closed());
        assert_eq!(run.effects()[0], Effect::Log("not read in time"));
        assert_eq!(run.record().evidence, Evidence::Queued);
    }
}

#[test]
fn brief_refusal_ends_once_it_is_written() {
    let mut brief = Run::with(|beginning| beginning.refusal = Some(ConnectRefusal::FullBriefly));
    brief.advance_and_write();
    assert!(brief.core.is_closed());
    let mut patient = Run::with(|beginning| {
        beginning.refusal = Some(ConnectRefusal::FullBriefly);
        beginning.out.half_closes = false;
    });
    patient.advance_and_write();
    assert!(
        !patient.core.is_closed(),
        "closing would take back what is unread"
    );
}

#[test]
fn connection_that_breaks_while_ending_is_lost_unless_an_error_ended_it() {
    for is_error in [false, true] {
        let mut run = Run::member();
        match is_error {
            true => run.core.journal_unreadable(&mut run.out),
            false => {
                run.frame(fim(2));
            }
        }
        run.out.break_output(false);
        run.advance();
        assert!(run.core.is_closed());
        assert_eq!(run.reason(), if is_error { "internal" } else { "lost" });
    }
}

#[test]
fn reader_that_falls_off_ends_where_the_policy_says_so() {
    let mut run = Run::member_with(|beginning| beginning.limits.slow = SlowPolicy::Disconnect);
    assert!(run.core.ends_on_gap());
    let gap = Gap {
        from: Seq(1),
        to: Seq(4),
    };
    run.core.fell_off(gap, &mut run.out);
    run.advance();
    assert_eq!(run.answers()[0], "error - slow-consumer");
    assert!(!run.core.ends_on_gap(), "an ending reads on");
    assert!(!Run::member().core.ends_on_gap());
}

#[test]
fn looks_whether_all_is_read_become_rarer_up_to_a_bound() {
    let mut run = Run::member();
    run.core.drain(Seq::ZERO, run.now, &mut run.out);
    run.advance_and_write();
    let mut waits = Vec::new();
    for _ in 0..8 {
        waits.push(run.sleep().expect("it looks again").as_millis());
        assert!(run.pass_until_woken(Duration::ZERO));
        run.advance();
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 50, 50]);
}

#[test]
fn client_that_is_gone_without_reading_ends_the_waiting() {
    let mut run = Run::member();
    run.core.drain(Seq::ZERO, run.now, &mut run.out);
    run.advance_and_write();
    run.clear();
    run.core.hang_up();
    run.out.is_hung_up = true;
    run.advance();
    assert!(run.effects().contains(&Effect::AbandonOutput));
    assert!(run.core.is_closed());
    assert_eq!(run.reason(), "lost");
}
