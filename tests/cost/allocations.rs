//! The allocations of a server that runs in this process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use arauto::{Answer, Body, Config, Handler, Request, Server};

use crate::client::Loop;

const ROUNDS: usize = 1000;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The tests' own threads are not counted.
    static IS_COUNTED: Cell<bool> = const { Cell::new(true) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn note() {
    if IS_COUNTED.try_with(Cell::get).unwrap_or(false) {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call is the system allocator's, with the caller's arguments; `note` does not
// allocate.
#[expect(unsafe_code, reason = "there is no other way to count allocations")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// Answers with a text that needs no memory of its own.
struct Static;

impl Handler for Static {
    fn handle(&self, _: Request<'_>) -> Answer {
        Answer::Now(Ok(Body::text("bom dia")))
    }
}

/// Runs rounds against a server of its own, and returns the server's allocations in each of them.
fn allocations(readers: usize, mut round: impl FnMut(&mut Loop)) -> f64 {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = tempfile::tempdir().expect("a folder can be made");
    let socket = folder.path().join("s");
    let mut config = Config::default();
    let endpoint = format!("unix:{}", socket.display());
    config.listen = vec![endpoint.parse().expect("it is one")];
    config.handler = std::sync::Arc::new(Static);
    let server = Server::start(config).expect("it starts");
    IS_COUNTED.set(false);
    let mut clients = Loop::begin(&socket, readers);
    for _ in 0..ROUNDS {
        round(&mut clients); // buffers get their size
    }
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..ROUNDS {
        round(&mut clients);
    }
    let after = ALLOCATIONS.load(Ordering::Relaxed);
    drop((clients, server));
    (after - before) as f64 / ROUNDS as f64
}

#[test]
fn request_allocates_nothing() {
    let each = allocations(0, |client| client.request("bom dia"));
    println!("a request: {each} allocations");
    assert!(each < 0.1, "{each} allocations a request");
}

#[test]
fn publish_allocates_little_however_many_read() {
    for readers in [1, 10] {
        // Three where it is alone in its turn of the event loop, and eight where it is not.
        let each = allocations(readers, |clients| clients.publish("bom dia"));
        println!("a publish with {readers} readers: {each} allocations");
        assert!(
            each < 10.0,
            "{each} allocations a publish, with {readers} readers"
        );
    }
}
