//! A client's filter, and the list of topics.

use super::error::ClientError;
use super::filter::{CurrentFilter, FilterChange};
use super::handle::Client;
use super::shared::Reply;
use crate::wire::{ClientFrame, Feature, TopicLine, TopicQuery};

impl Client {
    /// Adds patterns to the filter, and returns what the filter is then. The patterns are topic
    /// filters of MQTT 5: `+` matches one level, `#` at the end matches the rest.
    ///
    /// # Errors
    /// See [`Client::change_filter`].
    pub async fn subscribe(
        &self,
        patterns: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<CurrentFilter, ClientError> {
        self.change_filter(FilterChange::new().subscribe(patterns))
            .await
    }

    /// Removes patterns from the filter, and returns what the filter is then.
    ///
    /// # Errors
    /// See [`Client::change_filter`].
    pub async fn unsubscribe(
        &self,
        patterns: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<CurrentFilter, ClientError> {
        self.change_filter(FilterChange::new().unsubscribe(patterns))
            .await
    }

    /// Changes the filter, and returns what it is then. A session without a filter, which gets
    /// every message, has one once a pattern is added.
    ///
    /// A client that [reconnects](crate::ClientBuilder::reconnect) sends the filter again with its
    /// next login, which then holds for everything behind the last event before
    /// [`Incoming::Disconnected`](crate::Incoming::Disconnected).
    ///
    #[cfg_attr(feature = "server", doc = "```")]
    #[cfg_attr(not(feature = "server"), doc = "```ignore")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use arauto::{Client, Event, FilterChange, Incoming, NewMessage, Server};
    /// # use arauto::Config;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let endpoint = format!("unix:{}", folder.path().join("a.sock").display());
    /// # let mut config = Config::default();
    /// # config.listen = vec![endpoint.parse()?];
    /// # let server = Server::start(config)?;
    /// # let runtime = tokio::runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// let (client, mut events) = Client::builder(endpoint.parse()?)
    ///     .user("ana")
    ///     .password("segredo")
    ///     .filter(["home/+/temperature"])
    ///     .connect()
    ///     .await?;
    /// client.publish(NewMessage::new("on").topic("home/kitchen/light").keep()).await?;
    /// client.publish(NewMessage::new("21").topic("home/kitchen/temperature")).await?;
    ///
    /// let change = FilterChange::new().subscribe(["home/+/light"]).kept();
    /// let filter = client.change_filter(change).await?;
    /// assert_eq!(filter.patterns.unwrap_or_default(), ["home/+/temperature", "home/+/light"]);
    ///
    /// // The light was not for this session when it was published, and is its topic's kept value.
    /// let mut received = Vec::new();
    /// while received.len() < 2 {
    ///     match events.next().await {
    ///         Some(Incoming::Event(Event::Message { topic, body, .. })) => {
    ///             received.push((topic.unwrap_or_default(), body));
    ///         }
    ///         Some(Incoming::Kept(kept)) => received.push((kept.topic, kept.body)),
    ///         Some(Incoming::Event(Event::Passed(_))) => {} // something was not for this session
    ///         other => panic!("{other:?}"),
    ///     }
    /// }
    /// received.sort_by(|a, b| a.0.cmp(&b.0));
    /// assert_eq!(received[0], ("home/kitchen/light".to_owned(), "on".into()));
    /// assert_eq!(received[1], ("home/kitchen/temperature".to_owned(), "21".into()));
    /// # server.stop().await;
    /// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// A text is no pattern, the filter becomes too large, the server does not serve topics
    /// ([`ClientError::NotServed`]), or the session ends first. If the session ends first, it is
    /// unknown whether the change was made; the next session does not have it.
    pub async fn change_filter(&self, change: FilterChange) -> Result<CurrentFilter, ClientError> {
        let session = self.session();
        session.who().require(Feature::Topics)?;
        let waiter = session.begin_change(change).await?;
        drop(session);
        match waiter.wait().await? {
            Reply::Filter(filter) => Ok(filter),
            other => Err(other.mismatch()),
        }
    }

    /// Returns a part of the list of topics, for admins: those that `pattern` matches, without one
    /// all, whose names are above `after`, in the order of their names. With `""` the list begins.
    /// Also returns whether there are more: the next part is behind the last name.
    ///
    /// # Errors
    /// The user may not, the pattern is none, the server does not serve topics
    /// ([`ClientError::NotServed`]), or the session ends first.
    pub async fn topics(
        &self,
        pattern: Option<&str>,
        after: &str,
    ) -> Result<(Vec<TopicLine<'static>>, bool), ClientError> {
        let session = self.session();
        session.who().require(Feature::Topics)?;
        let frame = |id| {
            ClientFrame::Topics(Box::new(TopicQuery {
                id,
                pattern: pattern.map(Into::into),
                after: (!after.is_empty()).then(|| after.into()),
            }))
        };
        let waiter = session.begin(frame).await?;
        drop(session);
        match waiter.wait().await? {
            Reply::Topics { lines, has_more } => Ok((lines, has_more)),
            other => Err(other.mismatch()),
        }
    }
}
