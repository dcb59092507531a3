//! Support for the tests: a server on a fresh endpoint, clients of each dialect, a watchdog, and a
//! way to wait for a condition.

#[cfg(unix)]
mod bare_client;
mod frame;
mod frame_client;
#[cfg(target_os = "linux")]
mod hung_disk;
mod json_lines;
pub mod os;
#[cfg(unix)]
mod other_user;
#[cfg(unix)]
pub mod page_commands;
mod paused_handler;
mod process;
mod server;
#[cfg(target_os = "linux")]
mod shim;
#[cfg(unix)]
mod small_disk;
#[cfg(unix)]
mod terminal;
mod text_client;
#[cfg(unix)]
mod tls;
#[cfg(target_os = "linux")] // only tests there need any
mod tools;
#[cfg(unix)]
mod unix_clients;

use std::future::Future;
use std::io::Write;
use std::sync::mpsc;
use std::time::{Duration, Instant};

#[cfg(unix)]
pub use bare_client::BareClient;
pub use frame::{Frame, ask, bytes, login, prefixed, publish, request, text};
pub use frame_client::FrameClient;
#[cfg(target_os = "linux")]
pub use hung_disk::HungDisk;
pub use json_lines::json_lines;
pub use os::Stop;
#[cfg(unix)]
pub use other_user::{NOBODY, as_other_user, can_become_other_user};
pub use paused_handler::PausedHandler;
pub use process::{CommandResult, Served, arauto, finish, spawn};
#[cfg(unix)]
pub use process::{by_shell, can_mount, run_by};
pub use server::Fixture;
#[cfg(target_os = "linux")]
pub use shim::FailingSockets;
#[cfg(unix)]
pub use small_disk::SmallDisk;
#[cfg(unix)]
pub use terminal::TerminalSession;
pub use text_client::TextClient;
#[cfg(unix)]
pub use tls::{Authority, CertificateFiles, tcp};
#[cfg(target_os = "linux")]
pub use tools::has_tool;

/// The time limit of a test.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The password of every user in the tests.
pub const PASSWORD: &str = "segredo";

/// Aborts the process and prints the test's name, unless it is dropped in time.
#[derive(Debug)]
pub struct Watchdog {
    _alive: mpsc::Sender<()>,
}

/// Starts a watchdog for the calling test.
pub fn watchdog() -> Watchdog {
    watchdog_for(TIME_LIMIT)
}

/// Starts a watchdog for a test that may take longer.
pub fn watchdog_for(patience: Duration) -> Watchdog {
    let (alive, dropped) = mpsc::channel::<()>();
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    std::thread::spawn(move || {
        if dropped.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
            // Not eprintln, whose output the test runner captures.
            let _ = writeln!(
                std::io::stderr(),
                "watchdog: {test} has not ended after {patience:?}"
            );
            std::process::abort();
        }
    });
    Watchdog { _alive: alive }
}

/// Waits until `condition` holds.
///
/// # Panics
/// The condition does not hold in time.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < TIME_LIMIT, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Runs a future on a new runtime.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made")
        .block_on(future)
}
