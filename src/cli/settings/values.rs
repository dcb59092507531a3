//! The values of settings, as a config file has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arauto::limits::{Limit, Unit, Value};
use arauto::{Config, SlowPolicy};
use clap::ValueEnum;

use super::super::exit::{Failure, sysexits};
use super::Settings;

/// The value of each setting by its key; `None`: it is not set, and has no default.
pub(crate) type Values = BTreeMap<&'static str, Option<toml::Value>>;

impl Settings {
    /// Returns the value of each setting in a configuration that these settings gave.
    ///
    /// # Errors
    /// A value has no form in TOML: a path that is not UTF-8, or a number above 2^63 - 1.
    pub(crate) fn values(&self, config: &Config) -> Result<Values, Failure> {
        // Without `..`, so that no setting is forgotten.
        let Settings {
            listen,
            data: _,
            journal: _,
            retain_bytes: _,
            retain_age: _,
            cursor_hold: _,
            report,
            admin,
            admin_token,
            audit,
            log,
            tls_cert,
            tls_key,
            tls_client_ca,
            slow: _,
            default_role: _,
            limits: _,
        } = self;
        let endpoints = match listen.is_empty() {
            true => config
                .listen
                .iter()
                .map(|one| one.endpoint.to_string())
                .collect(),
            false => listen.clone(),
        };
        let data = match self.data_folder() {
            Some(folder) => path("data", &folder)?,
            None => text("none"),
        };
        let log = log.unwrap_or_default().to_possible_value();
        let log = log.map(|log| text(log.get_name()));
        let slow = match config.slow {
            SlowPolicy::Gap => "gap",
            SlowPolicy::Disconnect => "disconnect",
        };
        let journal = config.storage.journal.as_ref();
        let age = journal.and_then(|journal| journal.age);
        let path = |key, value: &Option<PathBuf>| {
            let value = value.as_deref();
            value.map(|value| self::path(key, value)).transpose()
        };
        let mut values = Values::from([
            ("listen", Some(list(endpoints))),
            ("data", Some(data)),
            ("journal", Some(toml::Value::Boolean(journal.is_some()))),
            ("retain-bytes", journal.map(|journal| bytes(journal.bytes))),
            ("retain-age", age.map(time)),
            (
                "cursor-hold",
                journal.map(|journal| bytes(journal.cursor_hold)),
            ),
            ("report", path("report", report)?),
            ("admin", admin.as_deref().map(text)),
            ("admin-token", path("admin-token", admin_token)?),
            ("audit", path("audit", audit)?),
            ("log", log),
            ("tls-cert", path("tls-cert", tls_cert)?),
            ("tls-key", path("tls-key", tls_key)?),
            ("tls-client-ca", path("tls-client-ca", tls_client_ca)?),
            ("slow", Some(text(slow))),
            ("default-role", Some(text(config.default_role.as_str()))),
        ]);
        for limit in Limit::all() {
            let value = limit.get(config).map(|value| of_limit(limit, value));
            values.insert(limit.name(), value.transpose()?);
        }
        Ok(values)
    }
}

/// Returns a limit's value as a config file has it.
///
/// # Errors
/// The number is above those of TOML.
pub(crate) fn of_limit(limit: Limit, value: Value) -> Result<toml::Value, Failure> {
    match (limit.unit(), value) {
        (_, Value::Time(value)) => Ok(time(value)),
        (Unit::Count, Value::Number(number)) => match i64::try_from(number) {
            Ok(number) => Ok(toml::Value::Integer(number)),
            Err(_) => {
                let most = i64::MAX;
                let message = format!(
                    "{}: {number} is above {most}, the largest number of a TOML file",
                    limit.name()
                );
                Err(Failure::new(sysexits::DATAERR, message))
            }
        },
        (unit, value) => Ok(toml::Value::String(unit.text(value))),
    }
}

fn text(text: &str) -> toml::Value {
    toml::Value::String(text.to_owned())
}

fn list(texts: Vec<String>) -> toml::Value {
    toml::Value::Array(texts.into_iter().map(toml::Value::String).collect())
}

fn bytes(number: u64) -> toml::Value {
    toml::Value::String(Unit::Bytes.text(Value::Number(number)))
}

/// In a form that keeps every nanosecond.
fn time(time: Duration) -> toml::Value {
    toml::Value::String(humantime::format_duration(time).to_string())
}

fn path(key: &str, path: &Path) -> Result<toml::Value, Failure> {
    path.to_str().map(text).ok_or_else(|| {
        let message = format!("{key}: {path:?} is not UTF-8, and a TOML file must be");
        Failure::new(sysexits::DATAERR, message)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::keys::{flags, key};
    use super::*;

    #[test]
    fn each_setting_has_a_value_or_none() {
        let settings = Settings::default();
        let values = settings.values(&Config::default()).expect("they are text");
        let keys: BTreeSet<&str> = values.keys().copied().collect();
        let flags = flags();
        assert_eq!(keys, flags.iter().map(key).collect());
    }

    #[test]
    fn value_of_each_limit_is_read_as_the_same() {
        for limit in Limit::all() {
            let mut config = Config::default();
            let value = match limit.unit() {
                Unit::Count => Value::Number(9),
                Unit::Bytes => Value::Number((300 << 10) + 1),
                Unit::Time => Value::Time(Duration::from_nanos(1_500_000_001)),
                _ => Value::Rate("7/h".parse().expect("it is a rate")),
            };
            limit.set(&mut config, value).expect("it is in range");
            let written = of_limit(limit, value).expect("it is in range of TOML's");
            let file = format!("{} = {written}\n", limit.name());
            let settings = Settings::parse(&file).expect(&file);
            let read = settings.config().expect("it is in range");
            assert_eq!(limit.get(&read), Some(value), "{file}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn path_that_is_not_utf8_is_named() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let settings = Settings {
            report: Some(OsStr::from_bytes(b"/tmp/\xff").into()),
            ..Settings::default()
        };
        let failure = settings.values(&Config::default()).expect_err("no text");
        assert!(failure.message().starts_with("report: "));
        assert_eq!(failure.code(), sysexits::DATAERR);
    }
}
