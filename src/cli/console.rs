//! The server's console: a line is published as `consola`, `fim` stops the server.
//!
//! It reads on a thread of its own, because reading a terminal blocks; all it does
//! is to send.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use arauto::internal::accounts::CONSOLE;
use arauto::{Event, Feed, ServerHandle, StopReason};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor};
use tokio::sync::{Semaphore, mpsc};

use super::bounded::{LineError, Lines};
use super::screen::Screen;
use super::show;

/// Lines that may wait for the journal; those behind them are read later.
const IN_WORK: usize = 64;

/// What came from the console.
#[derive(Debug)]
pub(super) enum Typed {
    Line(String),
    /// Ctrl-C on a terminal that is being edited on, where it is no signal.
    Interrupt,
    /// The input is over.
    End,
}

/// Starts the console's thread. A line may have `longest` bytes.
///
/// # Errors
/// The system has no thread to give.
pub(super) fn start(screen: Screen, longest: usize) -> io::Result<mpsc::Receiver<Typed>> {
    // Bounded: a pipe that is faster than the server waits for it.
    let (sender, receiver) = mpsc::channel(64);
    std::thread::Builder::new()
        .name("arauto-console".to_owned())
        .spawn(move || {
            if io::stdin().is_terminal() {
                edit(&screen, &sender, longest);
            } else {
                read(&sender, longest);
            }
        })?;
    Ok(receiver)
}

/// Reads lines. One that is too long to be published is told and passed over.
fn read(sender: &mpsc::Sender<Typed>, longest: usize) {
    let mut lines = Lines::new(io::stdin().lock(), longest);
    loop {
        let typed = match lines.next() {
            Ok(Some(line)) => Typed::Line(String::from_utf8_lossy(&line).into_owned()),
            Ok(None) => break,
            Err(LineError::TooLong { number, limit }) => {
                tracing::warn!(
                    line = number,
                    limit,
                    "console line is too long; not published"
                );
                match lines.skip_line() {
                    Ok(true) => continue,
                    _ => break,
                }
            }
            Err(LineError::Io(error)) => {
                tracing::warn!(%error, "the console's input is not readable");
                break;
            }
        };
        if sender.blocking_send(typed).is_err() {
            return;
        }
    }
    let _ = sender.blocking_send(Typed::End);
}

fn edit(screen: &Screen, sender: &mpsc::Sender<Typed>, longest: usize) {
    let editor = Editor::<(), MemHistory>::with_history(Config::default(), MemHistory::new());
    let Ok(mut editor) = editor else {
        return read(sender, longest);
    };
    match editor.create_external_printer() {
        Ok(printer) => screen.edit(printer),
        Err(error) => tracing::debug!(%error, "the terminal cannot be shared"),
    }
    loop {
        let typed = match editor.readline("arauto> ") {
            Ok(line) => {
                let _ = editor.add_history_entry(&line); // a full history forgets
                Typed::Line(line)
            }
            Err(ReadlineError::Interrupted) => Typed::Interrupt,
            Err(error) => {
                tracing::debug!(%error, "the console ended");
                break;
            }
        };
        let over = matches!(&typed, Typed::Line(line) if is_fim(line));
        if sender.blocking_send(typed).is_err() || over {
            break;
        }
    }
    screen.release();
    let _ = sender.blocking_send(Typed::End);
}

/// Whether the line is the word that ends it all.
pub(super) fn is_fim(line: &str) -> bool {
    line.trim() == "fim"
}

/// Acts on what is typed until the input is over. `interrupt` hears of each Ctrl-C.
///
/// A line that waits for the journal holds up no other, and no `fim`. They are sent to the
/// hub in their order.
pub(super) async fn attend(
    server: ServerHandle,
    mut typed: mpsc::Receiver<Typed>,
    interrupt: impl Fn(),
) {
    let places = Arc::new(Semaphore::new(IN_WORK));
    while let Some(typed) = typed.recv().await {
        match typed {
            Typed::Interrupt => interrupt(),
            // A service's stdin may end at any time; the server goes on.
            Typed::End => tracing::debug!("the console's input is over"),
            Typed::Line(line) if line.is_empty() => {}
            Typed::Line(line) => {
                let place = Arc::clone(&places).acquire_owned().await;
                let place = place.expect("the semaphore is never closed");
                let server = server.clone();
                // Tasks of one thread begin in the order in which they were spawned.
                actix_rt::spawn(async move {
                    obey(&server, &line).await;
                    drop(place);
                });
            }
        }
    }
}

/// Publishes a line, or stops the server on `fim`.
async fn obey(server: &ServerHandle, line: &str) {
    if is_fim(line) {
        if let Some(status) = server.stop(StopReason::Fim).await {
            tracing::info!(phase = %status.phase, remaining = ?status.remaining, "fim");
        }
    } else if let Err(error) = server.publish(line).await {
        tracing::warn!(%error, "not published");
    }
}

/// Prints what the others say.
pub(super) async fn listen(mut feed: Feed, screen: Screen) {
    let echo = !io::stdin().is_terminal();
    // A terminal that is held, or a pipe that nobody reads, must not hold up the
    // server: it is this thread that waits, and then the feed hears of a gap.
    let (lines, mut to_print) = mpsc::channel::<String>(64);
    let printing = std::thread::Builder::new().spawn(move || {
        while let Some(line) = to_print.blocking_recv() {
            screen.print(&line);
        }
    });
    if let Err(error) = printing {
        tracing::error!(%error, "the console prints no broadcasts");
        return;
    }
    while let Some(event) = feed.next().await {
        let own = matches!(&event, Event::Message { from, .. } if from == CONSOLE);
        if (echo || !own) && lines.send(show::line(&event)).await.is_err() {
            return;
        }
    }
}
