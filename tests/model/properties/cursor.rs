//! The properties of the cursor.

use arauto::ExitCode;
use stateright::Property;

use super::is_exit;
use crate::setting::Setting;

pub const TRUE: &str = "a cursor is never ahead of what its session has acknowledged";
pub const BEHIND_JOURNAL: &str = "a stored cursor is never ahead of the journal";
pub const TOLD_ON_DISK: &str = "a login with a cursor is answered once its begin is on disk";
pub const ACKS_STORED: &str = "each ack that was read is stored when the hub has stopped";

pub fn all() -> Vec<Property<Setting>> {
    vec![
        Property::<Setting>::always(TRUE, |_, state| {
            let cursor = &state.world.hub.cursor;
            let known = cursor.position.max(cursor.stored);
            known.is_none_or(|seq| seq <= cursor.due)
        }),
        Property::<Setting>::always(BEHIND_JOURNAL, |_, state| {
            let hub = &state.world.hub;
            hub.cursor.stored.is_none_or(|stored| stored <= hub.head)
        }),
        Property::<Setting>::always(TOLD_ON_DISK, |_, state| {
            !state.world.hub.cursor.was_told_early
        }),
        Property::<Setting>::always(ACKS_STORED, |setting, state| {
            let hub = &state.world.hub;
            let has_stopped = is_exit(state, ExitCode::Clean)
                || (is_exit(state, ExitCode::Deadline) && hub.was_stopped);
            !(has_stopped && setting.is_journaled) || hub.cursor.stored >= hub.cursor.position
        }),
    ]
}
