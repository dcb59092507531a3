//! The record of a session, and the evidence in it.

use crate::actors::session::core::testing::{Run, ack, fim, ping, status};
use crate::close::{Evidence, Micros, Phase};
use crate::wire::{ErrorCode, Seq, WireError};

/// A member that has got 3 of 5 broadcasts.
fn behind() -> Run {
    let mut run = Run::member();
    run.out.head = Seq(5);
    (run.out.output.reached, run.out.output.sent) = (Seq(3), Seq(3));
    run
}

#[test]
fn missing_broadcasts_are_those_up_to_what_the_session_is_owed() {
    let all = vec![(Seq(4), Seq(5))];
    let said_fim = |run: &mut Run| {
        run.frame(fim(2));
    };
    let bad_input = |run: &mut Run| {
        let error = WireError {
            code: ErrorCode::BadFrame,
            message: String::new(),
        };
        run.core.bad_input(&error, &mut run.out);
    };
    let broken = |run: &mut Run| {
        run.frame(fim(2));
        run.out.break_output(false);
        run.advance();
    };
    let ordered = |run: &mut Run| run.core.announce(status(Phase::Announce), &mut run.out);
    let finished = |run: &mut Run| run.core.finish(&mut run.out);
    type End = (&'static str, fn(&mut Run), Vec<(Seq, Seq)>, bool);
    let endings: [End; 6] = [
        ("it has not ended", |_| {}, all.clone(), true),
        ("it said fim", said_fim, all.clone(), false),
        ("its input was bad", bad_input, vec![], false),
        ("it broke the connection", broken, vec![], false),
        ("the server stops", ordered, all.clone(), true),
        ("it was cut short", finished, all, true),
    ];
    for (what, end, missing, is_owed_head) in endings {
        let mut run = behind();
        end(&mut run);
        let record = run.record();
        assert_eq!(record.missing, missing, "{what}");
        assert_eq!(record.is_owed_head, is_owed_head, "{what}");
    }
}

#[test]
fn session_without_broadcasts_is_owed_none() {
    let mut run = Run::new();
    run.out.head = Seq(5);
    let record = run.record();
    assert_eq!((record.missing, record.is_owed_head), (vec![], false));
}

#[test]
fn client_that_left_where_nothing_tells_is_reported_lost() {
    for (half_closes, evidence, reason) in [
        (true, Evidence::Written, "fim"),
        (false, Evidence::Written, "lost"),
        (false, Evidence::Read, "fim"),
    ] {
        let mut run = Run::member();
        run.frame(fim(2));
        run.advance_and_write();
        run.core.hang_up();
        run.out.half_closes = half_closes;
        run.out.evidence = evidence;
        assert_eq!(run.reason(), reason, "{half_closes} {evidence:?}");
    }
}

/// A drained session that cannot close one side, whose client acked `acked` of 5 broadcasts and
/// has gone. `answer_behind`: whether an answer stands behind the last broadcast.
fn gone(acked: u64, answer_behind: bool) -> Run {
    let mut run = Run::member();
    run.out.half_closes = false;
    run.out.head = Seq(5);
    run.out.write_all();
    if answer_behind {
        run.frame(ping(2));
    }
    run.frame(ack(acked));
    run.core.drain(Seq(5), run.now, &mut run.out);
    run.advance_and_write();
    run.core.hang_up();
    run.out.is_hung_up = true;
    run
}

#[test]
fn ack_of_the_last_broadcast_proves_what_stands_before_it() {
    assert_eq!(gone(5, false).record().evidence, Evidence::Acked);
    assert_eq!(gone(4, false).record().evidence, Evidence::Written);
    let unread = "the answer behind may be unread";
    assert_eq!(
        gone(5, true).record().evidence,
        Evidence::Written,
        "{unread}"
    );
}

#[test]
fn bytes_that_wait_in_the_server_are_no_more_than_queued() {
    let mut run = Run::member();
    run.out.evidence = Evidence::Read;
    assert_eq!(run.record().evidence, Evidence::Read);
    run.frame(ping(2));
    assert_eq!(run.record().evidence, Evidence::Queued);
}

#[test]
fn evidence_is_that_of_the_close() {
    let mut run = Run::member();
    run.core.finish(&mut run.out);
    run.out.evidence = Evidence::Read;
    assert_eq!(run.record().evidence, Evidence::Written);
}

#[test]
fn times_are_noted_only_while_the_server_stops() {
    let mut run = Run::member();
    run.frame(ping(2));
    run.core.note_broadcast(&run.out);
    assert_eq!(run.record().times_us, Default::default());
    run.out.stop_time = Some(Micros(3));
    run.frame(ping(3));
    run.core.note_broadcast(&run.out);
    run.core.drain(Seq::ZERO, run.now, &mut run.out);
    run.advance();
    run.core.finish(&mut run.out);
    let times = run.record().times_us;
    let points = [
        times.last_reply,
        times.last_broadcast,
        times.cut,
        times.closing,
        times.stopped,
    ];
    assert_eq!(points, [Some(Micros(3)); 5]);
}
