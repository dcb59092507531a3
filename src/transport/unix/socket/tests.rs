use std::future::poll_fn;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;

fn pair() -> (Socket, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    ours.set_nonblocking(true).expect("it is a socket");
    (Socket::new(ours), theirs)
}

fn poll_read(socket: &mut Socket, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let mut buf = [0; 16];
    socket.poll_read(cx, |mut stream| {
        let length = stream.read(&mut buf)?;
        Ok((length, Progress::of(length, 16)))
    })
}

fn poll_write(socket: &mut Socket, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let bytes = [0; 4096];
    socket.poll_write(cx, |mut stream| {
        let length = stream.write(&bytes)?;
        Ok((length, Progress::of(length, bytes.len())))
    })
}

/// Writes until the socket takes no more, and returns how many bytes it took.
async fn fill(socket: &mut Socket) -> usize {
    let mut written = 0;
    poll_fn(|cx| {
        while let Poll::Ready(length) = poll_write(socket, cx) {
            written += length.expect("it is open");
        }
        Poll::Ready(())
    })
    .await;
    written
}

fn empty(theirs: &mut UnixStream, length: usize) {
    theirs.read_exact(&mut vec![0; length]).expect("it is open");
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn read_waits_for_input_and_for_the_end() {
    let (mut ours, mut theirs) = pair();
    let write = std::thread::spawn(move || {
        theirs.write_all(b"fim").expect("room");
        theirs
    });
    let read = poll_fn(|cx| poll_read(&mut ours, cx)).await;
    assert_eq!(read.expect("it is open"), 3);
    drop(write.join().expect("it does not panic"));
    let read = poll_fn(|cx| poll_read(&mut ours, cx)).await;
    assert_eq!(read.expect("it is open"), 0);
}

#[tokio::test]
async fn writability_is_watched_only_from_the_first_wait_on() {
    let (mut ours, mut theirs) = pair();
    poll_fn(|cx| poll_write(&mut ours, cx)).await.expect("room");
    assert_eq!(ours.writes_without_wait, None);
    let filled = fill(&mut ours).await;
    assert_eq!(ours.writes_without_wait, Some(0));
    empty(&mut theirs, 4096 + filled);
    for _ in 0..UNWATCHED_AFTER {
        poll_fn(|cx| poll_write(&mut ours, cx)).await.expect("room");
        empty(&mut theirs, 4096);
    }
    assert_eq!(ours.writes_without_wait, None);
}

#[tokio::test]
async fn blocked_write_goes_on_once_the_peer_has_read() {
    let (mut ours, mut theirs) = pair();
    for _ in 0..3 {
        let filled = fill(&mut ours).await;
        let read = std::thread::spawn(move || {
            empty(&mut theirs, filled);
            theirs
        });
        poll_fn(|cx| poll_write(&mut ours, cx)).await.expect("room");
        theirs = read.join().expect("it does not panic");
        empty(&mut theirs, 4096);
    }
}

#[tokio::test]
async fn reader_is_woken_across_registrations() {
    let (mut ours, mut theirs) = pair();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    assert!(poll_read(&mut ours, &mut cx).is_pending());
    let filled = fill(&mut ours).await; // registers anew
    theirs.write_all(b"a").expect("room");
    while count.0.swap(0, Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(poll_read(&mut ours, &mut cx).is_ready());
    assert!(poll_read(&mut ours, &mut cx).is_pending());
    empty(&mut theirs, filled);
    for _ in 0..UNWATCHED_AFTER {
        poll_fn(|cx| poll_write(&mut ours, cx)).await.expect("room");
        empty(&mut theirs, 4096); // the last one registers anew
    }
    theirs.write_all(b"b").expect("room");
    while count.0.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(poll_read(&mut ours, &mut cx).is_ready());
}

#[test]
fn socket_leaves_one_runtime_and_joins_another() {
    let (mut ours, mut theirs) = pair();
    for _ in 0..2 {
        theirs.write_all(b"fim").expect("room");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let read = runtime.block_on(poll_fn(|cx| poll_read(&mut ours, cx)));
        assert_eq!(read.expect("it is open"), 3);
        let stream = {
            let _entered = runtime.enter();
            ours.into_std()
        };
        ours = Socket::new(stream);
    }
}
