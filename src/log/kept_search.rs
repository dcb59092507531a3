//! A search among the kept values, in steps.
//!
//! A session may want the values of very many topics, and its client may read slowly. So a step looks
//! at a bounded number of topics, under the log's lock, and returns a bounded number of values; a
//! session holds no value that it does not send next.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::topic::{Pattern, PatternIndex, SubscriberId, Topic};
use crate::wire::Seq;
use crate::wire::cbor::message_keys;

/// The most topics that one step looks at.
const TOPICS: usize = 1024;

/// A step that has found this many bytes returns them.
const BYTES: usize = 32 * 1024;

/// A search for the kept values that a filter matches, in the order of their topics.
#[derive(Debug)]
pub struct KeptSearch {
    filter: Option<Vec<Pattern<'static>>>,
    /// The patterns with wildcards.
    wildcards: PatternIndex,
    /// The others, sorted. They are looked up first.
    exact: Vec<Arc<str>>,
    /// Newer values are left out: they come as broadcasts.
    until: Seq,
    place: KeptPlace,
}

/// How far a search is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeptPlace {
    /// The number of patterns without wildcards that were looked up.
    Exact(usize),
    /// All topics up to this one were looked at.
    Behind(Option<String>),
    /// Nothing more is to be found.
    Over,
}

impl KeptSearch {
    /// Begins a search; without a filter for all values.
    pub fn new(filter: Option<&[Pattern<'_>]>, until: Seq) -> KeptSearch {
        let (mut wildcards, mut exact) = (PatternIndex::new(), Vec::new());
        for pattern in filter.unwrap_or_default() {
            match pattern.has_wildcard() {
                true => drop(wildcards.insert(pattern, SubscriberId(0))),
                false => exact.push(Arc::from(pattern.as_str())),
            }
        }
        exact.sort_unstable();
        exact.dedup();
        let owned = |pattern: &Pattern<'_>| pattern.clone().into_owned();
        KeptSearch {
            filter: filter.map(|filter| filter.iter().map(owned).collect()),
            wildcards,
            exact,
            until,
            place: KeptPlace::Exact(0),
        }
    }

    /// Returns the patterns of the filter.
    pub fn filter(&self) -> Option<&[Pattern<'static>]> {
        self.filter.as_deref()
    }

    /// Returns how far the search is.
    #[cfg(any(test, fuzzing))]
    pub fn place(&self) -> &KeptPlace {
        &self.place
    }

    /// Returns the search at another place.
    #[cfg(any(test, fuzzing))]
    pub fn at(self, place: KeptPlace) -> KeptSearch {
        KeptSearch { place, ..self }
    }

    /// Whether nothing more is to be found.
    pub fn is_over(&self) -> bool {
        self.place == KeptPlace::Over
    }

    /// Returns the seq above which values are left out.
    pub fn until(&self) -> Seq {
        self.until
    }

    /// Goes one step on. Returns values.
    pub(super) fn step(&mut self, values: &BTreeMap<Arc<str>, Bytes>) -> Vec<Bytes> {
        let mut found = Found::default();
        if let KeptPlace::Exact(number) = &mut self.place {
            let exact = &self.exact;
            while let Some(topic) = exact.get(*number).filter(|_| !found.is_full()) {
                *number += 1;
                found.look_at(values.get(topic), self.until);
            }
            if *number < exact.len() {
                return found.values;
            }
            self.place = KeptPlace::Behind(None);
        }
        let has_wildcards = self.filter.is_none() || !self.wildcards.is_empty();
        let KeptPlace::Behind(behind) = &mut self.place else {
            return found.values;
        };
        let behind = match behind.as_deref() {
            None => Bound::Unbounded,
            Some(topic) => Bound::Excluded(topic),
        };
        let mut topics = values.range::<str, _>((behind, Bound::Unbounded));
        let mut last = None;
        while let Some((topic, value)) = topics.next().filter(|_| has_wildcards) {
            let is_wanted = self.is_matched(topic);
            found.look_at(Some(value).filter(|_| is_wanted), self.until);
            if found.is_full() {
                last = Some(topic.to_string());
                break;
            }
        }
        self.place = last.map_or(KeptPlace::Over, |last| KeptPlace::Behind(Some(last)));
        found.values
    }

    /// Whether the filter matches a topic that was not looked up.
    fn is_matched(&self, topic: &Arc<str>) -> bool {
        if self.filter.is_none() {
            return true;
        }
        let mut is_matched = false;
        let checked = Topic::of_checked(topic);
        self.wildcards
            .matches(Some(&checked), |_, _| is_matched = true);
        is_matched && self.exact.binary_search(topic).is_err()
    }
}

/// The values that a step has found.
#[derive(Debug, Default)]
struct Found {
    values: Vec<Bytes>,
    bytes: usize,
    topics: usize,
}

impl Found {
    fn is_full(&self) -> bool {
        self.topics >= TOPICS || self.bytes >= BYTES
    }

