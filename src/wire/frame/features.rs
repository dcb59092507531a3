//! The optional features of the contract, and the frames and keys that belong to them.

use std::borrow::Cow;

use super::{ClientFrame, Login, Publish, Request, Unserved};
use crate::wire::Feature;

/// The optional features that an endpoint serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Features {
    /// Topics, filters, kept values, direct messages and headers.
    pub topics: bool,
    /// Publishing exactly once, by the numbers that a producer gives its messages.
    pub producer: bool,
    /// Cursors: read positions that the server remembers.
    pub cursor: bool,
    /// Services: clients that answer the requests of others.
    pub services: bool,
}

impl Features {
    /// No feature.
    pub const NONE: Features = Features {
        topics: false,
        producer: false,
        cursor: false,
        services: false,
    };

    /// Returns the names of the features, as `welcome` lists them.
    pub fn names(self) -> Vec<Cow<'static, str>> {
        let features = [
            (self.topics, Feature::Topics),
            (self.producer, Feature::Producer),
            (self.cursor, Feature::Cursor),
            (self.services, Feature::Services),
        ];
        let served = features.into_iter().filter(|(is_served, _)| *is_served);
        served
            .map(|(_, feature)| Cow::Borrowed(feature.as_str()))
            .collect()
    }
}

impl ClientFrame<'_> {
    /// Returns the frame, or the first of its keys, that belongs to a feature outside of `served`;
    /// `None` if all features of the frame are served, and for an `answer`, which has no id that an
    /// error could have.
    #[inline]
    pub fn unserved(&self, served: Features) -> Option<Unserved> {
        let what = match self {
            ClientFrame::Publish(publish) => publish.unserved(served)?,
            ClientFrame::Request(request) => request.unserved(served)?,
            ClientFrame::Login(login) => login.unserved(served)?,
            ClientFrame::Subscribe(_) if !served.topics => "the frame subscribe",
            ClientFrame::Topics(_) if !served.topics => "the frame topics",
            ClientFrame::Offer(_) if !served.services => "the frame offer",
            ClientFrame::Withdraw(_) if !served.services => "the frame withdraw",
            ClientFrame::Services(_) if !served.services => "the frame services",
            _ => return None,
        };
        Some(Unserved {
            id: self.id().unwrap_or_default(),
            what,
            is_login: matches!(self, ClientFrame::Login(_)),
        })
    }
}

impl Publish<'_> {
    #[inline]
    fn unserved(&self, served: Features) -> Option<&'static str> {
        if self.topic.is_some() && !served.topics {
            return Some("topic");
        }
        let options = self.options.as_deref()?;
        let keys = [
            (options.headers.is_some(), served.topics, "headers"),
            (options.keep.is_some(), served.topics, "keep"),
            (options.to.is_some(), served.topics, "to"),
            (options.producer.is_some(), served.producer, "producer"),
            (options.n.is_some(), served.producer, "n"),
        ];
        first_unserved(&keys)
    }
}

impl Request<'_> {
    #[inline]
    fn unserved(&self, served: Features) -> Option<&'static str> {
        let options = self.options.as_deref()?;
        let keys = [
            (options.service.is_some(), served.services, "service"),
            (options.timeout.is_some(), served.services, "timeout"),
            (options.headers.is_some(), served.services, "headers"),
        ];
        first_unserved(&keys)
    }
}

impl Login<'_> {
    fn unserved(&self, served: Features) -> Option<&'static str> {
        let options = self.options.as_deref()?;
        let keys = [
            (options.filter.is_some(), served.topics, "filter"),
            (options.presence.is_some(), served.topics, "presence"),
            (options.kept.is_some(), served.topics, "kept"),
            (options.cursor.is_some(), served.cursor, "cursor"),
        ];
        first_unserved(&keys)
    }
}

/// Returns the name of the first key that the frame has and whose feature is not served.
///
/// An entry holds whether the frame has the key, whether the key's feature is served, and the key's
/// name.
fn first_unserved(keys: &[(bool, bool, &'static str)]) -> Option<&'static str> {
    let mut keys = keys.iter();
    let (_, _, name) = keys.find(|(is_there, is_served, _)| *is_there && !is_served)?;
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Body, LoginOptions, PublishOptions, RequestOptions, Subscribe};

    const ALL: Features = Features {
        topics: true,
        producer: true,
        cursor: true,
        services: true,
    };

    #[test]
    fn frame_of_a_feature_is_unserved_only_without_it() {
        let topics = Features {
            topics: true,
            ..Features::NONE
        };
        let login = |options| {
            ClientFrame::Login(Box::new(Login {
                id: 4,
                user: Cow::Borrowed("ana"),
                password: Cow::Borrowed("x"),
                resume: None,
                options: Some(Box::new(options)),
            }))
        };
        let publish = |options| {
            let mut publish = Publish::new(4, Body::text(""));
            publish.options = Some(Box::new(options));
            ClientFrame::Publish(publish)
        };
        let what = |frame: &ClientFrame<'_>, served| frame.unserved(served).map(|found| found.what);
        let producer = publish(PublishOptions {
            n: Some(1),
            ..PublishOptions::default()
        });
        assert_eq!(what(&producer, topics), Some("n"));
        assert_eq!(what(&producer, ALL), None);
        let cursor = login(LoginOptions {
            presence: Some(false),
            cursor: Some(Cow::Borrowed("c")),
            ..LoginOptions::default()
        });
        assert_eq!(what(&cursor, topics), Some("cursor"));
        assert_eq!(what(&cursor, Features::NONE), Some("presence"));
        assert_eq!(what(&cursor, ALL), None);
        let mut request = Request::new(4, Body::text(""));
        assert_eq!(request.unserved(Features::NONE), None);
        request.options = Some(Box::new(RequestOptions {
            timeout: Some(1),
            ..RequestOptions::default()
        }));
        let request = ClientFrame::Request(request);
        assert_eq!(what(&request, Features::NONE), Some("timeout"));
        assert_eq!(what(&request, ALL), None);
        let subscribe = ClientFrame::Subscribe(Box::new(Subscribe {
            id: 4,
            add: Vec::new(),
            remove: Vec::new(),
            kept: None,
        }));
        assert_eq!(
            what(&subscribe, Features::NONE),
            Some("the frame subscribe")
        );
        assert_eq!(what(&subscribe, ALL), None);
        let unserved = cursor
            .unserved(Features::NONE)
            .expect("the frame has keys of features");
        assert!(unserved.is_login && unserved.id == 4);
        assert_eq!(ALL.names(), ["topics", "producer", "cursor", "services"]);
        assert!(Features::NONE.names().is_empty());
    }
}
