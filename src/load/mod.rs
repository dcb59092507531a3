//! The load engine: what `arauto bench` and the comparison in benches/peers do alike.
//!
//! The problem: both put a server under load and measure it. Their figures can be
//! compared only if the same code writes the load, times it, counts the answers and reads the
//! clocks.
//!
//! They differ in two things, which stay with them:
//!
//! - How bytes travel. `arauto bench` speaks arauto alone, through the client library, on
//!   tokio; benches/peers speaks to many servers, on epoll. Each implements
//!   [`connection::Connection`] and decides when a client is polled.
//! - How bytes are counted. `arauto bench` looks at the head of every frame; benches/peers
//!   must cost the same for every server, so it computes counts from lengths. Each
//!   implements [`client::Decoder`].
//!
//! Invariants:
//!
//! - Nothing in a timed loop allocates or is dispatched dynamically: connection, decoder
//!   and output are type parameters.
//! - The engine knows no server, no runtime and no crate of this repository.
//!
//! It is a module of the binary, not of the library: nobody who depends on arauto wants
//! it. benches/peers is a crate of its own and compiles these files as a module of itself.
//! So everything in here is used by both, or the compiler calls it dead in one of them;
//! tests/it/layers checks what it imports.
//!
//! | file | what it holds |
//! |---|---|
//! | `connection` | the trait for a connection that does not block |
//! | `client` | one client: its connection, its decoder, its output |
//! | `output` | the bytes that a client has still to write |
//! | `window` | a closed loop: how many requests may be sent |
//! | `schedule` | when each message of a paced run is due |
//! | `latencies` | a histogram of times |
//! | `clocks` | CPU time of the server and of the load |
//! | `server_process` | a server as a child process |

pub mod client;
pub mod clocks;
pub mod connection;
pub mod error;
pub mod latencies;
pub mod output;
pub mod schedule;
pub mod server_process;
pub mod window;
