//! The bare loops: what a server costs that does nothing but move bytes.

pub mod epoll_echo;
pub mod fan_out;
mod listener;
pub mod relay;
pub mod tokio_echo;
