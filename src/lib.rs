//! x
pub mod wire;
pub mod log;
pub mod close;
pub mod accounts;
pub mod transport;
pub use transport::{Endpoint, EndpointError};
