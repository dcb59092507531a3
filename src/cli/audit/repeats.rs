//! Counts events that repeat, so that a flood of them does not fill the disk. It is plain state
//! without I/O.
//!
//! Within a window of time the first events of each kind and host are written one by one. Those
//! beyond the bounds are counted, and the counts become records at the end of the window.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

/// The length of a window.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// The most counts of one window that become records of their own.
const MOST_COUNTS: usize = 100;

/// How many events of a window are written one by one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Of one kind and host.
    pub(super) of_key: u32,
    /// Of all.
    pub(super) of_all: u32,
    /// The most kinds and hosts that are told apart.
    pub(super) keys: usize,
}

/// Events with the same key are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// What happened, as the code of an error.
    pub(super) code: &'static str,
    /// Whose doing it was: the identity by which limits count a client.
    pub(super) host: String,
}

/// The facts of an event beside its key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) user: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) reason: Option<String>,
}

/// Events that were not written one by one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// `None` for events of several keys.
    pub(super) key: Option<Key>,
    /// The facts that all of them have in common.
    pub(super) facts: Facts,
    pub(super) events: u64,
    pub(super) since: SystemTime,
}

/// Decides which events are written, and counts the others.
#[derive(Debug)]
pub(super) struct Repeats {
    bounds: Bounds,
    /// `None` while nothing happens.
    window: Option<Window>,
}

#[derive(Debug)]
struct Window {
    ends: Instant,
    written: u32,
    by_key: HashMap<Key, OfKey>,
    /// Events of further keys.
    others: Option<Count>,
}

#[derive(Debug, Default)]
struct OfKey {
    written: u32,
    left_out: Option<Count>,
}

impl Facts {
    /// Keeps what both have in common.
    fn intersect(&mut self, other: &Facts) {
        let common = |own: &mut Option<String>, other: &Option<String>| {
            if own != other {
                *own = None;
            }
        };
        common(&mut self.user, &other.user);
        common(&mut self.endpoint, &other.endpoint);
        common(&mut self.reason, &other.reason);
    }
}

impl Count {
    /// Adds other events; what the two do not have in common is forgotten.
    fn add(slot: &mut Option<Count>, more: Count) {
        let Some(count) = slot else {
            *slot = Some(more);
            return;
        };
        count.events += more.events;
        count.since = count.since.min(more.since);
        count.facts.intersect(&more.facts);
        if count.key != more.key {
            count.key = None;
        }
    }
}

impl Repeats {
    pub(super) fn new(bounds: Bounds) -> Repeats {
        Repeats {
            bounds,
            window: None,
        }
    }

    /// Notes an event. Returns whether it is to be written; otherwise it is counted.
    pub(super) fn note(&mut self, key: Key, facts: Facts, now: Instant, at: SystemTime) -> bool {
        let Bounds {
            of_key,
            of_all,
            keys,
        } = self.bounds;
        let window = self.window.get_or_insert_with(|| Window {
            ends: now + WINDOW,
            written: 0,
            by_key: HashMap::new(),
            others: None,
        });
        let count = |key| Count {
            key: Some(key),
            facts,
            events: 1,
            since: at,
        };
        if window.by_key.len() >= keys && !window.by_key.contains_key(&key) {
            Count::add(
                &mut window.others,
                Count {
                    key: None,
                    ..count(key)
                },
            );
            return false;
        }
        let found = window.by_key.entry(key.clone()).or_default();
        let is_written = found.written < of_key && window.written < of_all;
        if is_written {
            found.written += 1;
            window.written += 1;
        } else {
            Count::add(&mut found.left_out, count(key));
        }
        is_written
    }

    /// Returns when the window ends, if there is one.
    pub(super) fn window_end(&self) -> Option<Instant> {
        self.window.as_ref().map(|window| window.ends)
    }

