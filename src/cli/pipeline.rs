//! Sends many frames without waiting for each answer, and handles the answers in order.

use std::collections::VecDeque;

use arauto::{Body, Client, ClientError, PendingReply};

use super::exit::Failure;
use super::input::Input;

/// The most frames, and bytes of their bodies, that may be without an answer at once.
pub(super) const WINDOW: usize = 1024;
const WINDOW_BYTES: usize = 8 << 20;

/// The most bytes that a frame has besides its body: those of
/// `{"publish": {"id": …, "body": …}}`.
const FRAME_OVERHEAD: usize = 32;

/// The longest frame that a server can be configured to take.
const LONGEST_FRAME: usize = 1 << 30;

/// Returns the longest body, in bytes, that fits into a frame to this client's server.
pub(super) fn longest_body(client: &Client) -> usize {
    client
        .max_frame()
        .min(LONGEST_FRAME)
        .saturating_sub(FRAME_OVERHEAD)
}

/// A frame that has no answer yet.
struct Sent<T> {
    answer: PendingReply<T>,
    bytes: usize,
    /// The position in the input, for error messages.
    position: String,
}

/// Sends the bodies of `input` until its end or `fim`, and passes each answer to `on_answer`
/// in the order of the frames. At most `window` frames are without an answer at once.
///
/// # Errors
/// `on_answer` or the input fails, or the session ends. After the first failure nothing more is
/// sent, and `on_answer` still gets the answers to the frames that were sent before it.
pub(super) async fn run<T: 'static>(
    client: &Client,
    mut input: Input,
    window: usize,
    send: impl AsyncFn(Body<'static>) -> Result<PendingReply<T>, ClientError>,
    mut on_answer: impl FnMut(&str, Result<T, ClientError>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut in_flight: VecDeque<Sent<T>> = VecDeque::new();
    let mut bytes = 0;
    let mut end: Option<Result<(), Failure>> = None;
    let closed = client.closed();
    let mut closed = std::pin::pin!(closed);
    loop {
        if in_flight.is_empty()
            && let Some(end) = end
        {
            return end;
        }
        let has_room = in_flight.len() < window && bytes < WINDOW_BYTES;
        tokio::select! {
            biased;
            answer = first(&mut in_flight) => {
                if let Some(sent) = in_flight.pop_front() {
                    bytes -= sent.bytes;
                    let handled = on_answer(&sent.position, answer);
                    if handled.is_err() && !matches!(end, Some(Err(_))) {
                        end = Some(handled);
                    }
                }
            }
            body = input.next(), if end.is_none() && has_room => match body {
                Ok(Some(body)) if !is_fim(&body) => {
                    let length = body.as_bytes().len();
                    bytes += length;
                    let answer = send(body).await?;
                    in_flight.push_back(Sent { answer, bytes: length, position: input.position() });
                }
                Ok(_) => end = Some(Ok(())),
                Err(failure) => end = Some(Err(failure)),
            },
            // Otherwise the end of the session would go unnoticed while no input comes.
            end = &mut closed => return Err(ClientError::Closed(end?.reason).into()),
        }
    }
}

async fn first<T>(sent: &mut VecDeque<Sent<T>>) -> Result<T, ClientError> {
    match sent.front_mut() {
        Some(sent) => (&mut sent.answer).await,
        None => std::future::pending().await,
    }
}

pub(super) fn is_fim(body: &Body<'_>) -> bool {
    body.as_text().is_some_and(|text| text.trim() == "fim")
}
