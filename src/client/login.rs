//! The contents of a login, and of its answer.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::BytesMut;

use super::error::ClientError;
use super::filter::{Wanted, owned};
use crate::rate::Rate;
use crate::transport::Connection;
use crate::wire::{Feature, Gap, LoggedIn, Named, Role, Seq, SessionId, Term, Welcome};

/// The server's terms, from its `welcome`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerTerms {
    /// The session's number.
    pub session: SessionId,
    /// The server's name and version.
    pub server: String,
    /// The longest frame, in bytes, without its prefix.
    pub max_frame: u64,
    /// The longest body of a publish, in bytes; `None`: the server is older than this key.
    pub max_body: Option<u64>,
    /// The server ends a session that sends no frame for this long; `None`: never. A
    /// [`Client`](crate::Client) pings often enough.
    pub idle_timeout: Option<Duration>,
    /// The features that this endpoint serves.
    pub features: Vec<Named<Feature>>,
    /// The limits of those features.
    pub limits: BTreeMap<String, u64>,
}

impl ServerTerms {
    /// Whether the endpoint serves a feature of the protocol.
    pub fn serves(&self, feature: Feature) -> bool {
        self.features.contains(&feature.into())
    }

    pub(super) fn of(welcome: Welcome<'_>) -> ServerTerms {
        let features = welcome.features.iter();
        let features = features.map(|name| Named::from(&**name).shortened());
        let limits = welcome.limits.unwrap_or_default().into_iter();
        ServerTerms {
            session: welcome.session,
            server: welcome.server.into_owned(),
            max_frame: welcome.max_frame,
            max_body: welcome.max_body,
            idle_timeout: welcome.idle_timeout.map(Duration::from_millis),
            features: features.collect(),
            limits: limits
                .map(|(name, limit)| (name.into_owned(), limit))
                .collect(),
        }
    }
}

/// The point in a stream from which a later session goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumePoint {
    /// The stream's name.
    pub stream: String,
    /// The last seq that was read.
    pub after: Seq,
    /// The term of the session that read it, where the server said it.
    pub term: Option<Term>,
}

impl ResumePoint {
    /// Returns the last broadcast that was read, if seqs of the session certainly stand for the same
    /// broadcasts: it has the same stream and term.
    pub(super) fn delivered_in(&self, who: &LoggedInAs) -> Option<Seq> {
        let is_same = self.stream == who.stream && self.term.is_some() && self.term == who.term;
        is_same.then_some(self.after)
    }

    /// Returns the broadcasts that were read up to here and are not in the history of the server.
    pub(super) fn forked(&self, who: &LoggedInAs) -> Option<Gap> {
        let is_forked = self.stream == who.stream && who.seq < self.after;
        // Without terms a resume ahead of the stream is answered with a gap.
        (is_forked && self.term.is_some()).then_some(Gap {
            from: who.seq.next(),
            to: self.after,
        })
    }
}

/// The place where the broadcasts of a login begin.
#[derive(Debug, Clone, Copy)]
pub(super) enum Begin<'a> {
    /// Now.
    Now,
    /// Behind the last broadcast that was read.
    Resume(&'a ResumePoint),
    /// Behind the last ack of the cursor with this name.
    Cursor(&'a str),
}

impl<'a> Begin<'a> {
    /// Returns the point to resume from.
    pub(super) fn point(self) -> Option<&'a ResumePoint> {
        match self {
            Begin::Resume(point) => Some(point),
            Begin::Now | Begin::Cursor(_) => None,
        }
    }
}

impl<'a> From<Option<&'a ResumePoint>> for Begin<'a> {
    fn from(point: Option<&'a ResumePoint>) -> Begin<'a> {
        point.map_or(Begin::Now, Begin::Resume)
    }
}

