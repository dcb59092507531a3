//! The server's console: publishes each line as `consola`; `fim` stops the server. As in the text
//! dialect `/post TOPIC TEXT` publishes to a topic, and `/tell USER TEXT` to one user.
//!
//! A thread reads the input, because reading a terminal blocks. It only passes the input on;
//! [`run`] acts on it.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use arauto::internal::accounts::CONSOLE;
use arauto::wire::{Charset, ClientFrame, text};
use arauto::{Event, Feed, NewMessage, ServerHandle};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor};
use tokio::sync::{Semaphore, mpsc};

use super::bounded::{LineError, Lines};
use super::screen::Screen;
use super::show;

/// The most lines that may wait for the journal at once.
const MAX_PENDING_LINES: usize = 64;

/// One input of the console.
#[derive(Debug)]
pub(super) enum ConsoleInput {
    Line(String),
    /// Ctrl-C at the prompt, where the terminal sends no signal.
    Interrupt,
    /// The end of the input.
    End,
}

/// Starts the thread that reads the console. A line may have `longest` bytes.
///
/// # Errors
/// The thread cannot be started.
pub(super) fn start(screen: Screen, longest: usize) -> io::Result<mpsc::Receiver<ConsoleInput>> {
    // Bounded, so that a pipe that is faster than the server waits for the server.
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

/// Reads lines from a pipe or file. A line that is too long to be published is logged and
/// skipped.
fn read(sender: &mpsc::Sender<ConsoleInput>, longest: usize) {
    let mut lines = Lines::new(io::stdin().lock(), longest);
    loop {
        let typed = match lines.next() {
            Ok(Some(line)) => ConsoleInput::Line(String::from_utf8_lossy(&line).into_owned()),
            Ok(None) => break,
            Err(LineError::TooLong { number, limit }) => {
                tracing::warn!(
                    line = number,
                    limit,
                    "console line not published: it is too long"
                );
                match lines.skip_line() {
                    Ok(true) => continue,
                    _ => break,
                }
            }
            Err(LineError::Io(error)) => {
                tracing::warn!(%error, "console input cannot be read");
                break;
            }
        };
        if sender.blocking_send(typed).is_err() {
            return;
        }
    }
    let _ = sender.blocking_send(ConsoleInput::End);
}

/// Reads lines from a terminal, with an editor and a history.
fn edit(screen: &Screen, sender: &mpsc::Sender<ConsoleInput>, longest: usize) {
    let editor = Editor::<(), MemHistory>::with_history(Config::default(), MemHistory::new());
    let Ok(mut editor) = editor else {
        return read(sender, longest);
    };
    match editor.create_external_printer() {
        Ok(printer) => screen.edit(printer),
        Err(error) => tracing::debug!(%error, "terminal cannot be shared with the log"),
    }
    loop {
        let typed = match editor.readline("arauto> ") {
            Ok(line) => {
                let _ = editor.add_history_entry(&line); // the history is bounded
                ConsoleInput::Line(line)
            }
            Err(ReadlineError::Interrupted) => ConsoleInput::Interrupt,
            Err(error) => {
                tracing::debug!(%error, "console input ended");
                break;
            }
        };
        let is_over = matches!(&typed, ConsoleInput::Line(line) if is_fim(line));
        if sender.blocking_send(typed).is_err() || is_over {
            break;
        }
    }
    screen.release();
    let _ = sender.blocking_send(ConsoleInput::End);
}

/// Returns whether the line is `fim`, the command that stops the server.
pub(super) fn is_fim(line: &str) -> bool {
    line.trim() == "fim"
}

/// Acts on each input until the end of the input. Calls `interrupt` at each Ctrl-C.
///
/// Lines reach the hub in order. A line that waits for the journal does not block the lines or
/// the `fim` behind it.
pub(super) async fn run(
    server: ServerHandle,
    mut inputs: mpsc::Receiver<ConsoleInput>,
    interrupt: impl Fn(),
) {
    let permits = Arc::new(Semaphore::new(MAX_PENDING_LINES));
    while let Some(input) = inputs.recv().await {
        match input {
            ConsoleInput::Interrupt => interrupt(),
            // The server goes on: a service's stdin may end at any time.
            ConsoleInput::End => tracing::debug!("console input ended"),
            ConsoleInput::Line(line) if line.is_empty() => {}
            ConsoleInput::Line(line) => {
                let permit = Arc::clone(&permits).acquire_owned().await;
                let permit = permit.expect("the semaphore is never closed");
                let server = server.clone();
                // Tasks of one thread start in the order in which they are spawned.
                actix_rt::spawn(async move {
                    execute(&server, &line).await;
                    drop(permit);
                });
            }
        }
    }
}

/// Publishes a line, or stops the server on `fim`.
async fn execute(server: &ServerHandle, line: &str) {
    if is_fim(line) {
        if let Some(status) = server.stop().await {
            tracing::info!(phase = %status.phase, remaining = ?status.remaining, "stop requested");
        }
    } else if let Err(error) = server.publish(message(line)).await {
        tracing::warn!(%error, "console line not published");
    }
}

/// The commands of the text dialect that the console has.
const COMMANDS: [&str; 2] = ["/post", "/tell"];

/// Returns the message of a line: of one of the [`COMMANDS`], or the line itself. `//post` and
/// `//tell` begin a line whose text has one slash.
fn message(line: &str) -> NewMessage<'_> {
    let is_command = |line: &str| {
        let word = line.split(' ').next();
        word.is_some_and(|word| COMMANDS.contains(&word))
    };
    if let Some(text) = line.strip_prefix('/')
        && is_command(text)
    {
        return NewMessage::new(text);
    }
    if !is_command(line) {
        return NewMessage::new(line);
    }
    let frame = text::decode_message(Charset::Utf8, line.as_bytes(), usize::MAX);
    let Ok(ClientFrame::Publish(publish)) = frame else {
        unreachable!("the text dialect has these commands: {line:?}");
    };
    let mut message = NewMessage::new(publish.body);
    if let Some(topic) = publish.topic {
        message = message.topic(topic);
    }
    match publish.options.and_then(|options| options.to) {
        Some(user) => message.to(user),
        None => message,
    }
}