    /// Ends the window, and returns the counts of the events that were not written, the largest
    /// first and those of several keys last.
    pub(super) fn end_window(&mut self) -> Vec<Count> {
        let Some(window) = self.window.take() else {
            return Vec::new();
        };
        let of_keys = window.by_key.into_values();
        let mut counts: Vec<Count> = of_keys.filter_map(|of_key| of_key.left_out).collect();
        counts.sort_by(|a, b| b.events.cmp(&a.events).then(a.since.cmp(&b.since)));
        let mut others = window.others;
        let small = counts.split_off(counts.len().min(MOST_COUNTS));
        for count in small {
            Count::add(&mut others, Count { key: None, ..count });
        }
        counts.extend(others);
        counts
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const BOUNDS: Bounds = Bounds {
        of_key: 2,
        of_all: 5,
        keys: 4,
    };

    fn note(repeats: &mut Repeats, host: &str, user: Option<&str>) -> bool {
        let key = Key {
            code: "throttled",
            host: host.to_owned(),
        };
        let facts = Facts {
            user: user.map(str::to_owned),
            ..Facts::default()
        };
        repeats.note(key, facts, Instant::now(), UNIX_EPOCH)
    }

    /// Returns host, user and number of each count.
    fn ended(repeats: &mut Repeats) -> Vec<(Option<String>, Option<String>, u64)> {
        let counts = repeats.end_window().into_iter();
        counts
            .map(|count| {
                (
                    count.key.map(|key| key.host),
                    count.facts.user,
                    count.events,
                )
            })
            .collect()
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn first_events_of_a_host_are_written_and_the_others_counted() {
        let mut repeats = Repeats::new(BOUNDS);
        assert_eq!(repeats.window_end(), None);
        let written = (0..10).filter(|_| note(&mut repeats, "uid 1", Some("ana")));
        assert_eq!(written.count(), 2);
        assert!(
            note(&mut repeats, "uid 2", None),
            "another host's is written"
        );
        assert!(repeats.window_end().is_some());
        assert_eq!(ended(&mut repeats), [(text("uid 1"), text("ana"), 8)]);
        assert_eq!(ended(&mut repeats), []);
        assert!(note(&mut repeats, "uid 1", None), "it is a new window");
    }

    #[test]
    fn count_names_only_what_its_events_have_in_common() {
        let mut repeats = Repeats::new(BOUNDS);
        for user in ["ana", "ana", "ana", "rui", "ana"] {
            note(&mut repeats, "uid 1", Some(user));
        }
        assert_eq!(ended(&mut repeats), [(text("uid 1"), None, 3)]);
    }

    #[test]
    fn all_hosts_together_have_a_bound() {
        let mut repeats = Repeats::new(BOUNDS);
        let hosts = (0..100).map(|host| format!("192.0.2.{host}"));
        let written = hosts.filter(|host| note(&mut repeats, host, None)).count();
        assert_eq!(written, BOUNDS.keys, "one of each that is told apart");
        let twice = ["192.0.2.0", "192.0.2.1"];
        let written = twice
            .into_iter()
            .filter(|host| note(&mut repeats, host, None));
        assert_eq!(written.count(), 1, "the fifth of all");
        let counts = ended(&mut repeats);
        assert_eq!(counts, [(text("192.0.2.1"), None, 1), (None, None, 96)]);
    }

    #[test]
    fn counts_beyond_their_bound_become_one() {
        let keys = MOST_COUNTS + 20;
        let mut repeats = Repeats::new(Bounds {
            of_key: 0,
            of_all: 0,
            keys,
        });
        for host in 0..keys {
            note(&mut repeats, &host.to_string(), Some("ana"));
        }
        note(&mut repeats, "7", Some("ana"));
        let counts = ended(&mut repeats);
        assert_eq!(counts.len(), MOST_COUNTS + 1);
        assert_eq!(counts[0], (text("7"), text("ana"), 2));
        assert_eq!(counts[MOST_COUNTS], (None, text("ana"), 20));
    }
}
