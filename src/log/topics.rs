//! The list of topics, a part at a time.

use std::borrow::Cow;

use super::Log;
use super::parts::Parts;
use crate::topic::{Pattern, Route, Topic};
use crate::wire::cbor::message_keys;
use crate::wire::{Seq, TopicLine};

/// The most topics in one part.
const MOST: usize = 4096;

/// The bytes of a topic in a frame beside its name: four keys, three numbers, and the heads of the
/// map and the name.
const LINE: usize = 56;

impl Log {
    /// Returns the topics that a pattern matches, without one all, whose names are above `after`:
    /// those with messages in memory, and those with a kept value. They are in the order of their
    /// names, and as many as fit into `most` bytes of a frame, but at least one. Also returns
    /// whether there are more.
    ///
    /// The time is linear in the number of all topics, and appending waits for it.
    pub fn topics(
        &self,
        pattern: Option<&Pattern<'_>>,
        after: &str,
        most: usize,
    ) -> (Vec<TopicLine<'static>>, bool) {
        let parts = self.read_parts();
        let is_selected = |topic: &str| {
            topic > after
                && pattern.is_none_or(|pattern| pattern.matches(&Topic::of_checked(topic)))
        };
        let held = parts.routes().topics();
        let held = held.filter(|(topic, ..)| is_selected(topic));
        let mut found: Vec<(&str, usize, Seq)> = held.collect();
        let is_held = |topic| parts.routes().find(Route::Topic(topic)).is_some();
        let kept = parts.kept().topics_after(after);
        let kept = kept.filter(|topic| is_selected(topic) && !is_held(topic));
        found.extend(kept.map(|topic| (topic, 0, Seq::ZERO)));

        let count = found.len();
        if count > MOST {
            found.select_nth_unstable(MOST);
            found.truncate(MOST);
        }
        found.sort_unstable();
        let mut lines = Vec::new();
        let mut bytes = 0;
        for (topic, held, newest) in found {
            bytes += LINE + topic.len();
            if bytes > most && !lines.is_empty() {
                break;
            }
            lines.push(line(&parts, topic, held, newest));
        }
        let has_more = lines.len() < count;
        (lines, has_more)
    }
}

fn line(parts: &Parts, topic: &str, held: usize, newest: Seq) -> TopicLine<'static> {
    let kept = parts.kept().value(topic).and_then(message_keys);
    let kept = kept.map(|keys| keys.seq);
    TopicLine {
        topic: Cow::Owned(topic.to_owned()),
        seq: newest.max(kept.unwrap_or(Seq::ZERO)),
        held: held as u64,
        kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Appender, BackpressureLimits, Content, LogLimits};
    use crate::wire::cbor::encode_content;
    use crate::wire::{Body, Millis, Publish, PublishOptions};

    /// Publishes to a topic, as the newest message of the log.
    fn push(appender: &mut Appender, topic: &str, body: &str, keep: bool) {
        let mut publish = Publish::new(1, Body::text(body));
        publish.topic = Some(Cow::Borrowed(topic));
        publish.options = keep.then(|| {
            Box::new(PublishOptions {
                keep: Some(true),
                ..PublishOptions::default()
            })
        });
        let mut item = Vec::new();
        let content = Content {
            keys: encode_content(&publish, &mut item).count,
            bytes: &item,
            route: Some(Route::Topic(topic)),
            is_kept: keep,
        };
        let pushed = appender.push_messages(Millis(0), "ana", [content]);
        pushed.expect("the log is not sealed");
        appender.commit();
    }

    fn log(bytes: usize) -> Appender {
        let limits = LogLimits {
            bytes,
            backpressure: BackpressureLimits::default(),
        };
        Log::new("s".to_owned(), limits, 1).1
    }

    /// Topics as (name, newest seq, held messages, seq of the kept value).
    fn plain(lines: &[TopicLine<'_>]) -> Vec<(String, u64, u64, Option<u64>)> {
        let lines = lines.iter();
        lines
            .map(|line| {
                let kept = line.kept.map(|seq| seq.0);
                (line.topic.to_string(), line.seq.0, line.held, kept)
            })
            .collect()
    }

    #[test]
    fn topics_are_listed_with_their_newest_seq_and_kept_value() {
        let mut appender = log(1 << 20);
        push(&mut appender, "b", "1", true);
        push(&mut appender, "a/x", "2", false);
        push(&mut appender, "b", "3", false);
        push(&mut appender, "a", "4", true);
        push(&mut appender, "a", "", true);
        let (lines, has_more) = appender.log().topics(None, "", 1 << 20);
        let expected = [
            ("a".to_owned(), 5, 2, None),
            ("a/x".to_owned(), 2, 1, None),
            ("b".to_owned(), 3, 2, Some(1)),
        ];
        assert_eq!(plain(&lines), expected);
        assert!(!has_more);
        let pattern = Pattern::new("a/#").expect("it is a pattern");
        let (lines, _) = appender.log().topics(Some(&pattern), "", 1 << 20);
        assert_eq!(plain(&lines), expected[..2]);
        let (lines, _) = appender.log().topics(Some(&pattern), "a", 1 << 20);
        assert_eq!(plain(&lines), expected[1..2]);
    }

    #[test]
    fn kept_topic_is_listed_when_its_messages_are_no_longer_held() {
        let mut appender = log(4096);
        push(&mut appender, "old", "1", true);
        for _ in 0..100 {
            push(&mut appender, "new", "0123456789", false);
        }
        let (lines, _) = appender.log().topics(None, "", 1 << 20);
        let lines = plain(&lines);
        assert_eq!(lines.len(), 2);
        assert_eq!((&*lines[0].0, lines[0].1), ("new", 101));
        assert!(lines[0].2 < 100, "{lines:?}");
        assert_eq!(lines[1], ("old".to_owned(), 1, 0, Some(1)));
    }

    #[test]
    fn parts_of_the_list_have_every_topic_once() {
        let mut appender = log(64 << 20);
        let topics: Vec<String> = (0..10_000).map(|n| format!("t/{n:05}")).collect();
        for topic in topics.iter().rev() {
            push(&mut appender, topic, "x", topic.ends_with('7'));
        }
        for most in [1 << 20, 10_000] {
            let (mut found, mut after) = (Vec::new(), String::new());
            loop {
                let (lines, has_more) = appender.log().topics(None, &after, most);
                let bytes: usize = lines.iter().map(|line| LINE + line.topic.len()).sum();
                assert!(bytes <= most);
                found.extend(lines.iter().map(|line| line.topic.to_string()));
                match found.last() {
                    Some(last) if has_more => after.clone_from(last),
                    _ => break,
                }
            }
            assert_eq!(found, topics);
        }
        // One topic comes however little fits.
        assert_eq!(appender.log().topics(None, "", 0).0.len(), 1);
    }
}
