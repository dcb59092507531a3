//! Keys that may be absent.

use serde::Serialize;
use serde::ser::SerializeStruct;

/// Serializes an optional key.
pub(super) fn put<M: SerializeStruct, T: Serialize>(
    map: &mut M,
    key: &'static str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_field(key, value),
        None => map.skip_field(key),
    }
}

/// Whether a key that is `true` or absent is absent.
pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}
