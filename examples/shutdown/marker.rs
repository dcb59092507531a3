//! Wrong: a marker message instead of a counter.
//!
//! The worker answers most requests at once. Each tenth waits for a slow disk, in a future that
//! the handler returns, so that the other requests need not wait.

use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, ResponseFuture, System};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use crate::common::{
    ASKS, Accepted, Account, Client, FIM, Lesson, Output, Transport, answer, closing,
    on_this_runtime, output,
};

pub(crate) const LESSON: Lesson = Lesson {
    name: "marker",
    title: "a marker message: when it is answered, all work is done",
    why: &[
        "the mailbox is empty when the marker is answered, but a handler's future waits outside",
        "of the mailbox, and the marker overtakes it; yet `closing` counts all requests",
    ],
    arauto: "the requests phase waits until a counter of requests in work is 0",
    file: "src/close/in_work/mod.rs",
    run: || vec![run()],
};

/// The time of a slow disk, as one that has to spin up.
const SLOW: Duration = Duration::from_millis(200);

fn run() -> Account {
    let (socket, client) = Transport::Unix.pair().expect("the system gives sockets");
    let accepted = Accepted::default();
    let list = accepted.clone();
    let server = thread::spawn(move || serve(socket, &list));
    let mut client = Client::new(client);
    client.ask(1..=ASKS);
    client.fim();
    let received = client.receive();
    server.join().expect("the server does not panic");
    Account::new(Transport::Unix, &accepted, received)
}

fn serve(socket: UnixStream, accepted: &Accepted) {
    System::new().block_on(async {
        let output = output(socket.try_clone().expect("the system gives a descriptor"));
        let worker = Worker {
            output: Output::clone(&output),
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
        // THE WRONG LINE. It looks right, because a mailbox keeps the order, and the marker is the
        // last message: when it is answered, every request has been handled. But a request that
        // is handled need not be answered yet.
        worker.send(Marker).await.expect("the worker runs");
        let mut output = output.lock().await;
        let _ = output.write_all(&closing(accepted.count())).await;
        let _ = output.shutdown().await;
    });
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
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Ask(id): Ask, _: &mut Self::Context) -> Self::Result {
        let output = Output::clone(&self.output);
        Box::pin(async move {
            if id % 10 == 0 {
                sleep(SLOW).await;
            }
            answer(&output, id).await;
        })
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Marker;

impl Handler<Marker> for Worker {
    type Result = ();

    fn handle(&mut self, Marker: Marker, _: &mut Self::Context) {}
}
