//! Values that travel by their names.
//!
//! The problem: a newer server may send a name that this version does not know, and such a name
//! must neither be an error nor get lost.
//!
//! Invariant: [`Named::from`] makes [`Named::Other`] only of a name that no known value has, so that
//! a match on [`Named::Known`] misses none.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::quote::{LONGEST_TEXT, limited};

/// A value that was read by its name: one that this version knows, or another.
///
/// ```
/// use arauto::wire::{CloseReason, Named};
///
/// let reason = Named::from("fim");
/// assert_eq!(reason, Named::Known(CloseReason::Fim));
///
/// let newer: Named<CloseReason> = "moved".into();
/// assert_eq!((newer.known(), newer.to_string()), (None, "moved".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Named<T> {
    /// A value that this version knows.
    Known(T),
    /// The name of a value that this version does not know.
    Other(String),
}

impl<T: Copy> Named<T> {
    /// Returns the value; `None` if this version does not know it.
    pub fn known(&self) -> Option<T> {
        match self {
            Named::Known(value) => Some(*value),
            Named::Other(_) => None,
        }
    }
}

impl<T: AsRef<str>> Named<T> {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        match self {
            Named::Known(value) => value.as_ref(),
            Named::Other(name) => name,
        }
    }
}

impl<T> Named<T> {
    /// Cuts an unknown name to [`LONGEST_TEXT`] bytes, so that a peer cannot make it long.
    #[cfg_attr(
        not(feature = "client"),
        allow(dead_code, reason = "only clients read names")
    )]
    pub(crate) fn shortened(self) -> Named<T> {
        match self {
            Named::Other(name) if name.len() > LONGEST_TEXT => {
                Named::Other(limited(name, LONGEST_TEXT))
            }
            named => named,
        }
    }
}

impl<T: FromStr> From<&str> for Named<T> {
    fn from(name: &str) -> Named<T> {
        name.parse()
            .map_or_else(|_| Named::Other(name.to_owned()), Named::Known)
    }
}

impl<T: fmt::Display> fmt::Display for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Named::Known(value) => value.fmt(f),
            Named::Other(name) => f.write_str(name),
        }
    }
}

impl<T: AsRef<str>> PartialEq<str> for Named<T> {
    fn eq(&self, name: &str) -> bool {
        self.as_str() == name
    }
}

impl<T: AsRef<str>> PartialEq<&str> for Named<T> {
    fn eq(&self, name: &&str) -> bool {
        self.as_str() == *name
    }
}

impl<T: AsRef<str>> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor<T>(PhantomData<T>);

        impl<T: FromStr> Visitor<'_> for NameVisitor<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text string")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Named<T>, E> {
                Ok(name.into())
            }
        }

        deserializer.deserialize_str(NameVisitor(PhantomData))
    }
}

/// Implements for a type with `as_str`: [`Display`](fmt::Display), `AsRef<str>`, and that a
/// [`Named`] value can be made of it and compared with it.
macro_rules! impl_named {
    ($type:ty) => {
        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl From<$type> for $crate::wire::Named<$type> {
            fn from(value: $type) -> Self {
                $crate::wire::Named::Known(value)
            }
        }

        impl PartialEq<$type> for $crate::wire::Named<$type> {
            fn eq(&self, value: &$type) -> bool {
                self.known() == Some(*value)
            }
        }
    };
}

pub(in crate::wire) use impl_named;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{CloseReason, ErrorCode, Feature, Phase, StopReason};

    /// Checks that each known value reads back from its name, and that `unknown` is kept.
    fn check<T>(known: &[T], unknown: &str)
    where
        T: AsRef<str> + FromStr + Copy + PartialEq + fmt::Debug + fmt::Display,
        T::Err: fmt::Display,
    {
        for value in known {
            let json = serde_json::to_string(&Named::Known(*value)).expect("a name is json");
            assert_eq!(json, format!("\"{value}\""));
            let named: Named<T> = serde_json::from_str(&json).expect("a name is read");
            assert_eq!(named, Named::Known(*value));
            assert_eq!(
                (named.as_str(), named.known()),
                (value.as_ref(), Some(*value))
            );
        }
        let named: Named<T> = unknown.into();
        assert_eq!(named, Named::Other(unknown.to_owned()));
        assert_eq!((named.as_str(), named.known()), (unknown, None));
        let json = serde_json::to_string(&named).expect("a name is json");
        assert_eq!(
            serde_json::from_str::<Named<T>>(&json).expect("it is read"),
            named
        );
        let Err(error) = unknown.parse::<T>() else {
            panic!("{unknown} names nothing");
        };
        assert!(
            error.to_string().contains(&format!("{unknown:?}")),
            "{error}"
        );
    }

    #[test]
    fn known_names_read_back_and_unknown_names_are_kept() {
        let errors = ErrorCode::ALL.iter().copied().map(CloseReason::Error);
        let reasons: Vec<_> = CloseReason::PLAIN.into_iter().chain(errors).collect();
        check(&reasons, "moved");
        check(&StopReason::ALL, "upgrade");
        check(&Phase::ALL, "hand-over");
        check(ErrorCode::ALL, "too-late");
        check(&Feature::ALL, "mirrors");
        // The stand-in for codes that are unknown is the name of no code.
        check(&[CloseReason::Fim], ErrorCode::Unknown.as_str());
    }

    #[test]
    fn value_that_is_no_text_names_nothing() {
        for json in ["null", "7", "[\"fim\"]", "{}"] {
            assert!(
                serde_json::from_str::<Named<CloseReason>>(json).is_err(),
                "{json}"
            );
        }
        let bytes = serde_cbor::to_vec(&serde_cbor::Value::Bytes(b"fim".to_vec()));
        let bytes = bytes.expect("a byte string is an item");
        assert!(serde_cbor::from_slice::<Named<CloseReason>>(&bytes).is_err());
    }

    #[test]
    fn long_unknown_name_is_shortened() {
        let named = Named::<CloseReason>::from(&*"x".repeat(1 << 20)).shortened();
        assert!(
            named.as_str().len() < LONGEST_TEXT + 8,
            "{}",
            named.as_str().len()
        );
        let short = Named::<CloseReason>::from("moved");
        assert_eq!(short.clone().shortened(), short);
    }
}
