//! Checks the values of optional keys: their ranges, and which of them go together.
//!
//! A value out of its range is answered with an error that has the frame's id, and the session goes
//! on. An error of decoding ends the session. So decoding does not check ranges.

mod services;

use std::borrow::Cow;

pub use self::services::LONGEST_TIMEOUT;
use super::{Headers, LONGEST_HEADERS, Login, MOST_HEADERS, Publish, Subscribe};
use crate::topic::{Pattern, Topic, TopicError};
use crate::wire::{ErrorCode, Quote, WireError};

/// The largest length of the name of a producer, a cursor or a service, in bytes of UTF-8.
pub const LONGEST_LABEL: usize = 64;

impl Publish<'_> {
    /// Checks the topic, the headers, the producer, and whether the keys go together. Returns the
    /// topic. Does not check whether the user `to` exists.
    ///
    /// # Errors
    /// Returns `bad-value` or `bad-topic`. The message names the problem and its position.
    pub fn check(&self) -> Result<Option<Topic<'_>>, WireError> {
        let topic = match &self.topic {
            None => None,
            Some(topic) => {
                let topic = Topic::of_client(&**topic);
                Some(topic.map_err(|error| bad_topic("the topic", &error))?)
            }
        };
        let Some(options) = self.options.as_deref() else {
            return Ok(topic);
        };
        if let Some(headers) = &options.headers {
            check_headers(headers)?;
        }
        self.number()?;
        if options.keep == Some(true) {
            let problem = match (&topic, &options.to) {
                (None, _) => "keep needs a topic, and there is none",
                (Some(_), Some(_)) => "keep and to exclude each other",
                (Some(_), None) => return Ok(topic),
            };
            return Err(WireError {
                code: ErrorCode::BadTopic,
                message: problem.to_owned(),
            });
        }
        Ok(topic)
    }

    /// Checks the keys `producer` and `n`. Returns the producer's name and the number that it gave
    /// the message; `None` if the message has no number.
    ///
    /// # Errors
    /// Returns `bad-value`. The message names the problem.
    #[inline]
    pub fn number(&self) -> Result<Option<(&str, u64)>, WireError> {
        let Some(options) = self.options.as_deref() else {
            return Ok(None);
        };
        match (&options.producer, options.n) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(bad_value("producer needs n".to_owned())),
            (None, Some(_)) => Err(bad_value("n needs producer".to_owned())),
            (Some(_), Some(0)) => Err(bad_value("n must be 1 or more".to_owned())),
            (Some(producer), Some(n)) => {
                check_label("producer", producer)?;
                Ok(Some((producer, n)))
            }
        }
    }
}

impl Login<'_> {
    /// Checks the filter and the cursor.
    ///
    /// # Errors
    /// Returns `bad-value` or `bad-topic`. The message names the problem and its position.
    pub fn check(&self) -> Result<(), WireError> {
        let Some(options) = self.options.as_deref() else {
            return Ok(());
        };
        if let Some(cursor) = &options.cursor {
            check_label("cursor", cursor)?;
            if self.resume.is_some() {
                let problem = "cursor and resume exclude each other";
                return Err(bad_value(problem.to_owned()));
            }
        }
        check_patterns("filter", options.filter.as_deref().unwrap_or_default())
    }
}

impl Subscribe<'_> {
    /// Checks the patterns.
    ///
    /// # Errors
    /// Returns `bad-topic`. The message names the problem and its position.
    pub fn check(&self) -> Result<(), WireError> {
        check_patterns("remove", &self.remove)?;
        check_patterns("add", &self.add)
    }
}

fn check_headers(headers: &Headers<'_>) -> Result<(), WireError> {
    if headers.len() > MOST_HEADERS {
        let problem = format!("there are more than {MOST_HEADERS} headers");
        return Err(bad_value(problem));
    }
    let bytes = headers.bytes();
    if bytes > LONGEST_HEADERS {
        let problem = format!("the headers have {bytes} bytes, and {LONGEST_HEADERS} are allowed");
        return Err(bad_value(problem));
    }
    Ok(())
}

fn check_label(key: &str, label: &str) -> Result<(), WireError> {
    let length = label.len();
    if (1..=LONGEST_LABEL).contains(&length) {
        return Ok(());
    }
    let problem = format!("{key} has {length} bytes, and 1 to {LONGEST_LABEL} are allowed");
    Err(bad_value(problem))
}

