//! A server's figures at one moment, for monitoring.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::tls::Tls;
use crate::accounts::HashLoad;
use crate::actors::supervisor::SessionInfo;
use crate::close::InWork;
use crate::counters::{Counters, Counts};
use crate::log::Log;
use crate::services::{ServiceInfo, Services};
use crate::transport::Credentials;
use crate::wire::{Seq, SessionLine};

/// The most services whose figures are told: clients choose their names.
const SERVICES: usize = 100;

/// A server's figures at one moment.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Statistics {
    /// The stream that the seqs count in.
    pub stream: String,
    /// The seq of the newest broadcast.
    pub head: Seq,
    /// The seq of the oldest broadcast that is held in memory.
    pub tail: Seq,
    /// The bytes of the broadcasts that are held in memory.
    pub held_bytes: u64,
    /// The bytes of all broadcasts since the server started.
    pub written_bytes: u64,
    /// The sessions of each endpoint.
    pub sessions: BTreeMap<String, SessionCounts>,
    /// How many broadcasts each reader without a filter has not been sent yet, in ascending order.
    pub lags: Vec<u64>,
    /// Requests and publishes that were accepted and not answered yet.
    pub requests_in_work: usize,
    /// The first services by name.
    pub services: Vec<ServiceFigures>,
    /// Passwords that are hashed now.
    pub hashing: usize,
    /// Logins that wait until their password can be hashed.
    pub logins_waiting: usize,
    /// The bytes of the files in memory that many readers are sent broadcasts from.
    pub page_bytes: u64,
    /// When the certificate of `tls:` endpoints expires; `None`: there are no such endpoints.
    pub certificate_expires: Option<SystemTime>,
    /// The counts since the server started.
    pub counts: Counts,
}

/// The sessions of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SessionCounts {
    /// Those that have logged in.
    pub logged_in: usize,
    /// The others.
    pub unauthenticated: usize,
}

/// The figures of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceFigures {
    /// The service's name.
    pub name: String,
    /// The sessions that offer it.
    pub offers: usize,
    /// The calls that a session has in work.
    pub in_work: u64,
    /// The calls that wait for a free session.
    pub waiting: usize,
    /// The calls that were answered with a reply.
    pub answered: u64,
    /// The calls that ended in any other way.
    pub failed: u64,
}

/// A session, and how far it lags: for the program `arauto`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaggingSession {
    /// The session.
    pub line: SessionLine<'static>,
    /// How many broadcasts it has not been sent yet; `None` if it gets none, or only those that it
    /// chose.
    pub lag: Option<u64>,
}

/// The parts of a server that have figures.
#[derive(Clone)]
pub(super) struct Measured {
    pub(super) log: Arc<Log>,
    pub(super) in_work: InWork,
    pub(super) services: Arc<Services>,
    pub(super) counters: Arc<Counters>,
    pub(super) hash_load: HashLoad,
    pub(super) tls: Tls,
}

impl Measured {
    /// Returns the figures of a server with these sessions.
    pub(super) fn statistics(&self, sessions: &[Arc<SessionInfo>]) -> Statistics {
        let (head, tail) = (self.log.head(), self.log.tail());
        let before_tail = Seq(tail.0.saturating_sub(1));
        let services = self.services.list("", SERVICES);
        let (hashing, logins_waiting) = self.hash_load.now();
        Statistics {
            stream: self.log.stream().to_owned(),
            head,
            tail,
            held_bytes: self.log.bytes_above(before_tail).unwrap_or_default(),
            written_bytes: self.log.written(),
            sessions: by_endpoint(sessions),
            lags: lags(sessions, head),
            requests_in_work: self.in_work.count(),
            services: services.iter().map(ServiceFigures::of).collect(),
            hashing,
            logins_waiting,
            page_bytes: self.log.page_bytes(),
            certificate_expires: self.tls.credentials().map(Credentials::valid_until),
            counts: self.counters.counts(),
        }
    }
}

