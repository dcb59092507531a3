//! Requests to services, which other clients answer.

pub(super) mod reply;

use std::borrow::Cow;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

pub use self::reply::ServiceReply;
use super::backoff::Backoff;
use super::error::ClientError;
use super::handle::Client;
use super::pending_reply::PendingReply;
use super::shared::Reply;
use crate::wire::{Body, ClientFrame, ErrorCode, Feature, Headers, Request, RequestOptions};

/// A request to a service: made by [`Client::ask`], and sent when it is awaited.
#[derive(Debug, Clone)]
#[must_use = "it is sent when it is awaited"]
pub struct Ask<'a> {
    client: Client,
    service: Cow<'a, str>,
    body: Body<'a>,
    timeout: Option<Duration>,
    headers: Headers<'a>,
    patience: Option<Duration>,
}

impl Client {
    /// Returns a request to a service, which one of the clients that offer the service answers
    /// ([`Client::offer`]). Awaiting it sends it and waits for the reply. It needs the feature
    /// `services`.
    ///
    #[cfg_attr(feature = "server", doc = "```")]
    #[cfg_attr(not(feature = "server"), doc = "```ignore")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use arauto::{Body, CallError, Client, ErrorCode};
    /// # use arauto::{Config, Server};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let endpoint = format!("unix:{}", folder.path().join("a.sock").display());
    /// # let mut config = Config::default();
    /// # config.listen = vec![endpoint.parse()?];
    /// # let server = Server::start(config)?;
    /// # let runtime = tokio::runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// # let builder = Client::builder(endpoint.parse()?);
    /// let (rui, _) = builder.clone().user("rui").password("segredo").connect().await?;
    /// let responder = rui
    ///     .offer("double", async |call| match call.body.as_text().map(str::parse::<i64>) {
    ///         Some(Ok(number)) => Ok(Body::from((2 * number).to_string())),
    ///         _ => Err(CallError::new("no-number", "the body is no number")),
    ///     })
    ///     .await?;
    ///
    /// let (ana, _) = builder.user("ana").password("segredo").connect().await?;
    /// let reply = ana.ask("double", "21").timeout(Duration::from_secs(5)).await?;
    /// assert_eq!((reply.body, &*reply.from), (Body::text("42"), "rui"));
    ///
    /// let error = ana.ask("double", "olá").await.unwrap_err();
    /// assert_eq!(error.code(), Some(ErrorCode::Failed));
    ///
    /// responder.withdraw().await?;
    /// let error = ana.ask("double", "21").await.unwrap_err();
    /// assert_eq!(error.code(), Some(ErrorCode::Unavailable));
    /// # server.stop().await;
    /// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The errors of the request have these codes ([`ClientError::code`]):
    /// - [`ErrorCode::Unavailable`]: no client offers the service, or the one that had the request
    ///   has gone. In the second case the request may have been done.
    /// - [`ErrorCode::Timeout`]: no reply came in time. The request may have been done, or may still
    ///   be done.
    /// - [`ErrorCode::Failed`]: the service answered with an error of its own.
    /// - [`ErrorCode::Throttled`]: too many requests are in work or wait. The request was not sent
    ///   to a client; [`ClientError::retry_after`] says when to try again.
    /// - [`ErrorCode::Forbidden`]: a rule does not allow it.
    ///
    /// Or the server does not have the feature ([`ClientError::NotServed`]), or the session ends
    /// first.
    pub fn ask<'a>(&self, service: impl Into<Cow<'a, str>>, body: impl Into<Body<'a>>) -> Ask<'a> {
        Ask {
            client: self.clone(),
            service: service.into(),
            body: body.into(),
            timeout: None,
            headers: Headers::default(),
            patience: None,
        }
    }
}

impl<'a> Ask<'a> {
    /// Sets the time within which the reply must come, from 1 ms to an hour; by default the
    /// server's, 30 s. The time for which a request waits for a free client counts.
    pub fn timeout(mut self, timeout: Duration) -> Ask<'a> {
        self.timeout = Some(timeout);
        self
    }

    /// Adds a header, in place of an earlier one of the same name. A request has at most 32, with
    /// at most 4096 bytes of names and values.
    pub fn header(
        mut self,
        name: impl Into<Cow<'a, str>>,
        value: impl Into<Cow<'a, str>>,
    ) -> Ask<'a> {
        self.headers.set(name, value);
        self
    }

    /// Sets all headers.
    pub fn headers(mut self, headers: Headers<'a>) -> Ask<'a> {
        self.headers = headers;
        self
    }

    /// Sends the request again after a wait while it is throttled, until `patience` has passed. A
    /// request that is throttled was not sent to a client. By default it is not sent again.
    pub fn patience(mut self, patience: Duration) -> Ask<'a> {
        self.patience = Some(patience);
        self
    }

    /// Sends the request; the reply is another future. So many can be on their way at once, and
    /// they are answered in any order. Dropping that future gives the reply up, and not the
    /// request.
    ///
    /// # Errors
    /// The session is over, or the server does not serve services.
    pub async fn begin(self) -> Result<PendingReply<ServiceReply>, ClientError> {
        let first = self.send().await?;
        let Some(patience) = self.patience else {
            return Ok(first);
        };
        let ask = self.into_owned();
        Ok(PendingReply::new(async move {
            let mut outcome = first.await;
            let mut backoff = Backoff::until(patience);
            while let Err(error) = &outcome
                && error.code() == Some(ErrorCode::Throttled)
                && let Some(wait) = backoff.next_wait(error.retry_after())
            {
                tokio::time::sleep(wait).await;
                outcome = match ask.send().await {
                    Ok(reply) => reply.await,
                    Err(error) => Err(error),
                };
            }
            outcome
        }))
    }

    async fn send(&self) -> Result<PendingReply<ServiceReply>, ClientError> {
        let session = self.client.session();
        session.who().require(Feature::Services)?;
        let answer = session.begin(|id| ClientFrame::Request(self.frame(id)));
        Ok(answer.await?.map_reply(|reply| match reply {
            Reply::Service(reply) => Ok(reply),
            other => Err(other.mismatch()),
        }))
    }

    fn frame(&self, id: u64) -> Request<'_> {
        let body = match &self.body {
            Body::Text(text) => Body::text(text),
            Body::Bytes(bytes) => Body::bytes(bytes),
        };
        let mut headers = Headers::default();
        for (name, value) in self.headers.iter() {
            headers.push(name, value);
        }
        let mut request = Request::new(id, body);
        request.options = Some(Box::new(RequestOptions {
            service: Some(Cow::Borrowed(&*self.service)),
            timeout: self.timeout.map(whole_millis),
            headers: (!headers.is_empty()).then_some(headers),
        }));
        request
    }

    fn into_owned(self) -> Ask<'static> {
        Ask {
            client: self.client,
            service: Cow::Owned(self.service.into_owned()),
            body: self.body.into_owned(),
            timeout: self.timeout,
            headers: self.headers.into_owned(),
            patience: self.patience,
        }
    }
}

/// Rounds up, so that a short time does not become 0, which the contract does not allow.
fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000).max(1)).unwrap_or(u64::MAX)
}

impl<'a> IntoFuture for Ask<'a> {
    type Output = Result<ServiceReply, ClientError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.begin().await?.await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeout_is_rounded_up_to_whole_milliseconds() {
        let millis = |nanos| whole_millis(Duration::from_nanos(nanos));
        assert_eq!([millis(0), millis(1), millis(1_000_001)], [1, 1, 2]);
        assert_eq!(whole_millis(Duration::MAX), u64::MAX);
    }
}
