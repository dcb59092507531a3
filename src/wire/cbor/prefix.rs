//! The length in front of each frame: 4 bytes, big-endian.

/// The length of the prefix in bytes.
pub const PREFIX: usize = 4;

/// Returns the length that the first frame's prefix announces, if the prefix is whole.
pub fn announced_length(bytes: &[u8]) -> Option<usize> {
    let prefix = bytes.first_chunk::<PREFIX>()?;
    Some(u32::from_be_bytes(*prefix) as usize)
}
