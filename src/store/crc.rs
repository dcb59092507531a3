//! The checksum of a row: CRC-32 (IEEE) over its numbers and its bytes.

/// Gathers what a checksum covers.
#[derive(Default)]
pub(super) struct Crc(crc32fast::Hasher);

impl Crc {
    /// Adds a number: 8 bytes, little end first.
    pub(super) fn number(self, number: u64) -> Crc {
        self.bytes(&number.to_le_bytes())
    }

    /// Adds bytes as they are.
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Crc {
        self.0.update(bytes);
        self
    }

    /// Returns the checksum.
    pub(super) fn finish(self) -> u32 {
        self.0.finalize()
    }
}
