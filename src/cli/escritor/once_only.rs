//! `arauto escritor --once-only`: keeps each message in a file until it is answered, and sends it
//! again until then, across restarts of the server and of itself.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use arauto::{Body, Client, ClientError, ErrorCode, PendingReply, Producer, PublishedOnce};
use tokio::time::sleep;

use super::args::Args;
use crate::cli::connect::PATIENCE;
use crate::cli::exit::{Failure, complain, sysexits};
use crate::cli::input::Input;
use crate::cli::outbox::{MessageOptions, Outbox, OutboxFile, OutboxMessage};
use crate::cli::output::Output;
use crate::cli::pipeline::{is_fim, longest_body};

/// The most messages, and bytes of their bodies, that are in the file at once. One message may be
/// longer.
const WINDOW: usize = 1024;
const WINDOW_BYTES: usize = 1 << 20;

/// The bytes of a frame for the producer's name and the number, at most.
const NUMBER_OVERHEAD: usize = 96;

/// How long the server may leave messages without an answer before a person is told.
const SILENCE: Duration = Duration::from_secs(5);

/// Publishes what the file holds, then the messages.
pub(super) async fn publish(args: Args, path: &Path) -> Result<u8, Failure> {
    let options = args.message.options()?;
    let (file, outbox) = OutboxFile::open(path)?;
    let account = args.connect.account()?.reconnecting();
    let (client, events) = account.log_in_patiently().await?;
    drop(events);
    let overhead = NUMBER_OVERHEAD + options.overhead();
    let longest = longest_body(&client).saturating_sub(overhead);
    let input = Input::new(args.messages, longest)?;
    let producer = client.producer(outbox.producer.clone(), outbox.first, Some(PATIENCE));
    let mut once = OnceOnly {
        producer,
        file,
        bytes: outbox.messages.iter().map(length).sum(),
        outbox,
        sent: VecDeque::new(),
        options,
        input,
        out: args.verbose.then(Output::stdout),
    };
    let outcome = once.run(&client).await;
    let saved = once.file.save(&once.outbox);
    let _ = client.fim().await; // the session may be over already
    match outcome.and(saved) {
        Ok(()) => Ok(0),
        Err(failure) => Err(once.describe_in(failure)),
    }
}

fn length(message: &OutboxMessage) -> usize {
    message.body.as_bytes().len() + message.options.overhead()
}

/// A message that has no answer yet.
struct Sent {
    answer: PendingReply<PublishedOnce>,
    /// The position in the input, for error messages.
    position: String,
}

struct OnceOnly {
    producer: Producer,
    file: OutboxFile,
    outbox: Outbox,
    /// The length of the messages in the outbox.
    bytes: usize,
    /// The messages of the outbox, all of which are sent.
    sent: VecDeque<Sent>,
    /// The keys of the input's messages beside their bodies.
    options: MessageOptions,
    input: Input,
    /// Prints the numbers in the stream, if a person wants them.
    out: Option<Output>,
}

impl OnceOnly {
    async fn run(&mut self, client: &Client) -> Result<(), Failure> {
        for (number, message) in (1..).zip(self.outbox.messages.clone()) {
            let position = format!("message {number} of {}", self.file.path().display());
            self.send(message, position).await?;
        }
        let closed = client.closed();
        let mut closed = std::pin::pin!(closed);
        let mut end: Option<Result<(), Failure>> = None;
        let mut is_told = false;
        loop {
            if self.sent.is_empty()
                && let Some(end) = end
            {
                return end;
            }
            let has_room = self.sent.len() < WINDOW && self.bytes < WINDOW_BYTES;
            let is_waiting = !self.sent.is_empty() && !is_told;
            tokio::select! {
                biased;
                answer = first(&mut self.sent) => {
                    self.answered(answer)?;
                    is_told = false;
                }
                body = self.input.next(), if end.is_none() && has_room => match body {
                    Ok(Some(body)) if !is_fim(&body) => {
                        if self.take(body).await? {
                            end = Some(Ok(()));
                        }
                    }
                    Ok(_) => end = Some(Ok(())),
                    Err(failure) => end = Some(Err(failure)),
                },
                // Otherwise the end of the client would go unnoticed while no input comes.
                end = &mut closed => return Err(ClientError::Closed(end?.reason).into()),
                () = sleep(SILENCE), if is_waiting => {
                    is_told = true;
                    let waiting = counted(self.sent.len());
                    complain(&format!("waiting for the server's answer to {waiting}"));
                }
            }
        }
    }

