//! Wrong: `ctx.stop()` with a full mailbox.
//!
//! The server is stopped while clients still send requests. The worker gets `Stop` through its
//! mailbox, like every other message.

use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;

use actix::{
    Actor, ActorContext, Addr, AtomicResponse, Context, Handler, MailboxError, Message, System,
    WrapFuture,
};
use futures_util::future::join_all;
use tokio::io::AsyncReadExt;

use crate::common::{
    ASKS, Accepted, Account, Client, FIM, Lesson, Transport, answer, look_up, on_this_runtime,
    output,
};

pub(crate) const LESSON: Lesson = Lesson {
    name: "ctx-stop",
    title: "a Stop message whose handler calls ctx.stop()",
    why: &[
        "the sessions were not told, so they went on accepting; messages queued behind Stop are",
        "dropped with the mailbox, and their senders get MailboxError::Closed",
    ],
    arauto: "first stops accepting in every session; the hub stops after all sessions have stopped",
    file: "src/close/stop/machine.rs",
    run: || vec![run()],
};

const MAILBOX: usize = 2 * ASKS as usize;

fn run() -> Account {
    let (socket, client) = Transport::Unix.pair().expect("the system gives sockets");
    let accepted = Accepted::default();
    let list = accepted.clone();
    let (address, worker) = mpsc::channel();
    let server = thread::spawn(move || serve(socket, list, &address));
    let worker = worker.recv().expect("the server starts");
    let mut client = Client::new(client);
    client.ask(1..=ASKS / 2);
    accepted.reach(ASKS / 2);
    worker.do_send(Stop);
    client.ask(ASKS / 2 + 1..=ASKS);
    client.fim();
    let received = client.receive();
    let closed = server.join().expect("the server does not panic");
    Account::new(Transport::Unix, &accepted, received)
        .with_note(format!("callers that got MailboxError::Closed: {closed}"))
}

/// Serves until the fim. Returns how many requests failed because the mailbox was closed.
fn serve(socket: UnixStream, accepted: Accepted, address: &mpsc::Sender<Addr<Worker>>) -> usize {
    System::new().block_on(async {
        let worker = Worker.start();
        let _ = address.send(worker.clone()); // `run` waits for it
        let output = output(socket.try_clone().expect("the system gives a descriptor"));
        let mut input = on_this_runtime(socket);
        let mut callers = Vec::new();
        while let Ok(id) = input.read_u32().await {
            if id == FIM {
                break;
            }
            let done = worker.send(Ask); // now it is in the mailbox
            accepted.note(id);
            let output = output.clone();
            callers.push(actix_rt::spawn(async move {
                let done = done.await;
                if done.is_ok() {
                    answer(&output, id).await;
                }
                done
            }));
        }
        // Waiting for every caller does not help.
        let outcomes = join_all(callers).await;
        let closed = |outcome: &Result<_, _>| matches!(outcome, Ok(Err(MailboxError::Closed)));
        outcomes.iter().filter(|outcome| closed(outcome)).count()
    })
}

struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // Large enough for all messages. If the mailbox is full, `send` waits, and Stop, sent by
        // `do_send` without waiting, overtakes the waiting messages: even more is lost.
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Ask;

impl Handler<Ask> for Worker {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, Ask: Ask, _: &mut Self::Context) -> Self::Result {
        AtomicResponse::new(Box::pin(look_up().into_actor(self)))
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Stop;

impl Handler<Stop> for Worker {
    type Result = ();

    fn handle(&mut self, Stop: Stop, ctx: &mut Self::Context) {
        // THE WRONG LINE. It looks right, because a mailbox is a queue: messages sent before Stop
        // have been handled by now. But the sessions still accept, and send after Stop.
        ctx.stop();
    }
}
