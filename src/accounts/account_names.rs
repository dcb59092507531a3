//! The names of the accounts, for those who may know nothing else of them.

use std::fmt;
use std::sync::Arc;

use super::UserName;
use super::account_table::AccountTable;

/// Tells whether there is an account of a name.
#[derive(Clone, Default)]
pub struct AccountNames(Arc<AccountTable>);

impl AccountNames {
    pub(super) fn new(table: &Arc<AccountTable>) -> AccountNames {
        AccountNames(Arc::clone(table))
    }

    /// Whether there is an account of this name. Text that cannot be a name is the name of none.
    pub fn has(&self, name: &str) -> bool {
        UserName::parse(name).is_ok_and(|name| self.0.has(&name))
    }
}

impl fmt::Debug for AccountNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AccountNames").finish_non_exhaustive()
    }
}