    /// Keeps a message, and those behind it that are there already, then sends them. Returns
    /// whether `fim` was among them.
    async fn take(&mut self, first: Body<'static>) -> Result<bool, Failure> {
        let mut taken = Vec::new();
        let mut next = Some(first);
        let mut is_over = false;
        while let Some(body) = next.take() {
            if is_fim(&body) {
                is_over = true;
                break;
            }
            let options = self.options.clone();
            let message = OutboxMessage { body, options };
            self.bytes += length(&message);
            self.outbox.messages.push_back(message.clone());
            taken.push((message, self.input.position()));
            if self.outbox.messages.len() < WINDOW && self.bytes < WINDOW_BYTES {
                next = self.input.next_ready();
            }
        }
        self.file.save(&self.outbox)?;
        for (message, position) in taken {
            self.send(message, position).await?;
        }
        Ok(is_over)
    }

    async fn send(&mut self, message: OutboxMessage, position: String) -> Result<(), Failure> {
        let message = message.options.message(message.body);
        match self.producer.begin_publish(message).await {
            Ok(answer) => {
                self.sent.push_back(Sent { answer, position });
                Ok(())
            }
            Err(error) => {
                // The producer has ended. The first message without an answer says why.
                while !self.sent.is_empty() {
                    let answer = first(&mut self.sent).await;
                    self.answered(answer)?;
                }
                Err(failed(error, &position))
            }
        }
    }

    /// Notes the answer to the first message.
    fn answered(&mut self, answer: Result<PublishedOnce, ClientError>) -> Result<(), Failure> {
        let Some(Sent { position, .. }) = self.sent.pop_front() else {
            return Ok(());
        };
        let published = answer.map_err(|error| failed(error, &position))?;
        self.bytes -= self.outbox.messages.front().map_or(0, length);
        self.outbox.note_answer();
        if let Some(out) = &mut self.out {
            out.line(&published.seq.map_or(0, |seq| seq.0).to_string())?;
            out.flush()?;
        }
        Ok(())
    }

    /// Adds to the failure what is left in the file.
    fn describe_in(&self, failure: Failure) -> Failure {
        let failure = match failure.is_reader_gone() {
            true => Failure::new(
                sysexits::IOERR,
                "stopped because stdout was closed by its reader",
            ),
            false => failure,
        };
        let path = self.file.path().display();
        match self.outbox.messages.len() {
            0 => failure,
            left => failure.with(&format!(
                "the next start with {path} sends what it keeps: {}",
                counted(left)
            )),
        }
    }
}

fn counted(messages: usize) -> String {
    match messages {
        1 => "1 message".to_owned(),
        _ => format!("{messages} messages"),
    }
}

fn failed(error: ClientError, position: &str) -> Failure {
    let code = error.code();
    let failure = Failure::from(error).at(position);
    match code {
        Some(ErrorCode::OutOfOrder) => failure.with(
            "the server's data folder was restored from an older copy; docs/operations.md says \
             how to go on",
        ),
        _ => failure,
    }
}

async fn first(sent: &mut VecDeque<Sent>) -> Result<PublishedOnce, ClientError> {
    match sent.front_mut() {
        Some(sent) => (&mut sent.answer).await,
        None => std::future::pending().await,
    }
}
