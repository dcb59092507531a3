//! The allocations of a server that runs in this process, and the memory that it holds.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use arauto::{Answer, Body, Handler, Request};

use crate::call_loop::CallLoop;
use crate::support::{Fixture, FrameClient, wait_until};
use crate::{ClosedLoop, alone};

const ROUNDS: usize = 1000;

/// The allocations of a call, its answer included: as many as were measured.
const CALL: f64 = 5.0;

/// The most bytes that an idle session adds to what the server holds: what was measured, and 5 %.
const SESSION: isize = 2_500;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

/// The bytes that are allocated and not freed.
static HELD: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    /// Whether this thread's allocations are counted. Those of a test's own thread are not.
    static IS_COUNTED: Cell<bool> = const { Cell::new(true) };
}

struct CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn count_allocation(bytes: usize, freed: usize) {
    if IS_COUNTED.try_with(Cell::get).unwrap_or(false) {
        ALLOCATIONS.fetch_add(usize::from(bytes > 0), Ordering::Relaxed);
        HELD.fetch_add(bytes as isize - freed as isize, Ordering::Relaxed);
    }
}

// SAFETY: every call is passed to the system's allocator with the caller's arguments, and
// `count_allocation` does not allocate.
#[expect(unsafe_code, reason = "there is no other way to count allocations")]
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_allocation(layout.size(), 0);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count_allocation(0, layout.size());
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_allocation(size, layout.size());
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// Answers every request with a static text.
struct StaticAnswer;

impl Handler for StaticAnswer {
    fn handle(&self, _: Request<'_>) -> Answer {
        Answer::Now(Ok(Body::text("bom dia")))
    }
}

/// Runs rounds of these clients against a new server. Returns the server's allocations a round.
fn allocations<C>(
    begin: impl FnOnce(&dyn Fn() -> FrameClient) -> C,
    mut round: impl FnMut(&mut C),
) -> f64 {
    let _alone = alone();
    let fixture = Fixture::with(|config| config.handler = Arc::new(StaticAnswer));
    IS_COUNTED.set(false);
    let mut clients = begin(&|| fixture.unauthenticated());
    for _ in 0..ROUNDS {
        round(&mut clients); // until the buffers have their size
    }
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..ROUNDS {
        round(&mut clients);
    }
    let after = ALLOCATIONS.load(Ordering::Relaxed);
    (after - before) as f64 / ROUNDS as f64
}

/// As [`allocations`], with this many readers beside the client.
fn with_readers(readers: usize, round: impl FnMut(&mut ClosedLoop)) -> f64 {
    allocations(|connect| ClosedLoop::begin(readers, connect), round)
}

#[test]
fn request_allocates_nothing() {
    let each = with_readers(0, |clients| clients.request("bom dia"));
    println!("a request: {each} allocations");
    assert!(each < 0.1, "{each} allocations a request");
}

#[test]
fn publish_to_more_readers_allocates_no_more() {
    for readers in [1, 10] {
        let each = with_readers(readers, |clients| clients.publish("bom dia"));
        println!("a publish to {readers} readers: {each} allocations");
        // Three if it is direct, and about eight by a message to the hub.
        assert!(each < 10.0, "{each} allocations a publish");
    }
}

#[test]
fn numbered_publish_allocates_within_its_bound() {
    let mut n = 0;
    let each = with_readers(1, |clients| {
        n += 1;
        clients.publish_numbered(n, "bom dia");
    });
    println!("a publish with a producer's number: {each} allocations");
    assert!(each < 20.0, "{each} allocations a numbered publish");
}

#[test]
fn call_of_a_service_allocates_within_its_bound() {
    let begin = |connect: &dyn Fn() -> FrameClient| CallLoop::begin(connect);
    let each = allocations(begin, |clients| clients.call("bom dia"));
    println!("a call of a service: {each} allocations");
    assert!(each < CALL + 0.1, "{each} allocations a call");
}

#[test]
fn idle_session_holds_memory_within_its_bound() {
    const SESSIONS: usize = 500;
    let _alone = alone();
    let fixture = Fixture::with(|_| {});
    IS_COUNTED.set(false);
    let log_in = |_| {
        let mut client = fixture.unauthenticated();
        client.log_in("ana");
        client
    };
    let _first: Vec<FrameClient> = (0..SESSIONS).map(log_in).collect();
    let before = HELD.load(Ordering::Relaxed);
    let _others: Vec<FrameClient> = (0..SESSIONS).map(log_in).collect();
    let each = || (HELD.load(Ordering::Relaxed) - before) / SESSIONS as isize;
    let mut last = 0;
    // The timers of the logins are memory too, until they are over.
    wait_until("an idle session is within its bound", || {
        let bytes = each();
        if bytes != last {
            println!("an idle session: {bytes} bytes");
        }
        last = bytes;
        bytes <= SESSION
    });
}
