//! The parts that the six servers share: sockets, the client, and the account of each run.
//!
//! The protocol is as small as possible. A request ("ask") is a number of 4 bytes; [`FIM`] stops
//! the server. A reply is [`REPLY`] bytes that begin with the request's number. `closing`, the last
//! frame, is the reply to [`FIM`] and has the number of accepted requests.

mod account;
mod client;
mod lesson;
mod sockets;

pub(crate) use account::{Accepted, Account};
pub(crate) use client::Client;
pub(crate) use lesson::Lesson;
pub(crate) use sockets::Transport;

use std::os::unix::net::UnixStream as StdStream;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::time::sleep;

/// The number that stops the server.
pub(crate) const FIM: u32 = 0;

/// The length of a reply in bytes.
pub(crate) const REPLY: usize = 256;

/// The requests of each client, unless the buffers of its transport allow fewer.
pub(crate) const ASKS: u32 = 1000;

/// The work of each request. A thousand of them take more than a second, so that a stop always
/// comes in the middle, on a busy machine too.
pub(crate) async fn look_up() {
    sleep(Duration::from_millis(1)).await;
}

/// The socket's write side, which several futures share.
pub(crate) type Output = Rc<Mutex<UnixStream>>;

/// Makes an [`Output`] on the current runtime.
pub(crate) fn output(socket: StdStream) -> Output {
    Rc::new(Mutex::new(on_this_runtime(socket)))
}

pub(crate) fn on_this_runtime(socket: StdStream) -> UnixStream {
    UnixStream::from_std(socket).expect("the caller is on a runtime, and the socket does not block")
}

/// Answers one request. The error of a client that has gone is ignored.
pub(crate) async fn answer(output: &Output, id: u32) {
    let _ = output.lock().await.write_all(&reply(id)).await;
}

pub(crate) fn reply(id: u32) -> [u8; REPLY] {
    let mut reply = [b'.'; REPLY];
    reply[..4].copy_from_slice(&id.to_be_bytes());
    reply
}

pub(crate) fn closing(accepted: u32) -> [u8; REPLY] {
    let mut closing = reply(FIM);
    closing[4..8].copy_from_slice(&accepted.to_be_bytes());
    closing
}
