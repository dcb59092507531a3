//! The operator's questions about cursors: what the hub knows, and how far each cursor lags.

use std::borrow::Cow;
use std::sync::Arc;

use super::core::effects::{AskCursors, Done};
use super::listener_context::ListenerContext;
use crate::actors::hub::{CursorInfo, ListCursors, RemoveCursor};
use crate::log::Log;
use crate::wire::{CursorLine, Seq};

/// Asks the hub.
pub(super) async fn ask(listener: Arc<ListenerContext>, ask: AskCursors) -> Done {
    let hub = listener.hub.addr();
    match ask {
        AskCursors::List { after, most } => {
            let Ok((cursors, more)) = hub.send(ListCursors { after, most }).await else {
                return Done::Gone;
            };
            Done::Cursors(lines(&listener.log, cursors).await, more)
        }
        AskCursors::Remove { account, name } => {
            match hub.send(RemoveCursor { account, name }).await {
                Ok(Ok(removed)) => Done::CursorRemoved(removed),
                Ok(Err(_)) | Err(_) => Done::Gone,
            }
        }
    }
}

/// Returns the cursors with how far each lags.
async fn lines(log: &Log, cursors: Vec<CursorInfo>) -> Vec<CursorLine<'static>> {
    let head = log.head();
    let held: Vec<Option<u64>> = cursors
        .iter()
        .map(|cursor| log.bytes_above(cursor.seq))
        .collect();
    let older = cursors.iter().zip(&held);
    let older = older.filter(|(_, bytes)| bytes.is_none());
    let older = bytes_above(log, older.map(|(cursor, _)| cursor.seq).collect()).await;
    let mut older = older.into_iter();
    let lines = cursors.into_iter().zip(held).map(|(cursor, bytes)| {
        let bytes = bytes.or_else(|| older.next()).unwrap_or_default();
        CursorLine {
            account: Cow::Owned(cursor.account.to_string()),
            name: Cow::Owned(cursor.name.to_string()),
            seq: cursor.seq,
            messages: head.0.saturating_sub(cursor.seq.0),
            bytes,
            session: cursor.session,
        }
    });
    lines.collect()
}

/// Returns the bytes above each of these seqs that are still there, where the log's memory does not
/// reach back so far.
async fn bytes_above(log: &Log, seqs: Vec<Seq>) -> Vec<u64> {
    if seqs.is_empty() {
        return Vec::new();
    }
    let Some(journal) = log.journal() else {
        // Without a journal the rest is gone.
        let all = log.bytes_above(Seq(log.tail().0.saturating_sub(1)));
        return vec![all.unwrap_or_default(); seqs.len()];
    };
    match Arc::clone(journal).bytes_above(seqs).await {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::warn!(%error, "the journal was not read for the list of cursors");
            Vec::new()
        }
    }
}
