//! Wrong: a close without shutdown(WR), while input is unread.
//!
//! The session answers everything, sends `closing`, and then closes its socket. The client has not
//! read yet, and has sent more requests after its fim.

use std::os::unix::net::UnixStream as StdStream;
use std::thread;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, System, WrapFuture};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use crate::common::{
    ASKS, Accepted, Account, Client, FIM, Lesson, Transport, closing, on_this_runtime, reply,
};

pub(crate) const LESSON: Lesson = Lesson {
    name: "close-unread",
    title: "everything is written, so the socket can be dropped",
    why: &[
        "written bytes are in this kernel, not at the peer. A close with unread input is a reset:",
        "TCP discards bytes that it has not sent yet; on seqpacket the error is read before the",
        "data. A unix stream on Linux delivers the data first, but nothing guarantees that",
    ],
    arauto: "waits until the peer has read, shuts the write side, reads the input to its end, closes",
    file: "src/actors/session/core/ending.rs",
    run: || {
        vec![
            run(Transport::Tcp, ASKS),
            run(Transport::SeqPacket, FEW),
            run(Transport::Unix, FEW),
        ]
    },
};

/// The requests whose replies fit into the buffers of a local socket that nobody reads.
const FEW: u32 = 24;

/// Requests that are sent after the fim.
const LATE: u32 = 8;

fn run(over: Transport, asks: u32) -> Account {
    let (socket, client) = over.pair().expect("the system gives sockets");
    let accepted = Accepted::default();
    let list = accepted.clone();
    let mut client = Client::new(client);
    // The client sends everything before the server reads, and reads after the server has ended.
    // The same happens on a busy machine.
    client.ask(1..=asks);
    client.fim();
    client.ask(asks + 1..=asks + LATE);
    let server = thread::spawn(move || serve(socket, list));
    server.join().expect("the server does not panic");
    Account::new(over, &accepted, client.receive())
}

fn serve(socket: StdStream, accepted: Accepted) {
    System::new().block_on(async {
        let (alive, over) = oneshot::channel();
        Session::start(Session {
            socket: Some(on_this_runtime(socket)),
            accepted,
            _alive: alive,
        });
        let _ = over.await; // the session has been dropped, and its socket with it
    });
}

struct Session {
    socket: Option<UnixStream>,
    accepted: Accepted,
    _alive: oneshot::Sender<()>,
}

impl Actor for Session {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let socket = self.socket.take().expect("an actor starts once");
        let serving = converse(socket, self.accepted.clone()).into_actor(self);
        ctx.spawn(serving.map(|(), _, ctx| ctx.stop()));
    }
}

async fn converse(mut socket: UnixStream, accepted: Accepted) {
    while let Ok(id) = socket.read_u32().await {
        if id == FIM {
            break;
        }
        accepted.note(id);
        let written = socket.write_all(&reply(id)).await;
        written.expect("the client is there, and does not close");
    }
    let written = socket.write_all(&closing(accepted.count())).await;
    written.expect("the client is there, and does not close");
    // THE WRONG LINE. It looks right, because every write has returned without an error, that of
    // `closing` too, and input after the fim need not be read.
    drop(socket);
}
