//! Wrong: a close without shutdown(WR), while input is unread.
//!
//! The session answers everything, says `closing`, and only then lets go of its socket. The
//! client has not read yet, and has asked on behind its fim.

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
        "written is in this kernel, not with the peer. A close with unread input is a reset:",
        "TCP throws away what it has not sent yet; on seqpacket the error is read before the",
        "data. A unix stream on Linux gives the data first: good luck, and no contract",
    ],
    arauto: "read by the peer, then shutdown(WR), then the input to its end, then closed",
    file: "src/actors/session/ending.rs",
    run: || {
        vec![
            run(Transport::Tcp, ASKS),
            run(Transport::SeqPacket, FEW),
            run(Transport::Unix, FEW),
        ]
    },
};

/// What a local socket's buffers hold while nobody reads.
const FEW: u32 = 24;

/// Asks behind the fim.
const LATE: u32 = 8;

fn run(over: Transport, asks: u32) -> Account {
    let (socket, client) = over.pair().expect("sockets are to be had");
    let accepted = Accepted::default();
    let list = accepted.clone();
    let mut client = Client::new(client);
    // All of it is under way before the server looks, and read once the server has gone:
    // a busy machine does the same.
    client.ask(1..=asks);
    client.fim();
    client.ask(asks + 1..=asks + LATE);
    let server = thread::spawn(move || serve(socket, list));
    server.join().expect("the server does not panic");
    Account::new(over, &accepted, client.hear())
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
    // THE WRONG LINE. It looks right, because every write has returned without an error,
    // `closing` too, and what comes behind the fim need not be read.
    drop(socket);
}
