//! `seqpacket:PATH`: sockets with message boundaries.

mod cbor;
mod sockets;
mod text;
