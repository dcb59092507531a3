//! The operator's side of cursors.

use std::borrow::Cow;

use super::error::ClientError;
use super::handle::Client;
use super::shared::Reply;
use crate::wire::{ClientFrame, CursorKey, CursorLine, Cursors, RemoveCursor};

impl Client {
    /// Returns the cursors of all accounts, by account and name; for admins.
    ///
    /// # Errors
    /// The user may not, or the session ends first.
    pub async fn cursors(&self) -> Result<Vec<CursorLine<'static>>, ClientError> {
        let mut all: Vec<CursorLine<'static>> = Vec::new();
        loop {
            let after = all.last().map(|last| CursorKey {
                account: last.account.clone(),
                name: last.name.clone(),
            });
            let frame = |id| ClientFrame::Cursors(Box::new(Cursors { id, after }));
            match self.session().begin(frame).await?.wait().await? {
                Reply::Cursors { cursors, more } => {
                    let is_last = !more || cursors.is_empty();
                    all.extend(cursors);
                    if is_last {
                        return Ok(all);
                    }
                }
                other => return Err(other.mismatch()),
            }
        }
    }

    /// Removes a cursor; for admins. A session that has it goes on, and its acks have no effect any
    /// more. Returns whether there was such a cursor.
    ///
    /// # Errors
    /// The user may not, or the session ends first.
    pub async fn remove_cursor(&self, account: &str, name: &str) -> Result<bool, ClientError> {
        let (account, name) = (Cow::Borrowed(account), Cow::Borrowed(name));
        let frame = |id| ClientFrame::RemoveCursor(Box::new(RemoveCursor { id, account, name }));
        match self.session().begin(frame).await?.wait().await? {
            Reply::CursorRemoved(removed) => Ok(removed),
            other => Err(other.mismatch()),
        }
    }
}
