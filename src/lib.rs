//! x
pub mod wire;
pub mod log;
pub mod close;
