//! The values of limits, and how they are written.

use std::fmt;
use std::time::Duration;

use crate::rate::Rate;

/// The unit of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Things: a [`Value::Number`].
    Count,
    /// Bytes: a [`Value::Number`].
    Bytes,
    /// A [`Value::Time`].
    Time,
    /// A [`Value::Rate`].
    Rate,
}

impl Unit {
    /// Returns a value as flags and config files have it, with its unit where it needs one.
    pub fn text(self, value: Value) -> String {
        match (self, value) {
            (Unit::Bytes, Value::Number(bytes)) => in_units(bytes, &BYTES),
            (_, value) => value.to_string(),
        }
    }
}

/// A limit's value. It is written as flags and config files have it, a number of bytes
/// without its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A count, or a number of bytes.
    Number(u64),
    /// A time.
    Time(Duration),
    /// A rate.
    Rate(Rate),
}

const BYTES: [(u64, &str); 4] = [
    (1 << 30, "GiB"),
    (1 << 20, "MiB"),
    (1 << 10, "KiB"),
    (1, "B"),
];

/// Milliseconds in each unit of time.
const TIMES: [(u64, &str); 5] = [
    (24 * 60 * 60 * 1000, "d"),
    (60 * 60 * 1000, "h"),
    (60 * 1000, "m"),
    (1000, "s"),
    (1, "ms"),
];

/// Writes a number in the largest unit that it is a multiple of.
fn in_units(number: u64, units: &[(u64, &str)]) -> String {
    let fits = |unit: &&(u64, &str)| number >= unit.0 && number.is_multiple_of(unit.0);
    match units.iter().find(fits) {
        Some((size, name)) => format!("{}{name}", number / size),
        None => "0".to_owned(),
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => write!(f, "{number}"),
            Value::Time(time) if time.subsec_nanos() % 1_000_000 != 0 => write!(f, "{time:?}"),
            Value::Time(time) => match u64::try_from(time.as_millis()) {
                Ok(millis) => f.write_str(&in_units(millis, &TIMES)),
                Err(_) => write!(f, "{}s", time.as_secs()),
            },
            Value::Rate(rate) => write!(f, "{rate}"),
        }
    }
}

/// A field of a configuration that a limit is stored in.
pub(super) trait Field {
    /// Returns its value; `None`: there is no limit.
    fn value(&self) -> Option<Value>;
    /// Stores a value. `false`: the field is of another type, or too small.
    fn assign(&mut self, value: Value) -> bool;
}

macro_rules! number {
    ($($type:ty)*) => {$(
        impl Field for $type {
            fn value(&self) -> Option<Value> {
                Some(Value::Number(u64::try_from(*self).unwrap_or(u64::MAX)))
            }

            fn assign(&mut self, value: Value) -> bool {
                let Value::Number(number) = value else { return false };
                <$type>::try_from(number).is_ok_and(|number| {
                    *self = number;
                    true
                })
            }
        }
    )*};
}

number! { usize u32 }

impl Field for Duration {
    fn value(&self) -> Option<Value> {
        Some(Value::Time(*self))
    }

    fn assign(&mut self, value: Value) -> bool {
        let Value::Time(time) = value else {
            return false;
        };
        *self = time;
        true
    }
}

impl Field for Rate {
    fn value(&self) -> Option<Value> {
        Some(Value::Rate(*self))
    }

    fn assign(&mut self, value: Value) -> bool {
        let Value::Rate(rate) = value else {
            return false;
        };
        *self = rate;
        true
    }
}

impl Field for Option<Duration> {
    fn value(&self) -> Option<Value> {
        self.map(Value::Time)
    }

    fn assign(&mut self, value: Value) -> bool {
        let Value::Time(time) = value else {
            return false;
        };
        *self = Some(time);
        true
    }
}

impl Field for Option<Rate> {
    fn value(&self) -> Option<Value> {
        self.map(Value::Rate)
    }

    fn assign(&mut self, value: Value) -> bool {
        let Value::Rate(rate) = value else {
            return false;
        };
        *self = Some(rate);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_written_in_the_largest_whole_unit() {
        let time = |millis| Value::Time(Duration::from_millis(millis)).to_string();
        assert_eq!(time(0), "0");
        assert_eq!(time(1500), "1500ms");
        assert_eq!(time(90_000), "90s");
        assert_eq!(time(32_767_000), "32767s");
        assert_eq!(time(86_400_000), "1d");
        assert_eq!(Value::Time(Duration::from_nanos(1)).to_string(), "1ns");
        assert_eq!(in_units(1536, &BYTES), "1536B");
        assert_eq!(in_units(64 << 20, &BYTES), "64MiB");
    }
}