/// The answer to a login: the session's user, its role, and where its broadcasts begin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedInAs {
    /// The user's name, as the server knows it.
    pub user: String,
    /// The user's role.
    pub role: Role,
    /// Whether this login created the user.
    pub registered: bool,
    /// Names the sequence that seqs count in.
    pub stream: String,
    /// The last seq before the first broadcast.
    pub seq: Seq,
    /// Numbers the start of the server on the stream; a resume says it.
    pub term: Option<Term>,
    /// The broadcasts that a resume has read of another history, as after a restore of an older
    /// copy: this history's broadcasts under these seqs are sent again, or a gap is.
    pub forked: Option<Gap>,
    /// Whether the server did not know the login's cursor before.
    pub cursor_new: bool,
    /// The rate limit of the session's requests and publishes; `None`: no limit.
    pub request_rate: Option<Named<Rate>>,
    /// The session's number.
    pub session: SessionId,
    /// The filter, as far as the operator's rules allow it, where the login had one.
    pub filter: Option<Vec<String>>,
    /// The features that the endpoint serves.
    pub features: Vec<Named<Feature>>,
    /// The limits of those features, by the protocol's names.
    pub limits: BTreeMap<String, u64>,
    /// The longest body of a publish, in bytes, where the server says it.
    pub max_body: Option<u64>,
    /// The server ends a session that sends no frame for this long; `None`: never. A
    /// [`Client`](crate::Client) pings often enough; the user of a
    /// [`RawSession`](crate::RawSession) must.
    pub idle_timeout: Option<Duration>,
    /// The server's process id, on a local endpoint.
    pub server_pid: Option<i32>,
}

impl LoggedInAs {
    pub(super) fn of(login: LoggedIn<'_>, terms: &ServerTerms) -> LoggedInAs {
        LoggedInAs {
            user: login.user.into_owned(),
            role: login.role,
            registered: login.registered,
            stream: login.stream.into_owned(),
            seq: login.seq,
            term: login.term,
            forked: None,
            cursor_new: login.cursor_new,
            request_rate: login
                .request_rate
                .map(|rate| Named::from(&*rate).shortened()),
            session: terms.session,
            filter: login.filter.map(owned),
            features: terms.features.clone(),
            limits: terms.limits.clone(),
            max_body: terms.max_body,
            idle_timeout: terms.idle_timeout,
            server_pid: None,
        }
    }

    /// Whether the endpoint serves a feature of the protocol.
    pub fn serves(&self, feature: Feature) -> bool {
        self.features.contains(&feature.into())
    }

    /// Returns an error if the endpoint does not serve a feature.
    pub(super) fn require(&self, feature: Feature) -> Result<(), ClientError> {
        match self.serves(feature) {
            true => Ok(()),
            false => Err(ClientError::NotServed { feature }),
        }
    }

    /// Returns the point from which to resume where the session is lost before its first
    /// broadcast.
    pub fn resume_point(&self) -> ResumePoint {
        self.resume_point_after(self.seq)
    }

    /// Returns the point from which to resume once the broadcast `after` has been read.
    pub fn resume_point_after(&self, after: Seq) -> ResumePoint {
        ResumePoint {
            stream: self.stream.clone(),
            after,
            term: self.term,
        }
    }
}

/// A connection whose login has just been answered.
pub(super) struct LoggedInConnection {
    pub(super) connection: Connection,
    /// Bytes read behind the login's answer.
    pub(super) buffer: BytesMut,
    pub(super) max_frame: usize,
    pub(super) who: LoggedInAs,
    pub(super) wanted: Wanted,
    pub(super) server_timeout: Duration,
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn welcome(features: &[&'static str]) -> Welcome<'static> {
        Welcome {
            version: 1,
            server: "arauto 9".into(),
            session: SessionId(7),
            max_frame: 1 << 20,
            max_body: None,
            idle_timeout: None,
            features: features.iter().copied().map(Cow::Borrowed).collect(),
            limits: None,
        }
    }

    fn logged_in(request_rate: Option<&'static str>) -> LoggedIn<'static> {
        LoggedIn {
            id: 0,
            user: "ana".into(),
            role: Role::Leitor,
            registered: false,
            stream: "s".into(),
            seq: Seq(1),
            term: None,
            request_rate: request_rate.map(Cow::Borrowed),
            filter: None,
            cursor_new: false,
        }
    }

    #[test]
    fn features_of_a_newer_server_are_kept_by_name() {
        let terms = ServerTerms::of(welcome(&["cursor", "mirrors"]));
        let cursor = Named::Known(Feature::Cursor);
        assert_eq!(terms.features, [cursor, Named::Other("mirrors".to_owned())]);
    }

    #[test]
    fn request_rate_that_is_no_rate_is_still_a_limit() {
        let terms = ServerTerms::of(welcome(&[]));
        let rate = |text| LoggedInAs::of(logged_in(text), &terms).request_rate;
        assert_eq!(rate(None), None);
        let known = "100/s".parse().expect("a rate");
        assert_eq!(rate(Some("100/s")), Some(Named::Known(known)));
        let other = Named::Other("100 in a burst".to_owned());
        assert_eq!(rate(Some("100 in a burst")), Some(other));
    }
}
