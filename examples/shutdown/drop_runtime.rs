//! Wrong: the runtime is dropped.
//!
//! The worker writes a reply in two parts: the head, and the body once it has been looked up. The
//! main future reads requests until the fim, and then returns.

use std::os::unix::net::UnixStream;
use std::thread;

use actix::{Actor, Context, ContextFutureSpawner, Handler, Message, System, WrapFuture};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{
    ASKS, Accepted, Account, Client, FIM, Lesson, Output, Transport, look_up, on_this_runtime,
    output, reply,
};

pub(crate) const LESSON: Lesson = Lesson {
    name: "drop-runtime",
    title: "block_on(serve()) returns, and the runtime goes out of scope",
    why: &[
        "block_on waits for its own future only: all other futures are dropped at the await where",
        "they are. Here that is the middle of a reply, which no client can read",
    ],
    arauto: "each actor confirms its end, each thread is joined, the runtime is dropped last",
    file: "src/server/components.rs",
    run: || vec![run()],
};

/// The length of the part of a reply that needs no look-up, in bytes.
const HEAD: usize = 16;

fn run() -> Account {
    let (socket, client) = Transport::Unix.pair().expect("the system gives sockets");
    let accepted = Accepted::default();
    let list = accepted.clone();
    let server = thread::spawn(move || {
        let system = System::new();
        system.block_on(serve(socket, list));
        // THE WRONG LINE. It looks right, because `serve` has returned, and every program with a
        // runtime ends like this: `#[actix::main]` and `#[tokio::main]` do the same.
        drop(system);
    });
    let mut client = Client::new(client);
    client.ask(1..=ASKS);
    client.fim();
    let received = client.receive();
    server.join().expect("the server does not panic");
    Account::new(Transport::Unix, &accepted, received)
}

async fn serve(socket: UnixStream, accepted: Accepted) {
    let worker = Worker {
        output: output(socket.try_clone().expect("the system gives a descriptor")),
    };
    let worker = worker.start();
    let mut input = on_this_runtime(socket);
    while let Ok(id) = input.read_u32().await {
        if id == FIM {
            break;
        }
        accepted.note(id);
        worker.do_send(Ask(id));
    }
}

struct Worker {
    output: Output,
}

impl Actor for Worker {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "()")]
struct Ask(u32);

impl Handler<Ask> for Worker {
    type Result = ();

    fn handle(&mut self, Ask(id): Ask, ctx: &mut Self::Context) {
        let output = Output::clone(&self.output);
        let work = async move {
            let reply = reply(id);
            let (head, body) = reply.split_at(HEAD);
            let mut output = output.lock().await;
            let _ = output.write_all(head).await;
            look_up().await;
            let _ = output.write_all(body).await;
        };
        work.into_actor(self).wait(ctx); // one at a time, in order
    }
}
