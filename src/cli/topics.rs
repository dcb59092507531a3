//! `arauto topics`: prints the server's topics.

use std::time::Duration;

use arauto::wire::TopicLine;
use arauto::{Client, ErrorCode};

use super::escape::one_line;
use super::exit::Failure;
use super::list::ListArgs;
use super::message::pattern;
use super::table::{lines, plain_table};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    list: ListArgs,

    /// Print only the topics that this topic filter matches, as `home/+/light` or `alarms/#`.
    #[arg(value_parser = pattern)]
    pattern: Option<String>,
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    let pattern = args.pattern.as_deref();
    let ask = async |client: &Client| all(client, pattern).await;
    args.list.print(ask, |topics| table(topics)).await
}

/// Returns the whole list.
async fn all(client: &Client, pattern: Option<&str>) -> Result<Vec<TopicLine<'static>>, Failure> {
    let mut topics: Vec<TopicLine<'static>> = Vec::new();
    loop {
        let after = topics.last().map_or("", |line| &*line.topic);
        let (part, has_more) = match client.topics(pattern, after).await {
            Ok(part) => part,
            // A long list is asked for in parts faster than lists may be.
            Err(error) if error.code() == Some(ErrorCode::Throttled) => {
                let wait = error.retry_after().unwrap_or(Duration::from_secs(1));
                tokio::time::sleep(wait).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let is_over = part.is_empty() || !has_more;
        topics.extend(part);
        if is_over {
            return Ok(topics);
        }
    }
}

fn table(topics: &[TopicLine<'_>]) -> String {
    let mut table = plain_table(["topic", "newest", "held", "kept"]);
    for line in topics {
        table.add_row([
            one_line(&line.topic).into_owned(),
            line.seq.to_string(),
            line.held.to_string(),
            line.kept.map_or("-".to_owned(), |seq| seq.to_string()),
        ]);
    }
    format!("{}\n", lines(&table))
}
