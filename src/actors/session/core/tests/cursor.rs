//! Sessions with a cursor, and the frames about cursors.

use std::borrow::Cow;

use crate::actors::session::core::effects::{AskCursors, Done, LoginFailure};
use crate::actors::session::core::testing::{Effect, Run, ack, entry, login, ping};
use crate::wire::{ClientFrame, CursorKey, Cursors, RemoveCursor, Role, Seq};

fn list(id: u64) -> ClientFrame<'static> {
    let after = Some(CursorKey {
        account: Cow::Borrowed("ana"),
        name: Cow::Borrowed("c"),
    });
    ClientFrame::Cursors(Box::new(Cursors { id, after }))
}

fn remove(id: u64) -> ClientFrame<'static> {
    ClientFrame::RemoveCursor(Box::new(RemoveCursor {
        id,
        account: Cow::Borrowed("ana"),
        name: Cow::Borrowed("c"),
    }))
}

#[test]
fn acks_of_what_was_sent_move_the_cursor() {
    let mut run = Run::member();
    run.out.has_cursor = true;
    run.out.head = Seq(9);
    run.clear();
    for seq in [4, 4, 3, 10, 9] {
        run.frame(ack(seq));
    }
    let moved = [4, 4, 9].map(|seq| Effect::Ack(Seq(seq)));
    assert_eq!(run.effects(), moved);
}

#[test]
fn superseded_session_is_told_and_closes() {
    let mut run = Run::member();
    run.out.is_superseded = true;
    assert!(run.core.check_standing(&mut run.out));
    assert_eq!(run.answers(), ["error - superseded"]);
    assert_eq!(run.effects(), [Effect::Log("superseded")]);
    run.advance_and_write();
    assert_eq!(run.reason(), "superseded");
    assert!(!run.core.check_standing(&mut run.out), "it is over");
}

#[test]
fn session_superseded_before_it_entered_ends_at_once() {
    let mut run = Run::new();
    run.frame(login(1));
    run.out.is_superseded = true;
    run.done(Done::Login(Ok(entry(Seq(4)))));
    assert_eq!(run.answers(), ["logged_in 1 ana", "error - superseded"]);
}

#[test]
fn login_refused_for_its_cursor_leaves_the_session_open() {
    for (failure, code) in [
        (LoginFailure::TooManyCursors(2), "too-many"),
        (LoginFailure::Unannounced, "internal"),
    ] {
        let mut run = Run::new();
        run.frame(login(1));
        run.done(Done::Login(Err(failure)));
        assert_eq!(run.answers(), [format!("error 1 {code}")]);
        run.frame(ping(2));
        assert_eq!(run.answers(), ["pong 2"]);
    }
}

#[test]
fn admins_list_and_remove_cursors() {
    let mut run = Run::member();
    run.frame(list(2));
    run.frame(remove(3));
    assert_eq!(run.answers(), ["error 2 forbidden", "error 3 forbidden"]);
    assert_eq!(run.effects(), []);
    run.out.account_role = Role::Admin;
    run.frame(list(4));
    let asked = AskCursors::List {
        after: Some(("ana".to_owned(), "c".to_owned())),
        most: 1000,
    };
    assert_eq!(run.effects(), [Effect::AskCursors(asked)]);
    run.done(Done::Cursors(Vec::new(), false));
    assert_eq!(run.answers(), ["cursors 4"]);
    run.frame(remove(5));
    run.done(Done::CursorRemoved(true));
    assert_eq!(run.answers(), ["cursor_removed 5 true"]);
    run.frame(remove(6));
    run.done(Done::Gone);
    assert_eq!(run.answers(), ["error 6 internal"]);
    assert_eq!((run.record().accepted, run.record().answered), (5, 5));
}
