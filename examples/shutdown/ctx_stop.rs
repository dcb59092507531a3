//! Wrong: `ctx.stop()` with a full mailbox.
//!
//! Whoever runs the server says fim while clients still ask. The worker gets `Stop` in its
//! mailbox, like everything else.

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
        "nobody told the sessions, so they went on accepting; what is queued behind Stop is",
        "dropped with the mailbox, and whoever waits for it gets MailboxError::Closed",
    ],
    arauto: "sessions are cut first, and the hub stops when all of them have stopped",
    file: "src/close/stop/machine.rs",
    run: || vec![run()],
};

const ROOM: usize = 2 * ASKS as usize;

fn run() -> Account {
    let (socket, client) = Transport::Unix.pair().expect("sockets are to be had");
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
    let heard = client.hear();
    let closed = server.join().expect("the server does not panic");
    Account::new(Transport::Unix, &accepted, heard)
        .with_note(format!("callers that got MailboxError::Closed: {closed}"))
}

/// How many of its callers found the mailbox closed.
fn serve(socket: UnixStream, accepted: Accepted, address: &mpsc::Sender<Addr<Worker>>) -> usize {
    System::new().block_on(async {
        let worker = Worker.start();
        let _ = address.send(worker.clone()); // it is waited for
        let output = output(socket.try_clone().expect("a descriptor is to be had"));
        let mut input = on_this_runtime(socket);
        let mut callers = Vec::new();
        while let Ok(id) = input.read_u32().await {
            if id == FIM {
                break;
            }
            let done = worker.send(Ask); // in the mailbox from here on
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
        // Every caller is waited for, and it does not help.
        let outcomes = join_all(callers).await;
        let closed = |outcome: &Result<_, _>| matches!(outcome, Ok(Err(MailboxError::Closed)));
        outcomes.iter().filter(|outcome| closed(outcome)).count()
    })
}

struct Worker;

impl Actor for Worker {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // With room for all. Where there is none, `send` waits for a place, and Stop by
        // `do_send`, which needs none, overtakes whoever waits: more is lost.
        ctx.set_mailbox_capacity(ROOM);
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
        // THE WRONG LINE. It looks right, because a mailbox is a queue: whatever was sent
        // before Stop has been handled by now. But a door that is open has no "before".
        ctx.stop();
    }
}
