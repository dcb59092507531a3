//! Times in a config file.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// Reads a time such as `1m 30s`.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map_err(|error| serde::de::Error::custom(format!("{text:?} is not a time: {error}")))
}

/// Reads a time that may be left out.
pub(super) fn some_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    time(deserializer).map(Some)
}
