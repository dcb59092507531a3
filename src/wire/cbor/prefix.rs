//! The length in front of each frame: 4 bytes, big-endian.

/// The length of the prefix in bytes.
pub const PREFIX: usize = 4;

/// Returns the length in bytes that the first frame's prefix declares, or `None` if the prefix
/// is incomplete.
pub fn announced_length(bytes: &[u8]) -> Option<usize> {
    let prefix = bytes.first_chunk::<PREFIX>()?;
    Some(u32::from_be_bytes(*prefix) as usize)
}
