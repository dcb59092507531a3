//! The limits of a server by their names, as flags and config files give them.

use super::config::{Applies, Config, Described, Entry, Limits, Timeouts, Unit, Value};
use super::error::ConfigError;

/// One limit of a server: its name, and its place in a [`Config`]. A program that embeds
/// the server can offer the same flags as `arauto serve` with it.
///
/// ```
/// use arauto::limits::{Limit, Value};
///
/// let mut config = arauto::Config::default();
/// let limit = Limit::named("max-frame").expect("there is such a limit");
/// limit.set(&mut config, Value::Number(64 << 10))?;
/// assert_eq!(config.limits.max_frame, 65_536);
///
/// let error = limit.set(&mut config, Value::Number(5)).unwrap_err();
/// assert_eq!(error.to_string(), "max-frame must be between 1KiB and 1GiB, not 5B");
/// # Ok::<_, arauto::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Limit(GroupEntry);

/// A limit's row in the table of its group of the configuration.
#[derive(Debug, Clone, Copy)]
enum GroupEntry {
    Limits(&'static Entry<Limits>),
    Timeouts(&'static Entry<Timeouts>),
}

impl Limit {
    /// Returns every limit, in the order of docs/limits.md.
    pub fn all() -> impl Iterator<Item = Limit> {
        let limits = Limits::TABLE.iter().map(GroupEntry::Limits);
        let timeouts = Timeouts::TABLE.iter().map(GroupEntry::Timeouts);
        limits.chain(timeouts).map(Limit)
    }

    /// Returns the limit that flags and config files call `name`.
    pub fn named(name: &str) -> Option<Limit> {
        Limit::all().find(|limit| limit.name() == name)
    }

    /// Returns its name: the flag without its dashes, and the key of the config file.
    pub fn name(&self) -> &'static str {
        self.described().row().name
    }

    /// Returns the section of the help and of docs/limits.md that it belongs to.
    pub fn section(&self) -> &'static str {
        self.described().row().section
    }

    /// Returns what it counts in.
    pub fn unit(&self) -> Unit {
        self.described().row().unit()
    }

    /// Returns what it limits, in one sentence without a full stop.
    pub fn help(&self) -> String {
        self.described().help()
    }

    /// Returns the default in words.
    pub fn default_text(&self) -> String {
        match (self.described().row().default, self.get(&Config::default())) {
            (Some(words), _) => words.to_owned(),
            (None, Some(value)) => self.unit().text(value),
            (None, None) => "none".to_owned(),
        }
    }

    /// Returns the values that it may have, in words.
    pub fn range_text(&self) -> String {
        self.described().row().range_text()
    }

    /// Returns what a client at this limit sees.
    pub fn effect(&self) -> &'static str {
        self.described().row().effect
    }

    /// Returns when a changed value takes effect.
    pub fn applies(&self) -> Applies {
        self.described().row().applies
    }

    /// Returns the value in a configuration. `None`: there is no limit.
    pub fn get(&self, config: &Config) -> Option<Value> {
        match self.0 {
            GroupEntry::Limits(entry) => entry.get(&config.limits),
            GroupEntry::Timeouts(entry) => entry.get(&config.timeouts),
        }
    }

    /// Sets the value in a configuration.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`], also for a value in another unit. Then the configuration
    /// is as before.
    pub fn set(&self, config: &mut Config, value: Value) -> Result<(), ConfigError> {
        match self.0 {
            GroupEntry::Limits(entry) => entry.set(&mut config.limits, value),
            GroupEntry::Timeouts(entry) => entry.set(&mut config.timeouts, value),
        }
    }

    /// Checks the value in a configuration.
    pub(super) fn check(&self, config: &Config) -> Result<(), ConfigError> {
        match self.0 {
            GroupEntry::Limits(entry) => entry.check(&config.limits),
            GroupEntry::Timeouts(entry) => entry.check(&config.timeouts),
        }
    }

    fn described(&self) -> &'static dyn Described {
        match self.0 {
            GroupEntry::Limits(entry) => entry,
            GroupEntry::Timeouts(entry) => entry,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::rate::Rate;

    #[test]
    fn limit_names_are_words_with_hyphens_and_given_once() {
        let names: Vec<_> = Limit::all().map(|limit| limit.name()).collect();
        let distinct: BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(names.iter().all(|name| name.chars().all(is_plain)));
    }

    #[test]
    fn limit_default_is_in_its_range_and_in_its_words() {
        let config = Config::default();
        for limit in Limit::all() {
            let Some(value) = limit.get(&config) else {
                assert!(
                    limit.described().row().default.is_some(),
                    "{}",
                    limit.name()
                );
                continue;
            };
            limit
                .set(&mut Config::default(), value)
                .expect("the default is allowed");
            if let Some(words) = limit.described().row().default
                && words.starts_with(|c: char| c.is_ascii_digit())
            {
                assert!(words.starts_with(&limit.unit().text(value)), "{words}");
            }
        }
    }

    #[test]
    fn limit_set_is_what_get_returns() {
        for limit in Limit::all() {
            let mut config = Config::default();
            let value = match limit.unit() {
                Unit::Count => Value::Number(7),
                Unit::Bytes => Value::Number(300_000),
                Unit::Time => Value::Time(Duration::from_secs(77)),
                Unit::Rate => Value::Rate(Rate::a_minute(7)),
            };
            limit.set(&mut config, value).expect("it is in range");
            assert_eq!(limit.get(&config), Some(value), "{}", limit.name());
            let others = Limit::all().filter(|other| other.name() != limit.name());
            for other in others {
                let default = other.get(&Config::default());
                assert_eq!(other.get(&config), default, "{}", other.name());
            }
        }
    }

    #[test]
    fn limit_in_another_unit_is_refused_and_changes_nothing() {
        for limit in Limit::all() {
            let mut config = Config::default();
            let wrong = match limit.unit() {
                Unit::Time => Value::Number(5),
                _ => Value::Time(Duration::from_secs(5)),
            };
            let error = limit.set(&mut config, wrong).expect_err("another unit");
            assert!(error.to_string().starts_with(limit.name()), "{error}");
            assert_eq!(limit.get(&config), limit.get(&Config::default()));
        }
    }
}
