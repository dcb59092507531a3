//! `arauto sessions`: prints the server's sessions.

use std::time::{Duration, UNIX_EPOCH};

use arauto::Client;
use arauto::wire::SessionLine;

use super::escape::one_line;
use super::exit::Failure;
use super::list::ListArgs;
use super::table::plain_table;

pub(super) async fn run(args: ListArgs) -> Result<u8, Failure> {
    let ask = async |client: &Client| Ok(client.sessions().await?);
    args.print(ask, |sessions| table(sessions)).await
}

fn table(sessions: &[SessionLine<'_>]) -> String {
    let mut table = plain_table(["session", "user", "endpoint", "peer", "since", "sent"]);
    for line in sessions {
        let since = UNIX_EPOCH + Duration::from_millis(line.since.0);
        table.add_row([
            line.session.to_string(),
            one_line(line.user.as_deref().unwrap_or("-")).into_owned(),
            one_line(&line.endpoint).into_owned(),
            one_line(&line.peer).into_owned(),
            humantime::format_rfc3339_seconds(since).to_string(),
            line.sent.to_string(),
        ]);
    }
    format!("{table}\n")
}
