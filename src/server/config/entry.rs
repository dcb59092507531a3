//! The declaration of a limit: one entry in limits.rs or timeouts.rs.
//!
//! From an entry come the field of the configuration with its default, the flag and the key
//! of the config file, the check of its range, and the row in docs/limits.md.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::applies::Applies;
use super::value::{Unit, Value};
use crate::server::error::ConfigError;

/// A limit that is a field of the group `G`.
#[derive(Debug)]
pub(in crate::server) struct Entry<G: 'static> {
    pub(super) row: Row,
    /// The lines of the field's documentation.
    pub(super) doc: &'static [&'static str],
    pub(super) get: fn(&G) -> Option<Value>,
    pub(super) set: fn(&mut G, Value) -> bool,
}

/// The parts of a limit's declaration beside its field.
#[derive(Debug)]
pub(in crate::server) struct Row {
    /// The flag without its dashes, and the key of the config file.
    pub(in crate::server) name: &'static str,
    /// The section of the help and of docs/limits.md.
    pub(in crate::server) section: &'static str,
    /// When a changed value takes effect.
    pub(in crate::server) applies: Applies,
    /// The values that are allowed.
    pub(in crate::server) range: Range,
    /// The default in words, where it is no value or not only a value.
    pub(in crate::server) default: Option<&'static str>,
    /// The effect that a client at the limit sees.
    pub(in crate::server) effect: &'static str,
}

/// The values that a limit may have.
#[derive(Debug)]
pub(in crate::server) enum Range {
    Count(RangeInclusive<u64>),
    Bytes(RangeInclusive<u64>),
    Time(RangeInclusive<Duration>),
    Rate,
}

/// The upper end of a range without one.
pub(super) const ANY_NUMBER: u64 = u64::MAX;
/// The same, for times.
pub(super) const ANY_TIME: Duration = Duration::MAX;

impl<G> Entry<G> {
    pub(in crate::server) fn get(&self, group: &G) -> Option<Value> {
        (self.get)(group)
    }

    /// Stores a value that is in range, and no other.
    pub(in crate::server) fn set(&self, group: &mut G, value: Value) -> Result<(), ConfigError> {
        self.row.check(value)?;
        match (self.set)(group, value) {
            true => Ok(()),
            false => Err(self.row.out_of_range(value)),
        }
    }

    /// Checks the value that a group has.
    pub(in crate::server) fn check(&self, group: &G) -> Result<(), ConfigError> {
        self.get(group)
            .map_or(Ok(()), |value| self.row.check(value))
    }
}

/// The parts of an entry that are the same for each group.
pub(in crate::server) trait Described {
    fn row(&self) -> &Row;
    /// Returns the first paragraph of the documentation.
    fn help(&self) -> String;
}

impl<G> Described for Entry<G> {
    fn row(&self) -> &Row {
        &self.row
    }

    fn help(&self) -> String {
        let lines = self.doc.iter().map(|line| line.trim());
        let first: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        first.join(" ").trim_end_matches('.').to_owned()
    }
}

impl Row {
    pub(in crate::server) fn unit(&self) -> Unit {
        match self.range {
            Range::Count(_) => Unit::Count,
            Range::Bytes(_) => Unit::Bytes,
            Range::Time(_) => Unit::Time,
            Range::Rate => Unit::Rate,
        }
    }

    /// Returns the values that are allowed, in words.
    pub(in crate::server) fn range_text(&self) -> String {
        let (least, most) = match &self.range {
            Range::Count(range) | Range::Bytes(range) => (
                Value::Number(*range.start()),
                (*range.end() < ANY_NUMBER).then_some(Value::Number(*range.end())),
            ),
            Range::Time(range) => (
                Value::Time(*range.start()),
                (*range.end() < ANY_TIME).then_some(Value::Time(*range.end())),
            ),
            Range::Rate => return "a rate".to_owned(),
        };
        let text = |value| self.unit().text(value);
        match most {
            None if least == Value::Number(0) => "any number".to_owned(),
            Some(most) => format!("between {} and {}", text(least), text(most)),
            None => format!("at least {}", text(least)),
        }
    }

    fn check(&self, value: Value) -> Result<(), ConfigError> {
        let fits = match (&self.range, value) {
            (Range::Count(range) | Range::Bytes(range), Value::Number(number)) => {
                range.contains(&number)
            }
            (Range::Time(range), Value::Time(time)) => range.contains(&time),
            (Range::Rate, Value::Rate(_)) => true,
            _ => false,
        };
        match fits {
            true => Ok(()),
            false => Err(self.out_of_range(value)),
        }
    }

    fn out_of_range(&self, value: Value) -> ConfigError {
        ConfigError::OutOfRange {
            name: self.name,
            range: self.range_text(),
            value: self.unit().text(value),
        }
    }
}

/// Declares a group of limits: its struct, its default and its `TABLE`. An entry is
///
/// ```text
/// /// The limit in one sentence: the help, and the field's documentation. A second
/// /// paragraph is documentation only.
/// field: Type = default => Row { name: "flag-and-key", … };
/// ```
macro_rules! limits {
    (
        $(#[$meta:meta])*
        pub struct $group:ident;
        $(
            $(#[doc = $doc:literal])+
            $field:ident: $type:ty = $default:expr => $row:expr;
        )*
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $group {
            $( $(#[doc = $doc])+ pub $field: $type, )*
        }

        impl Default for $group {
            fn default() -> Self {
                $group { $( $field: $default, )* }
            }
        }

        impl $group {
            /// The limits of this group, in the order of docs/limits.md.
            pub(in crate::server) const TABLE: &'static [Entry<$group>] = &[
                $( Entry {
                    row: $row,
                    doc: &[$($doc),+],
                    get: |group| Field::value(&group.$field),
                    set: |group, value| Field::assign(&mut group.$field, value),
                }, )*
            ];
        }
    };
}

pub(super) use limits;
