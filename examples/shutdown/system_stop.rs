//! Wrong: `System::stop` at once.
//!
//! The server reads requests on the system's thread and sends them to a worker on an arbiter. The
//! worker's mailbox holds the requests that are not handled yet.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use actix::{Actor, Arbiter, Context, ContextFutureSpawner, Handler, Message, System, WrapFuture};
use tokio::io::AsyncReadExt;

use crate::common::{
    ASKS, Accepted, Account, Client, FIM, Lesson, Output, Transport, answer, on_this_runtime,
    output,
};

pub(crate) const LESSON: Lesson = Lesson {
    name: "system-stop",
    title: "System::current().stop() as soon as fim is read",
    why: &[
        "the system tells its arbiters to end, and they drop their actors with everything in the",
        "mailboxes; nothing waits for a thread, or for a `stopping` hook to run",
    ],
    arauto: "never uses it: each actor is asked to stop, and confirms",
    file: "src/server/components.rs",
    run: || vec![run()],
};

/// How long a request computes on the worker's thread, as for the hash of a password.
const COSTS: Duration = Duration::from_millis(1);

fn run() -> Account {
    let (socket, client) = Transport::Unix.pair().expect("the system gives sockets");
    let accepted = Accepted::default();
    let list = accepted.clone();
    let server = thread::spawn(move || serve(socket, list));
    let mut client = Client::new(client);
    client.ask(1..=ASKS);
    client.fim();
    let received = client.receive();
    let hooks = server.join().expect("the server does not panic");
    Account::new(Transport::Unix, &accepted, received).with_note(format!(
        "when `run` returned, {hooks} of 1 `stopped` hooks had run: it waits for none"
    ))
}

/// Serves until the fim. Returns how many `stopped` hooks have run.
fn serve(socket: UnixStream, accepted: Accepted) -> usize {
    let system = System::new();
    let writer = socket.try_clone().expect("the system gives a descriptor");
    let stopped = Arc::new(AtomicUsize::new(0));
    let hooks = Arc::clone(&stopped);
    let worker = Worker::start_in_arbiter(&Arbiter::new().handle(), |_| Worker {
        output: output(writer),
        stopped,
    });
    Arbiter::current().spawn(async move {
        let mut input = on_this_runtime(socket);
        while let Ok(id) = input.read_u32().await {
            if id == FIM {
                break;
            }
            accepted.note(id);
            worker.do_send(Ask(id));
        }
        // THE WRONG LINE. It looks right, because it is the only stop that actix offers for
        // a whole system, `run` returns, and the exit code is 0.
        System::current().stop();
    });
    system.run().expect("the system starts");
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
struct Ask(u32);

impl Handler<Ask> for Worker {
    type Result = ();

    fn handle(&mut self, Ask(id): Ask, ctx: &mut Self::Context) {
        thread::sleep(COSTS);
        let output = Output::clone(&self.output);
        let work = async move { answer(&output, id).await };
        work.into_actor(self).wait(ctx); // one at a time, in order
    }
}
