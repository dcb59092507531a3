//! `seqpacket:PATH`: the system keeps each message whole.

mod cbor;
mod sockets;
mod text;
