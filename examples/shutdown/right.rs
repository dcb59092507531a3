//! The right way: the same small server, stopped in phases.
//!
//! It has every difficulty of the other five: a full mailbox, futures that wait outside of it,
//! requests after the fim, a client that reads slowly, a worker on another thread.

use std::convert::Infallible;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use actix::{
    Actor, ActorContext, Arbiter, AsyncContext, Context, Handler, Message, ResponseFuture, System,
    WrapFuture,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::common::{
    ASKS, Accepted, Account, Client, FIM, Lesson, Output, Transport, answer, closing, look_up,
    on_this_runtime, output,
};

pub(crate) const LESSON: Lesson = Lesson {
    name: "right",
    title: "seal, count, drain, close, actors, join",
    why: &[
        "it stops accepting before it waits for accepted requests, and closes only after the",
        "client has read; each step waits until the step before it is confirmed",
    ],
    arauto: "the same steps, each with a deadline and a line in the report",
    file: "src/close/stop/machine.rs",
    run: || {
        let all = [Transport::Unix, Transport::SeqPacket, Transport::Tcp];
        let runs = all.map(|over| thread::spawn(move || run(over)));
        let accounts = runs.map(|run| run.join().expect("the server does not panic"));
        accounts.into()
    },
};

/// Requests that are sent after the fim.
const LATE: u32 = 8;

/// The time of a slow disk, as one that has to spin up.
const SLOW: Duration = Duration::from_millis(200);

fn run(over: Transport) -> Account {
    let (socket, client) = over.pair().expect("the system gives sockets");
    let accepted = Accepted::default();
    let list = accepted.clone();
    let server = thread::spawn(move || serve(socket, &list));
    let mut client = Client::slow(client);
    client.ask(1..=ASKS);
    client.fim();
    client.ask(ASKS + 1..=ASKS + LATE);
    let received = client.receive();
    let hooks = server.join().expect("the server does not panic");
    Account::new(over, &accepted, received).with_note(format!(
        "when all threads were joined, {hooks} of 1 `stopped` hooks had run"
    ))
}

/// Serves until the fim. Returns how many `stopped` hooks have run.
fn serve(socket: UnixStream, accepted: &Accepted) -> usize {
    let system = System::new();
    let arbiter = Arbiter::new();
    let writer = socket.try_clone().expect("the system gives a descriptor");
    let stopped = Arc::new(AtomicUsize::new(0));
    let hooks = Arc::clone(&stopped);
    let worker = Worker::start_in_arbiter(&arbiter.handle(), |_| Worker {
        output: output(writer),
        stopped,
    });
    system.block_on(async {
        let mut input = on_this_runtime(socket);
        // A counter: each request in work holds a sender, and the receiver returns when the last
        // sender is dropped. Nothing is ever sent.
        let (work, mut idle) = mpsc::channel::<Infallible>(1);
        while let Ok(id) = input.read_u32().await {
            if id == FIM {
                break;
            }
            accepted.note(id);
            let work = work.clone();
            worker.do_send(Ask { id, work });
        }
        drop(work);
        // Sealed: no more requests are accepted. Now the count can only fall.
        let _none = idle.recv().await;
        // Drained: every answer is written, then `closing`, then the write side is shut. The
        // socket stays open until the client, which has read everything, closes.
        let sent = worker.send(SendClosing(accepted.count())).await;
        sent.expect("the worker runs");
        let mut rest = [0; 256];
        while input.read(&mut rest).await.is_ok_and(|read| read > 0) {}
        // The actor has no more work, and confirms that it stops.
        worker.send(Stop).await.expect("the worker runs");
        arbiter.stop();
    });
    // Not within block_on, where this blocking wait would stop the system's own futures.
    arbiter.join().expect("the worker does not panic");
    hooks.load(Ordering::SeqCst)
}

struct Worker {
    output: Output,
    stopped: Arc<AtomicUsize>,
}

impl Actor for Worker {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Self::Context) {
        self.stopped.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Ask {
    id: u32,
    work: mpsc::Sender<Infallible>,
}

impl Handler<Ask> for Worker {
    type Result = ();

    fn handle(&mut self, Ask { id, work }: Ask, ctx: &mut Self::Context) {
        let output = Output::clone(&self.output);
        let slow = id % 10 == 0;
        let work = async move {
            if slow {
                sleep(SLOW).await;
            } else {
                look_up().await;
            }
            answer(&output, id).await;
            drop(work); // only after the answer
        };
        let work = work.into_actor(self);
        if slow {
            ctx.spawn(work); // outside of the mailbox: the next messages need not wait
        } else {
            ctx.wait(work); // one at a time
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct SendClosing(u32);

impl Handler<SendClosing> for Worker {
    type Result = ResponseFuture<()>;

    fn handle(
        &mut self,
        SendClosing(accepted): SendClosing,
        _: &mut Self::Context,
    ) -> Self::Result {
        let output = Output::clone(&self.output);
        Box::pin(async move {
            let mut output = output.lock().await;
            let _ = output.write_all(&closing(accepted)).await;
            let _ = output.shutdown().await;
        })
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Stop;

impl Handler<Stop> for Worker {
    type Result = ();

    fn handle(&mut self, Stop: Stop, ctx: &mut Self::Context) {
        ctx.stop();
    }
}
