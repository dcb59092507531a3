//! Remembers the last reading of the accounts.
//!
//! The database is looked at every second and at each login, and may stay as it is for days:
//! each problem is told once, and once more when it is over.

use std::collections::BTreeSet;

use super::{InvalidAccount, InvalidRule};

/// Invalid rows that one reload names in the log; the others are counted.
const NAMED: usize = 20;

/// The result of the last reading of the database.
#[derive(Debug, Default)]
pub(super) struct LastRead {
    /// The version that the table was read from.
    version: Option<i64>,
    accounts: LoggedRows<InvalidAccount>,
    rules: LoggedRows<InvalidRule>,
    is_failing: bool,
}

/// The invalid rows of a table that are in the log.
#[derive(Debug)]
struct LoggedRows<T>(BTreeSet<T>);

/// Invalid rows that are new.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NewlyInvalid<T> {
    /// Those to name.
    pub(super) named: Vec<T>,
    /// How many more there are.
    pub(super) others: usize,
}

impl<T> Default for LoggedRows<T> {
    fn default() -> Self {
        LoggedRows(BTreeSet::new())
    }
}

impl<T: Ord + Clone> LoggedRows<T> {
    /// Replaces the rows by those that were found. Returns the new ones.
    fn replace(&mut self, found: Vec<T>) -> NewlyInvalid<T> {
        let found: BTreeSet<T> = found.into_iter().collect();
        let mut named: Vec<T> = found.difference(&self.0).cloned().collect();
        let others = named.len().saturating_sub(NAMED);
        named.truncate(NAMED);
        self.0 = found;
        NewlyInvalid { named, others }
    }
}

impl LastRead {
    /// Whether the table was read from this version.
    pub(super) fn is_of(&self, version: i64) -> bool {
        self.version == Some(version)
    }

    /// Notes that accounts and rules were read from this version. Returns the invalid rows that
    /// are not in the log.
    pub(super) fn note_rows(
        &mut self,
        version: i64,
        accounts: Vec<InvalidAccount>,
        rules: Vec<InvalidRule>,
    ) -> (NewlyInvalid<InvalidAccount>, NewlyInvalid<InvalidRule>) {
        self.version = Some(version);
        (self.accounts.replace(accounts), self.rules.replace(rules))
    }

    /// The database could be read, or not; whether that is another outcome than the last.
    pub(super) fn note_outcome(&mut self, failed: bool) -> bool {
        std::mem::replace(&mut self.is_failing, failed) != failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid(name: &str) -> InvalidAccount {
        InvalidAccount {
            name: name.to_owned(),
            user: None,
            reason: "a test".to_owned(),
        }
    }

    #[test]
    fn invalid_row_is_logged_once_and_again_after_a_repair() {
        let mut last = LastRead::default();
        let mut tell = |version, names: &[&str]| {
            let rows = names.iter().map(|name| invalid(name)).collect();
            last.note_rows(version, rows, Vec::new()).0.named.len()
        };
        assert_eq!(tell(1, &["ana"]), 1);
        assert_eq!(tell(2, &["ana"]), 0);
        assert_eq!(tell(3, &["ana", "rui"]), 1);
        assert_eq!(tell(4, &["rui"]), 0);
        assert_eq!(tell(5, &["ana", "rui"]), 1);
    }

    #[test]
    fn many_invalid_rows_are_counted() {
        let rows = (0..1000).map(|number| invalid(&number.to_string()));
        let (told, _) = LastRead::default().note_rows(1, rows.collect(), Vec::new());
        assert_eq!((told.named.len(), told.others), (NAMED, 1000 - NAMED));
    }

    #[test]
    fn reload_failure_and_recovery_are_logged_once_each() {
        let mut last = LastRead::default();
        let told: Vec<bool> = [false, true, true, false, false]
            .into_iter()
            .map(|failed| last.note_outcome(failed))
            .collect();
        assert_eq!(told, [false, true, false, true, false]);
    }
}
