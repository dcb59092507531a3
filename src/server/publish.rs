//! Messages of the program that the server runs in.

use std::future::poll_fn;
use std::task::{Context, Poll};

use actix::MailboxError;

use super::handle::ServerHandle;
use crate::accounts::UserName;
use crate::actors::hub::{
    Contents, JudgedContents, NotPublished, Publish, PublishJudged, Verdict, Verdicts,
};
use crate::log::PublishWait;
use crate::wire::{self, ErrorCode, NewMessage, Quote, Seq, WireError, cbor};

/// Why the embedding program's message was not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The server is stopping, or gone.
    #[error("the server is stopping")]
    Stopping,
    /// Its frame would be longer than clients take.
    #[error("a message of {0} bytes does not fit into max-frame")]
    TooLong(usize),
    /// The topic or the headers are wrong, the receiver has no account, or a limit of kept values is
    /// reached.
    #[error("{}", .0.message)]
    Refused(WireError),
    /// The journal could not be written; the server's log says why.
    #[error("the message was not published: the journal could not be written")]
    Unwritten,
}

impl ServerHandle {
    /// Publishes as the server's own console, `consola`. A body by itself is a message without a
    /// topic; [`NewMessage`] has the rest.
    ///
    /// It does not wait for readers that lag, as clients' publishing does.
    ///
    /// # Errors
    /// See [`PublishError`]. Then nothing was published.
    pub async fn publish(&self, message: impl Into<NewMessage<'_>>) -> Result<Seq, PublishError> {
        let message = message.into();
        let publish = message.frame(0, None);
        self.check(&publish)?;
        let from = UserName::console();
        let in_flight = None;
        if publish.is_kept() {
            let mut messages = JudgedContents::default();
            messages.push(None, &publish);
            let judging = self.hub.send(PublishJudged {
                from,
                messages,
                in_flight,
            });
            return seq_of(&published(judging.await)?);
        }
        let mut contents = Contents::default();
        contents.push_publish(&publish);
        let publishing = self.hub.send(Publish {
            from,
            contents,
            in_flight,
        });
        published(publishing.await)
    }

    /// As [`ServerHandle::publish`], and waits for readers that lag, as clients'
    /// publishing does: see [`BackpressureLimits`](crate::BackpressureLimits).
    ///
    /// # Errors
    /// See [`PublishError`]. Then nothing was published.
    pub async fn publish_paced(
        &self,
        message: impl Into<NewMessage<'_>>,
    ) -> Result<Seq, PublishError> {
        let pace = self.log.backpressure();
        let mut wait = PublishWait::default();
        let mut may_publish = |cx: &mut Context<'_>| {
            // Nobody is waited for once it stops.
            let goes_on =
                self.log.is_sealed() || pace.may_publish(self.log.written(), &mut wait, cx.waker());
            if goes_on {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        };
        // A reader that stands still wakes nobody.
        let again = pace.retry_interval();
        while tokio::time::timeout(again, poll_fn(&mut may_publish))
            .await
            .is_err()
        {}
        self.publish(message).await
    }

    /// Checks what the sessions check of a client's publish.
    fn check(&self, publish: &wire::Publish<'_>) -> Result<(), PublishError> {
        publish.check().map_err(PublishError::Refused)?;
        let length = publish.body.as_bytes().len();
        let max_frame = self.reloadable.max_frame();
        if length > cbor::max_body(max_frame) || !cbor::message_fits(publish, max_frame) {
            return Err(PublishError::TooLong(length));
        }
        match publish.to() {
            Some(to) if !self.names.has(to) => Err(PublishError::Refused(WireError {
                code: ErrorCode::UnknownUser,
                message: format!("there is no account {}", Quote::new(to)),
            })),
            _ => Ok(()),
        }
    }
}

fn published<T>(answer: Result<Result<T, NotPublished>, MailboxError>) -> Result<T, PublishError> {
    match answer {
        Ok(Ok(published)) => Ok(published),
        Ok(Err(NotPublished::Unwritten)) => Err(PublishError::Unwritten),
        Ok(Err(NotPublished::Sealed)) | Err(_) => Err(PublishError::Stopping),
    }
}

/// Returns the seq from the verdict on one message.
fn seq_of(verdicts: &Verdicts) -> Result<Seq, PublishError> {
    match verdicts.first() {
        Some(Verdict::Published(seq)) => Ok(*seq),
        Some(Verdict::NotKept(limit)) => Err(PublishError::Refused(WireError {
            code: ErrorCode::TooMany,
            message: limit.to_string(),
        })),
        other => unreachable!("a message without a number is published or refused: {other:?}"),
    }
}
