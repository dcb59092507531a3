//! Keys that may be absent.

use serde::Serialize;
use serde::ser::SerializeStruct;

/// Serializes an optional key. Skips the key if there is no value.
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

/// Whether a flag is `false`. A key that is `true` or absent is then absent on the wire.
pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}
