//! How a client uses its connection.

/// The use of a client's connection. A Windows pipe is opened differently in each mode; a
/// socket is the same in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectMode {
    /// Frames that bring their own lengths.
    Frames,
    /// Bare messages, both ways.
    Messages,
    /// Bare messages, from the server only.
    ReadOnly,
}
