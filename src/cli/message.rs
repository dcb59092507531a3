//! Arguments about topics, for the commands that publish and read.

use std::collections::BTreeMap;

use arauto::{Pattern, Topic, wire};

use super::exit::{Failure, sysexits};
use super::outbox::MessageOptions;

/// The keys of a command's messages beside their bodies.
#[derive(clap::Args)]
pub(super) struct MessageArgs {
    /// The topic of the messages: levels with `/` between them, as `home/kitchen/light`.
    #[arg(long, value_name = "TOPIC", value_parser = topic, conflicts_with = "raw")]
    topic: Option<String>,

    /// Make each message the kept value of its topic; an empty one removes the value.
    #[arg(long, requires = "topic", conflicts_with_all = ["to", "raw"])]
    keep: bool,

    /// Send the messages only to the sessions of this user.
    #[arg(long, value_name = "USER", conflicts_with = "raw")]
    to: Option<String>,

    /// Add a header to each message; may be given up to 32 times.
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header, conflicts_with = "raw")]
    headers: Vec<(String, String)>,
}

impl MessageArgs {
    /// Returns what each message has beside its body.
    ///
    /// # Errors
    /// The headers are too many, too long, or not all different.
    pub(super) fn options(&self) -> Result<MessageOptions, Failure> {
        Ok(MessageOptions {
            topic: self.topic.clone(),
            keep: self.keep,
            to: self.to.clone(),
            headers: checked_headers(&self.headers)?,
        })
    }
}

/// Returns the headers of a command's arguments.
///
/// # Errors
/// They are too many, too long, or not all different.
pub(super) fn checked_headers(
    arguments: &[(String, String)],
) -> Result<BTreeMap<String, String>, Failure> {
    let wrong = |message: String| Failure::new(sysexits::USAGE, message);
    let mut headers = BTreeMap::new();
    for (name, value) in arguments {
        let before = headers.insert(name.clone(), value.clone());
        if before.is_some() {
            return Err(wrong(format!("--header {name} is given twice")));
        }
    }
    let count = headers.len();
    if count > wire::MOST_HEADERS {
        let most = wire::MOST_HEADERS;
        let message = format!("{count} headers are given, and {most} are allowed");
        return Err(wrong(message));
    }
    let bytes = headers.iter().map(|(name, value)| name.len() + value.len());
    let bytes: usize = bytes.sum();
    if bytes > wire::LONGEST_HEADERS {
        let most = wire::LONGEST_HEADERS;
        let message = format!("the headers have {bytes} bytes, and {most} are allowed");
        return Err(wrong(message));
    }
    Ok(headers)
}

/// Checks a pattern of topics.
pub(super) fn pattern(text: &str) -> Result<String, String> {
    match Pattern::new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Checks the topic of a message.
fn topic(text: &str) -> Result<String, String> {
    match Topic::of_client(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Parses a header of a command's arguments.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("it has no \"=\" between name and value".to_owned()),
    }
}