impl ServiceFigures {
    fn of(info: &ServiceInfo) -> ServiceFigures {
        ServiceFigures {
            name: info.name.to_string(),
            offers: info.offers.len(),
            in_work: info
                .offers
                .iter()
                .map(|offer| u64::from(offer.in_work))
                .sum(),
            waiting: info.waiting,
            answered: info.statistics.answered,
            failed: info.statistics.failed,
        }
    }
}

/// Returns at most `most` sessions, those that lag furthest, in the order of their numbers. Only
/// these are described, so that the cost of thousands of others is small.
pub(super) fn furthest_behind(
    sessions: &[Arc<SessionInfo>],
    head: Seq,
    most: usize,
) -> Vec<LaggingSession> {
    let mut lags: Vec<(Option<u64>, usize)> = sessions
        .iter()
        .enumerate()
        .map(|(place, info)| (info.lag(head), place))
        .collect();
    if lags.len() > most {
        lags.select_nth_unstable_by_key(most, |&(lag, place)| (Reverse(lag), place));
        lags.truncate(most);
    }
    lags.sort_unstable_by_key(|&(_, place)| place);
    let lagging = lags.into_iter().map(|(lag, place)| LaggingSession {
        line: sessions[place].line(),
        lag,
    });
    lagging.collect()
}

fn by_endpoint(sessions: &[Arc<SessionInfo>]) -> BTreeMap<String, SessionCounts> {
    let mut counts = BTreeMap::<&str, SessionCounts>::new();
    for info in sessions {
        let counts = counts.entry(&info.endpoint).or_default();
        match info.is_logged_in() {
            true => counts.logged_in += 1,
            false => counts.unauthenticated += 1,
        }
    }
    let counts = counts.into_iter();
    counts
        .map(|(endpoint, counts)| (endpoint.to_owned(), counts))
        .collect()
}

fn lags(sessions: &[Arc<SessionInfo>], head: Seq) -> Vec<u64> {
    let mut lags: Vec<u64> = sessions.iter().filter_map(|info| info.lag(head)).collect();
    lags.sort_unstable();
    lags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::SessionId;

    fn session(id: u64, endpoint: &str) -> Arc<SessionInfo> {
        Arc::new(SessionInfo::new(
            SessionId(id),
            Arc::from(endpoint),
            String::new(),
        ))
    }

    #[test]
    fn sessions_are_counted_by_endpoint_and_readers_by_their_lag() {
        let sessions = [
            session(1, "unix:a"),
            session(2, "unix:b"),
            session(3, "unix:a"),
        ];
        sessions[0].set_user("ana".parse().expect("a name"));
        sessions[0].follow(Seq(10), Arc::default());
        sessions[2].follow(Seq(4), Arc::default());
        let counts = by_endpoint(&sessions);
        let counted = |endpoint: &str| {
            let counts = counts[endpoint];
            (counts.logged_in, counts.unauthenticated)
        };
        assert_eq!((counted("unix:a"), counted("unix:b")), ((1, 1), (0, 1)));
        assert_eq!(lags(&sessions, Seq(12)), [2, 8]);
    }

    #[test]
    fn sessions_furthest_behind_are_chosen_and_listed_in_their_order() {
        let sessions: Vec<_> = (1..=4).map(|id| session(id, "unix:a")).collect();
        for (session, after) in [(0, 9), (1, 2), (3, 5)] {
            sessions[session].follow(Seq(after), Arc::default());
        }
        let chosen = |most| -> Vec<(u64, Option<u64>)> {
            let found = furthest_behind(&sessions, Seq(10), most);
            found
                .iter()
                .map(|one| (one.line.session.0, one.lag))
                .collect()
        };
        assert_eq!(chosen(2), [(2, Some(8)), (4, Some(5))]);
        let all = [(1, Some(1)), (2, Some(8)), (3, None), (4, Some(5))];
        assert_eq!((chosen(4), chosen(9)), (all.to_vec(), all.to_vec()));
        assert!(chosen(0).is_empty());
    }
}
