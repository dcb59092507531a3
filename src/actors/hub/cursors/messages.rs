//! The hub's messages about cursors, and its answers.

use std::sync::Arc;

use actix::Message;

use super::slot::{CursorLease, OnSuperseded};
use crate::accounts::UserName;
use crate::wire::{Seq, SessionId};

/// Why a session does not get its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorRefusal {
    /// The account has as many cursors as it may have, this number.
    TooMany(usize),
    /// It could not be stored.
    Unwritten,
}

/// Checks that an account may have a cursor of this name, before its login is announced.
#[derive(Message)]
#[rtype(result = "Result<(), CursorRefusal>")]
pub struct CheckCursor {
    /// The account.
    pub user: UserName,
    /// The cursor's name.
    pub name: Arc<str>,
}

/// Gives a cursor to a session that has logged in. With a journal it is answered once the position
/// is on disk.
#[derive(Message)]
#[rtype(result = "Result<OpenedCursor, CursorRefusal>")]
pub struct OpenCursor {
    /// The account.
    pub user: UserName,
    /// The cursor's name.
    pub name: Arc<str>,
    /// The session.
    pub session: SessionId,
    /// The newest seq, the session's own `joined` included: an unknown cursor begins here.
    pub head: Seq,
    /// Called when another session has taken the cursor over.
    pub on_superseded: OnSuperseded,
}

/// A cursor that a session has.
#[derive(Debug)]
pub struct OpenedCursor {
    /// The hold of it.
    pub lease: CursorLease,
    /// The seq behind which the session's broadcasts begin.
    pub begin: Seq,
    /// The end of the gap, from the first broadcast on, where the cursor is of an older stream.
    pub gap: Option<Seq>,
    /// Whether it was not known before.
    pub is_new: bool,
}

/// A cursor, as the hub lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorInfo {
    /// The account.
    pub account: Arc<str>,
    /// The cursor's name.
    pub name: Arc<str>,
    /// The highest seq that was acknowledged; 0 for a cursor of an older stream.
    pub seq: Seq,
    /// The session that has it.
    pub session: Option<SessionId>,
}

/// Asks for at most `most` cursors behind `after`, by account and name. The answer also says whether
/// there are more.
#[derive(Message)]
#[rtype(result = "(Vec<CursorInfo>, bool)")]
pub struct ListCursors {
    /// The account and the name of the last cursor of the part before.
    pub after: Option<(String, String)>,
    /// The most cursors.
    pub most: usize,
}

/// Removes a cursor. The answer says whether there was one; with a journal it comes once the removal
/// is on disk.
#[derive(Message)]
#[rtype(result = "Result<bool, CursorRefusal>")]
pub struct RemoveCursor {
    /// The account.
    pub account: String,
    /// The cursor's name.
    pub name: String,
}
