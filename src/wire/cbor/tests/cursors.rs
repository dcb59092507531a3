//! Random frames about cursors.

use std::borrow::Cow;

use proptest::prelude::{Strategy, any, prop};

use super::same_as_serde::numbers;
use crate::wire::{CursorKey, CursorLine, CursorList, Seq, SessionId};

fn texts() -> impl Strategy<Value = Cow<'static, str>> {
    any::<String>().prop_map(Cow::Owned)
}

pub(super) fn cursor_keys() -> impl Strategy<Value = CursorKey<'static>> {
    (texts(), texts()).prop_map(|(account, name)| CursorKey { account, name })
}

pub(super) fn cursor_lists() -> impl Strategy<Value = CursorList<'static>> {
    let session = prop::option::of(numbers());
    let line = (
        cursor_keys(),
        numbers().prop_map(Seq),
        numbers(),
        numbers(),
        session,
    );
    let line = line.prop_map(|(key, seq, messages, bytes, session)| CursorLine {
        account: key.account,
        name: key.name,
        seq,
        messages,
        bytes,
        session: session.map(SessionId),
    });
    let cursors = prop::collection::vec(line, 0..4);
    let parts = (numbers(), cursors, any::<bool>());
    parts.prop_map(|(id, cursors, more)| CursorList { id, cursors, more })
}
