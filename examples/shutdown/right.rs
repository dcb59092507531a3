//! The right one: the same little server, ended by phases.
//!
//! Everything that the five others fall over is here: a mailbox full of asks, futures that
//! wait outside of it, asks behind the fim, a client that is slow to read, a worker on a
//! thread of its own.

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
        "nothing is taken any more before what was taken is waited for, and nothing is closed",
        "before it has been read; each step waits for the word of the one before",
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

/// Asks behind the fim.
const LATE: u32 = 8;

/// As long as a disk may take that has to spin up.
const SLOW: Duration = Duration::from_millis(200);

fn run(over: Transport) -> Account {
    let (socket, client) = over.pair().expect("sockets are to be had");
    let accepted = Accepted::default();
    let list = accepted.clone();
    let server = thread::spawn(move || serve(socket, &list));
    let mut client = Client::slow(client);
    client.ask(1..=ASKS);
    client.fim();
    client.ask(ASKS + 1..=ASKS + LATE);
    let heard = client.hear();
    let hooks = server.join().expect("the server does not panic");
    Account::new(over, &accepted, heard).with_note(format!(
        "when all was joined, {hooks} of 1 `stopped` hooks had run"
    ))
}

/// How many `stopped` hooks had run when it was over.
fn serve(socket: UnixStream, accepted: &Accepted) -> usize {
    let system = System::new();
    let arbiter = Arbiter::new();
    let writer = socket.try_clone().expect("a descriptor is to be had");
    let stopped = Arc::new(AtomicUsize::new(0));
    let hooks = Arc::clone(&stopped);
    let worker = Worker::start_in_arbiter(&arbiter.handle(), |_| Worker {
        output: output(writer),
        stopped,
    });
    system.block_on(async {
        let mut input = on_this_runtime(socket);
        // A counter: each ask in work holds a sender, and when the last is dropped the
        // receiver is told. Nothing is ever sent.
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
        // Sealed: nothing is taken any more, whoever sends. Now the count can only fall.
        let _none = idle.recv().await;
        // Drained and closed: every answer is written, `closing` behind it, and the write
        // side shut. The socket stays open until the client, who has read it all, closes.
        let said = worker.send(SayClosing(accepted.count())).await;
        said.expect("the worker lives");
        let mut rest = [0; 256];
        while input.read(&mut rest).await.is_ok_and(|read| read > 0) {}
        // The actor has nothing to do any more, and says that it stops.
        worker.send(Stop).await.expect("the worker lives");
        arbiter.stop();
    });
    // Not within block_on: a thread that waits here could not serve what it waits for.
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
            drop(work); // answered, and not before
        };
        let work = work.into_actor(self);
        if slow {
            ctx.spawn(work); // outside of the mailbox: the others need not wait
        } else {
            ctx.wait(work); // one at a time
        }
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct SayClosing(u32);

impl Handler<SayClosing> for Worker {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, SayClosing(accepted): SayClosing, _: &mut Self::Context) -> Self::Result {
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
