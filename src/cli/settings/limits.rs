//! The limits among the settings: flags, and keys of the config file.
//!
//! Both come from [`Limit::all`], so that a new limit needs nothing here.

use std::collections::BTreeMap;

use arauto::limits::{Limit, Unit, Value};
use arauto::{Config, ConfigError, Rate};
use bytesize::ByteSize;
use clap::{Arg, ArgMatches, Command};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer};

use super::time::time;

/// The limits that were given, by their names.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct LimitSettings(BTreeMap<&'static str, Value>);

impl LimitSettings {
    /// Returns these limits, and those of `file` that are not among them.
    pub(super) fn or(self, mut file: LimitSettings) -> LimitSettings {
        file.0.extend(self.0);
        file
    }

    /// Adds a limit that was given.
    pub(super) fn insert(&mut self, limit: Limit, value: Value) {
        self.0.insert(limit.name(), value);
    }

    /// Returns whether the limit of this name was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Sets them in a configuration.
    ///
    /// # Errors
    /// One is out of its range.
    pub(super) fn set(&self, config: &mut Config) -> Result<(), ConfigError> {
        let given = Limit::all().filter_map(|limit| Some((limit, *self.0.get(limit.name())?)));
        given
            .into_iter()
            .try_for_each(|(limit, value)| limit.set(config, value))
    }
}

impl clap::Args for LimitSettings {
    fn augment_args(command: Command) -> Command {
        Limit::all().fold(command, |command, limit| command.arg(flag(limit)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        LimitSettings::augment_args(command)
    }
}

impl clap::FromArgMatches for LimitSettings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut limits = LimitSettings::default();
        limits.update_from_arg_matches(matches)?;
        Ok(limits)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for limit in Limit::all() {
            if let Some(value) = matches.get_one::<Value>(limit.name()) {
                self.0.insert(limit.name(), *value);
            }
        }
        Ok(())
    }
}

/// Returns the flag of a limit.
fn flag(limit: Limit) -> Arg {
    let (unit, value_name) = (limit.unit(), value_name(limit.unit()));
    Arg::new(limit.name())
        .long(limit.name())
        .value_name(value_name)
        .help(format!(
            "{} [default: {}]",
            limit.help(),
            limit.default_text()
        ))
        .help_heading(limit.section())
        .value_parser(move |text: &str| parse(unit, text))
}

fn value_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => "BYTES",
        Unit::Time => "TIME",
        Unit::Rate => "RATE",
        _ => "N",
    }
}

/// Reads the value of a flag.
///
/// # Errors
/// The text is no value in this unit; the error says why.
pub(crate) fn parse(unit: Unit, text: &str) -> Result<Value, String> {
    match unit {
        Unit::Bytes => text
            .parse::<ByteSize>()
            .map(|size| Value::Number(size.as_u64())),
        Unit::Time => humantime::parse_duration(text)
            .map(Value::Time)
            .map_err(|error| error.to_string()),
        Unit::Rate => text
            .parse::<Rate>()
            .map(Value::Rate)
            .map_err(|error| error.to_string()),
        _ => text
            .parse::<u64>()
            .map(Value::Number)
            .map_err(|error| error.to_string()),
    }
}

/// Reads the value of a key of the config file.
impl<'de> DeserializeSeed<'de> for LimitKey {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.0.unit() {
            Unit::Bytes => {
                ByteSize::deserialize(deserializer).map(|size| Value::Number(size.as_u64()))
            }
            Unit::Time => time(deserializer).map(Value::Time),
            Unit::Rate => Rate::deserialize(deserializer).map(Value::Rate),
            _ => u64::deserialize(deserializer).map(Value::Number),
        }
    }
}

/// A key that is the name of a limit.
pub(super) struct LimitKey(pub(super) Limit);
