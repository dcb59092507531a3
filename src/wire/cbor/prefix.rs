//! The length in front of each frame: 4 bytes, big-endian.

/// The length of the prefix in bytes.
pub const PREFIX: usize = 4;

/// Returns the length in bytes that the first frame's prefix declares, or `None` if the prefix
/// is incomplete.
pub fn announced_length(bytes: &[u8]) -> Option<usize> {
    let prefix = bytes.first_chunk::<PREFIX>()?;
    Some(u32::from_be_bytes(*prefix) as usize)
}

/// Appends an item with its prefix; `item` appends the item.
///
/// # Panics
/// The item is of 4 GiB or more.
#[inline]
pub(super) fn put_framed(out: &mut Vec<u8>, item: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX]);
    item(out);
    let length = u32::try_from(out.len() - start - PREFIX).expect("a frame is below 4 GiB");
    out[start..start + PREFIX].copy_from_slice(&length.to_be_bytes());
}
