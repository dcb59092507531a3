//! x
pub mod wire;
mod log;
pub mod close;
pub mod accounts;
pub mod transport;
pub mod actors;
pub mod server;
pub use transport::{Endpoint, EndpointError};
pub use server::*;
pub use actors::handler::*;
pub use close::*;
pub use wire::*;
