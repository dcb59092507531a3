//! Logins, from the claim to the first broadcast.

use std::time::Duration;

use crate::accounts::{LoginRefusal, RevocationReason};
use crate::actors::session::core::Served;
use crate::actors::session::core::effects::{Done, LoginFailure};
use crate::actors::session::core::testing::{
    Effect, Run, entry, fim, login, ping, request, status, unserved,
};
use crate::close::Phase;
use crate::rate::Rate;
use crate::wire::Seq;

fn refused(refusal: LoginRefusal) -> Done {
    Done::Login(Err(LoginFailure::Refused(refusal)))
}

fn throttled() -> LoginRefusal {
    LoginRefusal::Throttled {
        too_many: "logins of this peer",
        wait: Duration::from_secs(1),
    }
}

#[test]
fn login_that_succeeds_enters_and_follows_the_log() {
    let mut run = Run::new();
    assert_eq!(run.frame(login(1)), Served::Done);
    assert_eq!(run.effects(), [Effect::LogIn("ana".to_owned())]);
    assert!(!run.takes_frames(), "it waits for the answer");
    run.done(Done::Login(Ok(entry(Seq(4)))));
    assert_eq!(run.answers(), ["logged_in 1 ana"]);
    let entered = Effect::Enter("ana".to_owned());
    assert_eq!(
        run.effects(),
        [Effect::Log("logged in"), entered, Effect::Follow(Seq(4))]
    );
    assert!(run.takes_frames());
}

#[test]
fn frame_before_the_login_is_refused_unless_it_is_served_there() {
    let mut run = Run::new();
    run.frames([ping(1), request(2), unserved(3, true), unserved(4, false)]);
    let expected = [
        "pong 1",
        "error 2 not-logged-in",
        "error 3 unsupported",
        "error 4 not-logged-in",
    ];
    assert_eq!(run.answers(), expected);
    run.frame(fim(5));
    run.advance();
    assert_eq!(run.answers(), ["closing fim at 0, 0 accepted, 0 refused"]);
}

#[test]
fn login_with_the_third_wrong_password_ends_the_session() {
    let mut run = Run::new();
    for id in 1..=3 {
        assert_eq!(run.frame(login(id)), Served::Done);
        run.done(refused(LoginRefusal::BadCredentials)).advance();
        run.frame(login(10 + id));
        run.done(refused(throttled())).advance(); // it does not count
    }
    let answers = run.answers();
    let last = "closing bad-credentials at 0, 0 accepted, 0 refused";
    assert_eq!(answers.last().map(String::as_str), Some(last));
    let wrong = |answer: &&String| answer.ends_with(" bad-credentials");
    assert_eq!(answers.iter().filter(wrong).count(), 3);
    assert!(!answers.contains(&"error 13 throttled".to_owned()));
}

#[test]
fn login_refused_for_another_reason_leaves_the_session_open() {
    let refusals = [
        (
            refused(LoginRefusal::RegistrationClosed),
            "registration-closed",
        ),
        (refused(LoginRefusal::Internal), "internal"),
        (Done::Login(Err(LoginFailure::Unannounced)), "internal"),
    ];
    for (refusal, code) in refusals {
        let mut run = Run::new();
        run.frame(login(1));
        run.done(refusal).advance();
        assert_eq!(run.answers(), [format!("error 1 {code}")]);
        assert!(run.takes_frames(), "{code}");
        run.frame(login(2));
        run.done(Done::Login(Ok(entry(Seq::ZERO))));
        assert_eq!(run.answers(), ["logged_in 2 ana"]);
    }
}

#[test]
fn login_without_an_answer_is_refused_and_may_be_repeated() {
    let mut run = Run::new();
    run.frame(login(1));
    run.done(Done::Gone);
    assert_eq!(run.answers(), ["error 1 internal"]);
    assert_eq!(run.frame(login(2)), Served::Done);
}

