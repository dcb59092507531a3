//! x
pub mod wire;
pub mod log;