/// Prints the broadcasts: on a terminal those of the other users, into a pipe all of them.
pub(super) async fn print_broadcasts(mut feed: Feed, screen: Screen) {
    let echo = !io::stdin().is_terminal();
    // A thread prints, so that a terminal that is stopped, or a pipe that nobody reads, does not
    // block the server. While it waits the feed gets a gap.
    let (lines, mut to_print) = mpsc::channel::<String>(64);
    let printing = std::thread::Builder::new().spawn(move || {
        while let Some(line) = to_print.blocking_recv() {
            screen.print(&line);
        }
    });
    if let Err(error) = printing {
        tracing::error!(%error, "console cannot print broadcasts");
        return;
    }
    while let Some(event) = feed.next().await {
        let own = matches!(&event, Event::Message { from, .. } if from == CONSOLE);
        if (echo || !own) && lines.send(show::line(&event)).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn console_posts_and_tells_as_the_text_dialect_does() {
        for (line, expected) in [
            ("olá mundo", NewMessage::new("olá mundo")),
            ("/who", NewMessage::new("/who")),
            ("/poster a b", NewMessage::new("/poster a b")),
            (r"a\n", NewMessage::new(r"a\n")),
            ("//post a b", NewMessage::new("/post a b")),
            ("// post", NewMessage::new("// post")),
            ("/post a/b x y", NewMessage::new("x y").topic("a/b")),
            (r"/post a\u{20}b x\ny", NewMessage::new("x\ny").topic("a b")),
            ("/post a", NewMessage::new("").topic("a")),
            ("/post", NewMessage::new("").topic("")),
            ("/tell rui x y", NewMessage::new("x y").to("rui")),
            ("/tell", NewMessage::new("").to("")),
        ] {
            assert_eq!(message(line), expected, "{line:?}");
        }
    }
}
