//! Many frames on their way at once, their answers in order.

use std::collections::VecDeque;

use arauto::{Answering, Body, Client, ClientError};

use super::exit::Failure;
use super::input::Input;

/// Frames that may be on their way without an answer.
const WINDOW: usize = 1024;

/// Sends what comes in until its end or `fim`, and gives each answer to `tell`, in
/// the order of the frames. `tell` says whether to go on.
pub(super) async fn run<T: 'static>(
    client: &Client,
    mut input: Input,
    send: impl AsyncFn(Body<'static>) -> Result<Answering<T>, ClientError>,
    mut tell: impl FnMut(Result<T, ClientError>) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let mut on_their_way: VecDeque<Answering<T>> = VecDeque::new();
    let mut is_over = false;
    let closed = client.closed();
    let mut closed = std::pin::pin!(closed);
    while !(is_over && on_their_way.is_empty()) {
        tokio::select! {
            biased;
            answer = first(&mut on_their_way) => {
                on_their_way.pop_front();
                if !tell(answer)? {
                    return Ok(());
                }
            }
            body = input.next(), if !is_over && on_their_way.len() < WINDOW => {
                match body? {
                    Some(body) if !is_fim(&body) => on_their_way.push_back(send(body).await?),
                    _ => is_over = true,
                }
            }
            // Nobody would notice while nothing is typed.
            end = &mut closed => return Err(ClientError::Closed(end?.reason).into()),
        }
    }
    Ok(())
}

async fn first<T>(answers: &mut VecDeque<Answering<T>>) -> Result<T, ClientError> {
    match answers.front_mut() {
        Some(answer) => answer.await,
        None => std::future::pending().await,
    }
}

pub(super) fn is_fim(body: &Body<'_>) -> bool {
    body.as_text().is_some_and(|text| text.trim() == "fim")
}
