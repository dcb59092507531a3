//! The checksum of a row: CRC-32 (IEEE) over its numbers and its bytes.

/// Computes a checksum piece by piece.
#[derive(Default)]
pub(super) struct Crc(crc32fast::Hasher);

impl Crc {
    /// Adds a number as 8 bytes, little-endian.
    pub(super) fn number(self, number: u64) -> Crc {
        self.bytes(&number.to_le_bytes())
    }

    /// Adds the bytes.
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Crc {
        self.0.update(bytes);
        self
    }

    /// Returns the checksum.
    pub(super) fn finish(self) -> u32 {
        self.0.finalize()
    }
}
