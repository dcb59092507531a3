//! The config file of `arauto serve`: a TOML file whose keys are the flags' names.
//!
//! The keys that are limits come from the library's table, and the others are the fields of
//! [`Settings`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use arauto::limits::Limit;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::super::bounded;
use super::super::exit::{Failure, sysexits};
use super::Settings;
use super::limits::{LimitKey, LimitSettings};

/// The longest config file, in bytes.
const LONGEST_FILE: usize = 1 << 20;

/// The longest unknown key that a known one is searched for, in bytes.
const LONGEST_TYPING_ERROR: usize = 64;

/// How alike an unknown key and a known one must be for the known one to be named. 1 is the same.
const LEAST_LIKENESS: f64 = 0.8;

impl Settings {
    /// Reads a config file. Returns its settings, and the keys that it has.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, has an unknown key, or a value of another type.
    pub(super) fn read(path: &Path) -> Result<(Settings, Vec<String>), Failure> {
        let named = |error: String| format!("the config file {}: {error}", path.display());
        let wrong =
            |error: toml::de::Error| Failure::new(sysexits::CONFIG, named(error.to_string()));
        let text = bounded::read_text(path, LONGEST_FILE)
            .map_err(|error| Failure::new(error.code(), named(error.to_string())))?;
        let settings = Settings::parse(&text).map_err(wrong)?;
        let entries: BTreeMap<String, IgnoredAny> = toml::from_str(&text).map_err(wrong)?;
        Ok((settings, entries.into_keys().collect()))
    }

    /// Parses the text of a config file.
    ///
    /// # Errors
    /// As [`Settings::read`]; the error names the line and the column.
    pub(crate) fn parse(text: &str) -> Result<Settings, toml::de::Error> {
        toml::from_str::<ConfigFile>(text).map(|file| file.0)
    }
}

/// Every setting of a config file, the limits among them.
struct ConfigFile(Settings);

impl<'de> Deserialize<'de> for ConfigFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ConfigFileVisitor)
    }
}

struct ConfigFileVisitor;

impl<'de> Visitor<'de> for ConfigFileVisitor {
    type Value = ConfigFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<ConfigFile, A::Error> {
        let mut limits = LimitSettings::default();
        let others = OtherSettings {
            entries,
            limits: &mut limits,
        };
        let settings = Settings::deserialize(MapAccessDeserializer::new(others))?;
        Ok(ConfigFile(Settings { limits, ..settings }))
    }
}

/// The entries of a config file that are no limits; those that are go into `limits`.
struct OtherSettings<'a, A> {
    entries: A,
    limits: &'a mut LimitSettings,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for OtherSettings<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        mut seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        loop {
            match self.entries.next_key_seed(NextKey(seed))? {
                None => return Ok(None),
                Some(KeyRead::Other(key)) => return Ok(Some(key)),
                Some(KeyRead::Limit(limit, unused)) => {
                    let value = self.entries.next_value_seed(LimitKey(limit))?;
                    self.limits.insert(limit, value);
                    seed = unused;
                }
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.entries.next_value_seed(seed)
    }
}

/// Reads a key: the name of a limit, or one that `K` knows.
struct NextKey<K>(K);

/// A key that was read; the seed comes back where it was not used.
enum KeyRead<K, V> {
    Limit(Limit, K),
    Other(V),
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for NextKey<K> {
    type Value = KeyRead<K, K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let key = String::deserialize(deserializer)?;
        if let Some(limit) = Limit::named(&key) {
            return Ok(KeyRead::Limit(limit, self.0));
        }
        let other = self.0.deserialize(key.as_str().into_deserializer());
        let unknown = |NoField(fields)| D::Error::custom(Unknown { key: &key, fields });
        other.map(KeyRead::Other).map_err(unknown)
    }
}

/// The error of a key that is no field of [`Settings`]: the fields that there are.
#[derive(Debug)]
struct NoField(&'static [&'static str]);

impl fmt::Display for NoField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no field")
    }
}

impl std::error::Error for NoField {}

impl serde::de::Error for NoField {
    fn custom<T: fmt::Display>(_: T) -> NoField {
        NoField(&[])
    }

    fn unknown_field(_: &str, fields: &'static [&'static str]) -> NoField {
        NoField(fields)
    }
}

/// A key that is no setting.
struct Unknown<'a> {
    key: &'a str,
    /// The keys that are no limits.
    fields: &'static [&'static str],
}

impl Unknown<'_> {
    /// Returns the known key that is most like this one, if one is like it.
    fn nearest(&self) -> Option<&'static str> {
        if self.key.len() > LONGEST_TYPING_ERROR {
            return None;
        }
        let limits = Limit::all().map(|limit| limit.name());
        let known = self.fields.iter().copied().chain(limits);
        let likeness = known.map(|name| (strsim::jaro(self.key, name), name));
        let alike = likeness.filter(|(likeness, _)| *likeness >= LEAST_LIKENESS);
        let nearest = alike.max_by(|one, other| one.0.total_cmp(&other.0));
        nearest.map(|(_, name)| name)
    }
}

impl fmt::Display for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown setting {:?}", self.key)?;
        match self.nearest() {
            Some(nearest) => write!(f, "; did you mean {nearest:?}?"),
            None => write!(f, ": `arauto serve --help` lists them"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        let error = Settings::parse(text).expect_err("the file is wrong");
        error.to_string()
    }

    #[test]
    fn unknown_key_of_a_file_is_named_with_its_line() {
        let error = error_of("max-frame = 2048\nmax-sesions = 5\n");
        assert!(error.contains("line 2, column 1"), "{error}");
        assert!(
            error.contains("unknown setting \"max-sesions\"; did you mean \"max-sessions\"?"),
            "{error}"
        );
    }

    #[test]
    fn unknown_key_names_the_nearest_setting_of_either_kind() {
        for (key, nearest) in [
            ("retain_bytes", "retain-bytes"),
            ("default-rol", "default-role"),
            ("max_frame", "max-frame"),
            ("login-timeouts", "login-timeout"),
        ] {
            let error = error_of(&format!("{key} = 1\n"));
            let wanted = format!("unknown setting {key:?}; did you mean {nearest:?}?");
            assert!(error.contains(&wanted), "{error}");
        }
    }

    #[test]
    fn unknown_key_like_no_setting_refers_to_the_help() {
        for key in ["xyzzy".to_owned(), "max-frame".repeat(100_000)] {
            let error = error_of(&format!("{key} = 1\n"));
            assert!(
                error.contains(": `arauto serve --help` lists them"),
                "{key}"
            );
        }
    }
}
