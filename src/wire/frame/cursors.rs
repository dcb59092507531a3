//! The frames by which operators list cursors and remove one: an addition to the contract.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::optional::is_false;
use super::{present, text};
use crate::wire::{Seq, SessionId};

/// The name of a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorKey<'a> {
    /// The account that the cursor belongs to.
    #[serde(borrow, with = "text")]
    pub account: Cow<'a, str>,
    /// The cursor's name, unique in its account.
    #[serde(borrow, with = "text")]
    pub name: Cow<'a, str>,
}

/// A frame that asks for the list of cursors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursors<'a> {
    /// The id that the client chose. The answer has the same id.
    pub id: u64,
    /// The cursor behind which the list begins; absent for the first part.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "present"
    )]
    pub after: Option<CursorKey<'a>>,
}

impl Cursors<'_> {
    pub(super) fn into_owned(self) -> Cursors<'static> {
        Cursors {
            id: self.id,
            after: self.after.map(|after| CursorKey {
                account: Cow::Owned(after.account.into_owned()),
                name: Cow::Owned(after.name.into_owned()),
            }),
        }
    }
}

/// A frame that removes a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveCursor<'a> {
    /// The id that the client chose. The answer has the same id.
    pub id: u64,
    /// The account that the cursor belongs to.
    #[serde(borrow, with = "text")]
    pub account: Cow<'a, str>,
    /// The cursor's name.
    #[serde(borrow, with = "text")]
    pub name: Cow<'a, str>,
}

impl RemoveCursor<'_> {
    pub(super) fn into_owned(self) -> RemoveCursor<'static> {
        RemoveCursor {
            id: self.id,
            account: Cow::Owned(self.account.into_owned()),
            name: Cow::Owned(self.name.into_owned()),
        }
    }
}

/// A part of the list of cursors, for operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorList<'a> {
    /// The cursors frame's id.
    pub id: u64,
    /// The cursors, by account and name.
    #[serde(borrow)]
    pub cursors: Vec<CursorLine<'a>>,
    /// Whether there are further cursors behind the last one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
}

/// One cursor, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorLine<'a> {
    /// The account that the cursor belongs to.
    #[serde(borrow, with = "text")]
    pub account: Cow<'a, str>,
    /// The cursor's name.
    #[serde(borrow, with = "text")]
    pub name: Cow<'a, str>,
    /// The highest seq that was acknowledged; 0 for a cursor of an older stream.
    pub seq: Seq,
    /// The number of broadcasts above that seq.
    pub messages: u64,
    /// The bytes of those of them that the server still holds.
    pub bytes: u64,
    /// The session that has the cursor; absent if none has it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub session: Option<SessionId>,
}

impl CursorLine<'_> {
    /// Returns the same line without borrowed data.
    pub fn into_owned(self) -> CursorLine<'static> {
        CursorLine {
            account: Cow::Owned(self.account.into_owned()),
            name: Cow::Owned(self.name.into_owned()),
            ..self
        }
    }
}

/// The answer to a frame that removes a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorRemoved {
    /// The frame's id.
    pub id: u64,
    /// Whether there was such a cursor.
    pub removed: bool,
}
