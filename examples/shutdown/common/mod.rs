//! What the six servers share, and what is no part of the lesson: sockets, the client that
//! counts, and the account that is drawn up at the end.
//!
//! The protocol is as small as it can be. An ask is a number, 4 bytes; [`FIM`] stops the
//! server. A reply is [`REPLY`] bytes that begin with the ask's number. `closing`, the last
//! word, is a reply to [`FIM`] that tells how many asks were accepted.

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

/// The ask that is none: stop.
pub(crate) const FIM: u32 = 0;

/// A reply's length in bytes.
pub(crate) const REPLY: usize = 256;

/// How much each client asks for, where its transport's buffers do not set a bound.
pub(crate) const ASKS: u32 = 1000;

/// What each ask waits for. A thousand of them take more than a second, so that a stop
/// always comes in the middle, on a busy machine too.
pub(crate) async fn look_up() {
    sleep(Duration::from_millis(1)).await;
}

/// The socket's write side, where several futures answer.
pub(crate) type Output = Rc<Mutex<UnixStream>>;

/// The same socket once more, on the runtime that this is called on.
pub(crate) fn output(socket: StdStream) -> Output {
    Rc::new(Mutex::new(on_this_runtime(socket)))
}

pub(crate) fn on_this_runtime(socket: StdStream) -> UnixStream {
    UnixStream::from_std(socket).expect("the caller is on a runtime, and the socket does not block")
}

/// Answers one ask. A client that has gone is nobody's loss but its own.
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
