//! The routes of the newest broadcasts, for the report of a stop.

use super::Log;
use crate::topic::Route;
use crate::wire::Seq;
use crate::wire::cbor::message_keys;

/// The routes of the newest broadcasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentRoutes {
    /// Behind this seq every broadcast that has a route is listed.
    pub above: Seq,
    /// The newest seq up to `above` of a broadcast that is for one user, or may be.
    pub direct_to: Seq,
    /// The broadcasts, by seq.
    pub listed: Vec<RecentRoute>,
}

/// A broadcast that has a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentRoute {
    /// Its number.
    pub seq: Seq,
    /// The message's topic.
    pub topic: Option<String>,
    /// The user that the message is for, if it is for one only.
    pub to: Option<String>,
    /// Whether it is a presence change.
    pub is_presence: bool,
}

impl Log {
    /// Returns the routes of the newest broadcasts that have one, at most this many.
    pub fn recent_routes(&self, most: usize) -> RecentRoutes {
        let parts = self.read_parts();
        let (above, entries) = parts.routes().newest(most);
        let listed = entries.map(|entry| {
            let (mut topic, mut to) = (None, None);
            match parts.routes().route(entry.route) {
                Route::Presence => {}
                Route::Topic(name) => topic = Some(name.to_owned()),
                Route::User(name) => {
                    to = Some(name.to_owned());
                    let frame = parts.frame(entry.part, entry.offset as usize);
                    let keys = message_keys(&frame);
                    topic = keys.and_then(|keys| keys.topic.map(str::to_owned));
                }
            }
            RecentRoute {
                seq: entry.seq,
                is_presence: topic.is_none() && to.is_none(),
                topic,
                to,
            }
        });
        RecentRoutes {
            above,
            listed: listed.collect(),
            direct_to: parts.routes().newest_direct(above),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::log::{Appender, BackpressureLimits, Content, LogLimits, Origin, Terms};
    use crate::wire::cbor::encode_content;
    use crate::wire::{Body, Millis, Publish, PublishOptions};

    fn push(appender: &mut Appender, topic: Option<&str>, to: Option<&str>) {
        let mut publish = Publish::new(1, Body::text("x"));
        publish.topic = topic.map(Cow::Borrowed);
        publish.options = to.map(|to| {
            Box::new(PublishOptions {
                to: Some(Cow::Borrowed(to)),
                ..PublishOptions::default()
            })
        });
        let mut item = Vec::new();
        let route = match (to, topic) {
            (Some(to), _) => Some(Route::User(to)),
            (None, topic) => topic.map(Route::Topic),
        };
        let content = Content {
            keys: encode_content(&publish, &mut item).count,
            bytes: &item,
            route,
            is_kept: false,
        };
        let pushed = appender.push_messages(Millis(0), "ana", [content]);
        pushed.expect("the log is not sealed");
        appender.commit();
    }

    /// The listed routes as (seq, topic, user).
    fn listed(routes: &RecentRoutes) -> Vec<(u64, &str, &str)> {
        fn text(text: &Option<String>) -> &str {
            text.as_deref().unwrap_or_default()
        }
        let listed = routes.listed.iter();
        let listed = listed.map(|route| (route.seq.0, text(&route.topic), text(&route.to)));
        listed.collect()
    }

    #[test]
    fn newest_routes_are_listed_and_the_seq_behind_which_they_are_all() {
        let limits = LogLimits {
            bytes: 1 << 20,
            backpressure: BackpressureLimits::default(),
        };
        let origin = Origin {
            stream: "s".to_owned(),
            terms: Terms::single(),
            first: Seq(8),
            journal: None,
            kept: Vec::new(),
        };
        let (log, mut appender) = Log::continue_from(origin, limits, 1);
        let empty = log.recent_routes(4);
        let before = (empty.above, empty.direct_to, empty.listed.len());
        assert_eq!(before, (Seq(7), Seq(7), 0), "nobody knows what came before");
        push(&mut appender, Some("a"), None);
        push(&mut appender, None, None);
        push(&mut appender, Some("b"), Some("rui"));
        push(&mut appender, None, Some("ana"));
        let all = log.recent_routes(4);
        assert_eq!(
            listed(&all),
            [(8, "a", ""), (10, "b", "rui"), (11, "", "ana")]
        );
        assert_eq!((all.above, all.direct_to), (Seq(7), Seq(7)));
        let newest = log.recent_routes(1);
        assert_eq!(listed(&newest), [(11, "", "ana")]);
        assert_eq!((newest.above, newest.direct_to), (Seq(10), Seq(10)));
    }
}
