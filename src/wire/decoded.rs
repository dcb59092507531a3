//! The result of decoding the start of a buffer.

/// The result of decoding the start of a buffer.
#[derive(Debug, PartialEq)]
pub enum Decoded<T> {
    /// A frame that is not whole yet.
    Partial,
    /// A frame, and its length in bytes.
    Frame(T, usize),
    /// A server's frame of an unknown name, and its length in bytes: clients skip it.
    Ignored(usize),
}