fn check_patterns(key: &str, patterns: &[Cow<'_, str>]) -> Result<(), WireError> {
    for (number, pattern) in (1..).zip(patterns) {
        if let Err(error) = Pattern::new(&**pattern) {
            let what = format!("pattern {number} of {key}, {},", Quote::new(&**pattern));
            return Err(bad_topic(&what, &error));
        }
    }
    Ok(())
}

fn bad_value(message: String) -> WireError {
    WireError {
        code: ErrorCode::BadValue,
        message,
    }
}

fn bad_topic(what: &str, error: &TopicError) -> WireError {
    WireError {
        code: ErrorCode::BadTopic,
        message: format!("{what} is wrong: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Body, LoginOptions, PublishOptions, Resume, Seq};

    type Change = fn(&mut Publish<'static>, &mut PublishOptions<'static>);

    fn checked(change: Change) -> Result<(), String> {
        let mut publish = Publish::new(1, Body::text(""));
        let mut options = PublishOptions::default();
        change(&mut publish, &mut options);
        publish.options = Some(Box::new(options));
        let checked = publish.check().map(drop);
        checked.map_err(|error| error.to_string())
    }

    #[test]
    fn publish_keys_in_their_ranges_are_accepted() {
        let good: [Change; 5] = [
            |publish, _| publish.topic = Some(Cow::Borrowed("a/b")),
            |publish, options| {
                publish.topic = Some(Cow::Borrowed("a"));
                options.keep = Some(true);
            },
            |_, options| {
                options.keep = Some(false);
                options.to = Some(Cow::Borrowed("ana"));
            },
            |_, options| {
                options.producer = Some("p".repeat(64).into());
                options.n = Some(1);
            },
            |_, options| {
                let mut headers = Headers::default();
                (0..32).for_each(|n| headers.push(format!("{n:02}"), "v".repeat(126)));
                options.headers = Some(headers);
            },
        ];
        for change in good {
            assert_eq!(checked(change), Ok(()));
        }
    }

    #[test]
    fn publish_key_out_of_its_range_is_named_in_the_error() {
        let bad: [(Change, &str); 10] = [
            (
                |publish, _| publish.topic = Some(Cow::Borrowed("a/+")),
                "bad-topic: the topic is wrong: level 2 has \"+\", which only a pattern may have (at byte 2)",
            ),
            (
                |publish, _| publish.topic = Some(Cow::Borrowed("$a")),
                "bad-topic: the topic is wrong: level 1 begins with \"$\" (at byte 0): such topics are reserved for the server",
            ),
            (
                |_, options| options.keep = Some(true),
                "bad-topic: keep needs a topic, and there is none",
            ),
            (
                |publish, options| {
                    publish.topic = Some(Cow::Borrowed("a"));
                    options.keep = Some(true);
                    options.to = Some(Cow::Borrowed("ana"));
                },
                "bad-topic: keep and to exclude each other",
            ),
            (
                |_, options| options.n = Some(1),
                "bad-value: n needs producer",
            ),
            (
                |_, options| options.producer = Some(Cow::Borrowed("p")),
                "bad-value: producer needs n",
            ),
            (
                |_, options| {
                    options.producer = Some(Cow::Borrowed("p"));
                    options.n = Some(0);
                },
                "bad-value: n must be 1 or more",
            ),
            (
                |_, options| {
                    options.producer = Some(Cow::Borrowed(""));
                    options.n = Some(1);
                },
                "bad-value: producer has 0 bytes, and 1 to 64 are allowed",
            ),
            (
                |_, options| {
                    let mut headers = Headers::default();
                    (0..33).for_each(|n| headers.push(n.to_string(), ""));
                    options.headers = Some(headers);
                },
                "bad-value: there are more than 32 headers",
            ),
            (
                |_, options| {
                    let mut headers = Headers::default();
                    headers.push("x", "v".repeat(4096));
                    options.headers = Some(headers);
                },
                "bad-value: the headers have 4097 bytes, and 4096 are allowed",
            ),
        ];
        for (change, problem) in bad {
            assert_eq!(checked(change), Err(problem.to_owned()));
        }
    }

    #[test]
    fn bad_pattern_is_reported_with_its_position() {
        let subscribe = Subscribe {
            id: 1,
            add: vec![Cow::Borrowed("a"), Cow::Borrowed("b/#/c")],
            remove: Vec::new(),
            kept: None,
        };
        let error = subscribe.check().expect_err("the second pattern is wrong");
        let text = "bad-topic: pattern 2 of add, \"b/#/c\", is wrong: level 2 is \"#\", and further \
                    levels follow (at byte 2): \"#\" is the last level";
        assert_eq!(error.to_string(), text);
        let mut login = Login {
            id: 1,
            user: Cow::Borrowed("ana"),
            password: Cow::Borrowed("x"),
            resume: None,
            options: None,
        };
        assert_eq!(login.check(), Ok(()));
        login.options = Some(Box::new(LoginOptions {
            filter: Some(vec![Cow::Borrowed("#")]),
            cursor: Some(Cow::Borrowed("c")),
            ..LoginOptions::default()
        }));
        assert_eq!(login.check(), Ok(()));
        login.resume = Some(Resume {
            stream: Cow::Borrowed("s"),
            after: Seq(1),
            term: None,
        });
        let code = login.check().map_err(|error| error.code);
        assert_eq!(code, Err(ErrorCode::BadValue));
    }
}