#[test]
fn login_without_a_permit_ends_the_session() {
    let ending = [
        "error 1 too-many-sessions",
        "closing too-many-sessions at 0, 0 accepted, 0 refused",
    ];
    let mut run = Run::new();
    run.out.has_permit = false; // of the peer
    run.frame(login(1));
    assert_eq!(run.effects(), [], "auth is not asked");
    run.advance();
    assert_eq!(run.answers(), ending);

    let mut run = Run::new();
    run.frame(login(1));
    let no_permit = Done::Login(Err(LoginFailure::TooManySessions));
    run.done(no_permit).advance();
    assert_eq!(run.answers(), ending);
}

#[test]
fn login_done_behind_the_cut_is_refused_and_leaves() {
    let mut run = Run::new();
    run.frame(login(1));
    run.core.announce(status(Phase::Announce), &mut run.out);
    run.clear();
    run.done(Done::Login(Ok(entry(Seq(4)))));
    assert_eq!(run.answers(), ["error 1 stopping"]);
    assert_eq!(run.effects(), [Effect::Leave("ana".to_owned())]);
}

#[test]
fn gap_of_a_resume_is_told_behind_logged_in() {
    for (gap, expected) in [
        (Seq(3), &["logged_in 1 ana", "gap 1 to 3"][..]),
        (Seq::ZERO, &["logged_in 1 ana"]),
    ] {
        let mut run = Run::new();
        run.frame(login(1));
        let mut entry = entry(Seq(3));
        entry.gap = Some(gap);
        run.done(Done::Login(Ok(entry)));
        assert_eq!(run.answers(), expected);
    }
}

#[test]
fn account_revoked_during_the_login_ends_the_session() {
    let mut run = Run::new();
    run.frame(login(1));
    run.out.revoked = Some(RevocationReason::PasswordChanged);
    run.done(Done::Login(Ok(entry(Seq::ZERO))));
    assert_eq!(run.answers(), ["logged_in 1 ana", "error - revoked"]);
    assert!(!run.takes_frames());
}

#[test]
fn standing_ends_only_the_session_of_a_revoked_account() {
    let mut run = Run::member();
    assert!(!run.core.check_standing(&mut run.out));
    run.out.revoked = Some(RevocationReason::AccountRemoved);
    assert!(run.core.check_standing(&mut run.out));
    assert!(!run.core.check_standing(&mut run.out), "once");
    assert_eq!(run.answers(), ["error - revoked"]);
    assert_eq!(run.effects(), [Effect::Log("revoked")]);
}

#[test]
fn permit_withdrawn_before_the_login_ends_the_session() {
    let mut run = Run::new();
    run.core.withdraw_permit(run.now, &mut run.out);
    assert!(run.core.is_permit_withdrawn());
    assert_eq!(run.answers(), ["error - too-many-sessions"]);
}

#[test]
fn permit_withdrawn_during_a_login_ends_it_only_if_that_fails() {
    for fails in [true, false] {
        let mut run = Run::new();
        run.frame(login(1));
        run.core.withdraw_permit(run.now, &mut run.out);
        assert_eq!(run.answers(), [""; 0], "it may still succeed");
        run.done(match fails {
            true => refused(LoginRefusal::BadCredentials),
            false => Done::Login(Ok(entry(Seq::ZERO))),
        });
        let expected = match fails {
            true => vec!["error 1 bad-credentials", "error - too-many-sessions"],
            false => vec!["logged_in 1 ana"],
        };
        assert_eq!(run.answers(), expected);
        assert_eq!(run.takes_frames(), !fails);
    }
}

#[test]
fn rate_before_the_login_ends_with_it() {
    let mut run = Run::with(|beginning| {
        beginning.limits.rate_before_login = Rate::per_seconds(1, 60);
    });
    run.frame(login(1));
    run.done(Done::Login(Ok(entry(Seq::ZERO)))).clear();
    run.out.reply = Some(Ok("sim".into()));
    run.frames((2..=4).map(request));
    assert_eq!(run.answers(), ["reply 2", "reply 3", "reply 4"]);
}
