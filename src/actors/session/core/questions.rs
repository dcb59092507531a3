//! The questions to other actors, and their answers.

use super::hears::Hears;
use crate::accounts::{LoginRefusal, UserName};
use crate::actors::handler::Outcome;
use crate::actors::hub::{NotPublished, Verdicts};
use crate::actors::supervisor::Status;
use crate::wire::{CursorLine, Role, Seq, SessionLine, Term};

/// A question to another actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// The users that are present.
    Users,
    /// The server's sessions.
    Sessions,
    /// That the server stops.
    Stop {
        /// Whether the drain is skipped.
        now: bool,
    },
}

/// A question about cursors.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AskCursors {
    /// A part of the list.
    List {
        /// The account and the name of the cursor behind which the part begins.
        after: Option<(String, String)>,
        /// The most cursors of the part.
        most: usize,
    },
    /// That a cursor is removed.
    Remove {
        /// The account.
        account: String,
        /// The cursor's name.
        name: String,
    },
}

/// The result of the oldest piece of work.
#[derive(Debug)]
pub enum Done {
    /// A login was checked and, where it succeeded, announced.
    Login(Result<Entry, LoginFailure>),
    /// The first seq of a run of publishes.
    Published(Result<Seq, NotPublished>),
    /// The verdicts on a run of judged publishes.
    Judged(Result<Verdicts, NotPublished>),
    /// A handler's answer.
    Replied(Outcome),
    /// The users that are present.
    Users(Vec<UserName>),
    /// The server's sessions.
    Sessions(Vec<SessionLine<'static>>),
    /// A part of the list of cursors, and whether there are more.
    Cursors(Vec<CursorLine<'static>>, bool),
    /// Whether there was a cursor to remove.
    CursorRemoved(bool),
    /// Where the stop is.
    Stopping(Status),
    /// The actor that was asked is gone.
    Gone,
}

/// A login that auth and the hub have agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The user.
    pub user: UserName,
    /// The user's role.
    pub role: Role,
    /// Whether this login registered the user.
    pub registered: bool,
    /// The log's stream.
    pub stream: String,
    /// The stream's term.
    pub term: Term,
    /// The broadcast behind which the session's own begin.
    pub after: Seq,
    /// The end of the gap, from the first broadcast on, that a resume cannot give.
    pub gap: Option<Seq>,
    /// The broadcasts that the login asked for.
    pub hears: Hears,
    /// The seq up to which the login asked for kept values.
    pub kept_until: Option<Seq>,
    /// Whether the login's cursor was not known before.
    pub cursor_new: bool,
}

/// Why a login failed.
#[derive(Debug)]
pub enum LoginFailure {
    /// Auth did not agree to it.
    Refused(LoginRefusal),
    /// The user has as many sessions as it may have.
    TooManySessions,
    /// The account has as many cursors as it may have, this number.
    TooManyCursors(usize),
    /// Its `joined` could not be published, or its cursor not be stored.
    Unannounced,
}
