//! The faults of a database that is checked.
//!
//! A server and a copy end their check at the first fault. `arauto verify` names the faults, so it
//! goes on behind each of them, up to a limit.

use std::error::Error;

use super::error::is_damage;

/// Why a part of a database failed its check.
#[derive(Debug)]
pub(super) enum CheckError {
    /// SQLite's error. It may be damage too.
    Sqlite(rusqlite::Error),
    /// The problem, and where it is.
    Damaged(String),
}

impl CheckError {
    /// Wraps the error of a row that contradicts the others.
    pub(super) fn of(error: &dyn Error) -> CheckError {
        CheckError::Damaged(error.to_string())
    }
}

impl From<rusqlite::Error> for CheckError {
    fn from(error: rusqlite::Error) -> Self {
        CheckError::Sqlite(error)
    }
}

/// Collects faults.
#[derive(Debug)]
pub(super) struct Faults {
    found: Vec<String>,
    most: usize,
}

impl Faults {
    /// Ends a check at its first fault.
    pub(super) fn first() -> Faults {
        Faults::up_to(0)
    }

    /// Collects up to `most` faults, and ends the check at the next one.
    pub(super) fn up_to(most: usize) -> Faults {
        let found = Vec::new();
        Faults { found, most }
    }

    /// Takes the outcome of one step of a check. Returns `None` if the step found a fault that was
    /// added here.
    ///
    /// # Errors
    /// There is no room for the fault, or the error is not one of the database's content.
    pub(super) fn check<T>(
        &mut self,
        step: Result<T, CheckError>,
    ) -> Result<Option<T>, CheckError> {
        let error = match step {
            Ok(output) => return Ok(Some(output)),
            Err(error) => error,
        };
        if self.found.len() >= self.most {
            return Err(error);
        }
        match error {
            CheckError::Damaged(reason) => self.found.push(reason),
            CheckError::Sqlite(error) if is_damage(&error) => self.found.push(error.to_string()),
            CheckError::Sqlite(_) => return Err(error),
        }
        Ok(None)
    }

    /// Adds a fault.
    ///
    /// # Errors
    /// There is no room for it.
    pub(super) fn add(&mut self, reason: impl Into<String>) -> Result<(), CheckError> {
        self.check::<()>(Err(CheckError::Damaged(reason.into())))
            .map(drop)
    }

    /// Returns the faults that were found.
    pub(super) fn into_found(self) -> Vec<String> {
        self.found
    }
}

/// Joins SQLite's error and that of a row, which the readers of the tables return apart.
pub(super) fn joined<T, E: Error>(read: rusqlite::Result<Result<T, E>>) -> Result<T, CheckError> {
    read?.map_err(|error| CheckError::of(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault() -> Result<(), CheckError> {
        Err(CheckError::Damaged("row 7".to_owned()))
    }

    #[test]
    fn first_fault_ends_a_check_without_room_for_it() {
        let mut faults = Faults::first();
        assert!(matches!(faults.check(Ok(1)), Ok(Some(1))));
        assert!(matches!(faults.check(fault()), Err(CheckError::Damaged(_))));
    }

    #[test]
    fn faults_are_collected_up_to_the_limit() {
        let mut faults = Faults::up_to(2);
        assert!(matches!(faults.check(fault()), Ok(None)));
        let damage =
            rusqlite::Error::InvalidColumnType(0, "seq".to_owned(), rusqlite::types::Type::Text);
        assert!(matches!(faults.check::<()>(Err(damage.into())), Ok(None)));
        assert!(faults.add("row 9").is_err());
        assert_eq!(faults.into_found().len(), 2);
    }

    #[test]
    fn error_that_is_no_damage_ends_the_check() {
        let mut faults = Faults::up_to(2);
        let busy = rusqlite::Error::ExecuteReturnedResults;
        assert!(faults.check::<()>(Err(busy.into())).is_err());
        assert!(faults.into_found().is_empty());
    }
}
