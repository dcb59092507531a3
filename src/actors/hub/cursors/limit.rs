//! The bound of an account's cursors.

use super::Cursors;
use super::messages::CursorRefusal;
use crate::accounts::UserName;

impl Cursors {
    /// Changes the most cursors of an account. Those beyond it stay.
    pub(in crate::actors::hub) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Checks that the account may have a cursor of this name.
    pub(in crate::actors::hub) fn check(
        &self,
        user: &UserName,
        name: &str,
    ) -> Result<(), CursorRefusal> {
        let Some(names) = self.accounts.get(user.as_str()) else {
            return Ok(());
        };
        if names.len() >= self.limit && !names.contains_key(name) {
            return Err(CursorRefusal::TooMany(self.limit));
        }
        Ok(())
    }
}
