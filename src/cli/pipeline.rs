//! Many frames on their way at once, their answers in order.

use std::collections::VecDeque;

use arauto::{Body, Client, ClientError, PendingReply};

use super::exit::Failure;
use super::input::Input;

/// Frames that may be on their way without an answer, and the bytes of their bodies.
const WINDOW: usize = 1024;
const WINDOW_BYTES: usize = 8 << 20;

/// Bytes that a frame has besides its body, at most: the outline of
/// `{"publish": {"id": …, "body": …}}`.
const OUTLINE: usize = 32;

/// The longest frame that a server can be set to take, whatever it says.
const LONGEST_FRAME: usize = 1 << 30;

/// The longest body that fits into a frame to this client's server.
pub(super) fn longest_body(client: &Client) -> usize {
    client
        .max_frame()
        .min(LONGEST_FRAME)
        .saturating_sub(OUTLINE)
}

/// A frame that has no answer yet.
struct Sent<T> {
    answer: PendingReply<T>,
    bytes: usize,
    /// The name of the body in error messages.
    place: String,
}

/// Sends what comes in until its end or `fim`, and gives each answer to `tell`, in
/// the order of the frames.
///
/// # Errors
/// `tell` fails, the input does, or the session ends. Nothing more is sent after the first
/// failure, and `tell` hears the answers to what was sent before.
pub(super) async fn run<T: 'static>(
    client: &Client,
    mut input: Input,
    send: impl AsyncFn(Body<'static>) -> Result<PendingReply<T>, ClientError>,
    mut tell: impl FnMut(&str, Result<T, ClientError>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut on_their_way: VecDeque<Sent<T>> = VecDeque::new();
    let mut bytes = 0;
    let mut end: Option<Result<(), Failure>> = None;
    let closed = client.closed();
    let mut closed = std::pin::pin!(closed);
    loop {
        if on_their_way.is_empty()
            && let Some(end) = end
        {
            return end;
        }
        let has_room = on_their_way.len() < WINDOW && bytes < WINDOW_BYTES;
        tokio::select! {
            biased;
            answer = first(&mut on_their_way) => {
                if let Some(sent) = on_their_way.pop_front() {
                    bytes -= sent.bytes;
                    let told = tell(&sent.place, answer);
                    if told.is_err() && !matches!(end, Some(Err(_))) {
                        end = Some(told);
                    }
                }
            }
            body = input.next(), if end.is_none() && has_room => match body {
                Ok(Some(body)) if !is_fim(&body) => {
                    let length = body.as_bytes().len();
                    bytes += length;
                    let answer = send(body).await?;
                    on_their_way.push_back(Sent { answer, bytes: length, place: input.place() });
                }
                Ok(_) => end = Some(Ok(())),
                Err(failure) => end = Some(Err(failure)),
            },
            // Nobody would notice while nothing is typed.
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
