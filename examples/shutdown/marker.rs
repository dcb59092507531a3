//! Wrong: a marker message instead of a counter.
//!
//! The worker answers most asks at once; each tenth waits for a slow disk, in a future that
//! the handler returns, so that the others need not wait.

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
    title: "a marker through the mailbox: when it is answered, all is done",
    why: &[
        "the mailbox is empty when the marker is answered, but a handler's future waits",
        "outside of the mailbox, and is overtaken; `closing` even says that all is well",
    ],
    arauto: "the requests phase waits for a counter",
    file: "src/close/in_work.rs",
    run: || vec![run()],
};

/// As long as a disk may take that has to spin up.
const SLOW: Duration = Duration::from_millis(200);

fn run() -> Account {
    let (socket, client) = Transport::Unix.pair().expect("sockets are to be had");
    let accepted = Accepted::default();
    let list = accepted.clone();
    let server = thread::spawn(move || serve(socket, &list));
    let mut client = Client::new(client);
    client.ask(1..=ASKS);
    client.fim();
    let heard = client.hear();
    server.join().expect("the server does not panic");
    Account::new(Transport::Unix, &accepted, heard)
}

fn serve(socket: UnixStream, accepted: &Accepted) {
    System::new().block_on(async {
        let output = output(socket.try_clone().expect("a descriptor is to be had"));
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
        // THE WRONG LINE. It looks right, because a mailbox is in order, and the marker is
        // the last message: when it is answered, every ask has been handled. Handled is
        // not done.
        worker.send(Marker).await.expect("the worker lives");
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