    /// Notes a topic, and its value if it is wanted.
    fn look_at(&mut self, value: Option<&Bytes>, until: Seq) {
        self.topics += 1;
        let is_old = |value: &&Bytes| message_keys(value).is_some_and(|keys| keys.seq <= until);
        if let Some(value) = value.filter(is_old) {
            self.bytes += value.len();
            self.values.push(value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::cbor::{self, MessageFrames};
    use crate::wire::{Body, Millis};

    fn value(seq: u64, length: usize) -> Bytes {
        let (mut body, mut frame) = (Vec::new(), Vec::new());
        cbor::encode_body(&Body::text(&"x".repeat(length)), &mut body);
        MessageFrames::new("ana", Millis(0)).encode(Seq(seq), &body, &mut frame);
        frame.into()
    }

    /// Returns the seqs that a search finds, and the number of its steps.
    fn found(
        values: &BTreeMap<Arc<str>, Bytes>,
        filter: Option<&[&str]>,
        until: u64,
    ) -> (Vec<u64>, usize) {
        let patterns = filter.map(|texts| {
            let patterns = texts.iter();
            let patterns = patterns.map(|text| Pattern::new(*text).expect("a pattern"));
            patterns.collect::<Vec<_>>()
        });
        let mut search = KeptSearch::new(patterns.as_deref(), Seq(until));
        let (mut seqs, mut steps) = (Vec::new(), 0);
        while !search.is_over() {
            let step = search.step(values);
            let step = step.iter().filter_map(|frame| message_keys(frame));
            seqs.extend(step.map(|keys| keys.seq.0));
            steps += 1;
        }
        (seqs, steps)
    }

    #[test]
    fn search_finds_each_value_of_its_filter_once() {
        let topics = ["a/x", "a/y", "b", "c"];
        let values = topics.into_iter().zip(1..);
        let values = values.map(|(topic, seq)| (Arc::from(topic), value(seq, 1)));
        let values: BTreeMap<Arc<str>, Bytes> = values.collect();
        let all = |filter| found(&values, filter, 9).0;
        assert_eq!(all(None), [1, 2, 3, 4]);
        assert_eq!(all(Some(&[])), [0; 0]);
        assert_eq!(all(Some(&["a/y", "b", "z"])), [2, 3]);
        assert_eq!(all(Some(&["a/y", "a/+", "c"])), [2, 4, 1]);
        assert_eq!(all(Some(&["#"])), [1, 2, 3, 4]);
        assert_eq!(found(&values, None, 2).0, [1, 2], "newer ones are left out");
    }

    #[test]
    fn step_looks_at_few_topics_and_returns_few_bytes() {
        let names = (0..5_000_u64).map(|number| format!("t/{number:04}"));
        let of_length = |length| {
            let values = names.clone().zip(1..);
            let values = values.map(|(topic, seq)| (Arc::from(topic), value(seq, length)));
            values.collect::<BTreeMap<Arc<str>, Bytes>>()
        };
        let short = of_length(1);
        assert_eq!(found(&short, Some(&["+/4999"]), 9_999), (vec![5_000], 5));
        let (seqs, steps) = found(&of_length(2_000), None, 9_999);
        assert_eq!(seqs.len(), 5_000);
        assert!(steps > 5_000 * 2_000 / (BYTES + 3_000), "{steps}");
    }
}
