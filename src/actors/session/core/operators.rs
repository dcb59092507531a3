//! The frames of operators: the lists of sessions and of cursors, and the removal of a cursor.

use super::Core;
use super::effects::{Ask, AskCursors, Effects};
use super::publish::refuse;
use super::work::Purpose;
use crate::wire::{Cursors, ErrorCode, RemoveCursor, Role};

/// The bytes of an answer for each cursor, at most: two names of 64 bytes, five numbers, and the keys.
const CURSOR_LINE: usize = 256;

/// The most cursors of one answer.
const CURSORS: usize = 1000;

impl Core {
    pub(super) fn list_sessions<E: Effects>(&mut self, id: u64, fx: &mut E) {
        if self.admits_admin(id, "the list of sessions is for admins", fx) {
            fx.ask(Ask::Sessions);
            self.work.push(Purpose::Sessions { id });
        }
    }

    pub(super) fn list_cursors<E: Effects>(&mut self, cursors: Cursors<'_>, fx: &mut E) {
        let id = cursors.id;
        if self.admits_admin(id, "the list of cursors is for admins", fx) {
            let after = cursors.after;
            fx.ask_cursors(AskCursors::List {
                after: after.map(|after| (after.account.into_owned(), after.name.into_owned())),
                most: (self.limits.max_frame / CURSOR_LINE).clamp(1, CURSORS),
            });
            self.work.push(Purpose::Cursors { id });
        }
    }

    pub(super) fn remove_cursor<E: Effects>(&mut self, remove: RemoveCursor<'_>, fx: &mut E) {
        let id = remove.id;
        if self.admits_admin(id, "removing cursors is for admins", fx) {
            fx.ask_cursors(AskCursors::Remove {
                account: remove.account.into_owned(),
                name: remove.name.into_owned(),
            });
            self.work.push(Purpose::RemoveCursor { id });
        }
    }

    /// Admits a frame that is for admins; others are refused with this message.
    fn admits_admin<E: Effects>(&mut self, id: u64, message: &str, fx: &mut E) -> bool {
        self.tally.accept(1);
        let is_admin = is_admin(fx);
        if !is_admin {
            self.note_answered(1, fx);
            refuse(fx, id, ErrorCode::Forbidden, message);
        }
        is_admin
    }
}

/// Whether the client may ask for what is for admins.
pub(super) fn is_admin<E: Effects>(fx: &E) -> bool {
    fx.role() == Some(Role::Admin) || fx.is_own_user()
}
