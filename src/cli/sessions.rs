//! `arauto sessions`.

use std::io::{self, Write};
use std::time::{Duration, UNIX_EPOCH};

use arauto::wire::SessionLine;

use super::connect::{ConnectArgs, log_in_to_ask};
use super::exit::{Failure, stdout_failed};
use super::table::plain_table;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,

    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    let client = log_in_to_ask(&args.connect).await?;
    let sessions = client.sessions().await?;
    client.fim().await?;
    let text = if args.json {
        let lines = sessions
            .iter()
            .map(|line| serde_json::to_string(line).expect("a session's line is text and numbers"));
        lines.collect::<Vec<_>>().join("\n")
    } else {
        table(&sessions)
    };
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => Ok(0),
        Err(error) => stdout_failed(&error),
    }
}

fn table(sessions: &[SessionLine<'_>]) -> String {
    let mut table = plain_table(["session", "user", "endpoint", "peer", "since", "sent"]);
    for line in sessions {
        let since = UNIX_EPOCH + Duration::from_millis(line.since.0);
        table.add_row([
            line.session.to_string(),
            line.user.as_deref().unwrap_or("-").to_owned(),
            line.endpoint.to_string(),
            line.peer.to_string(),
            humantime::format_rfc3339_seconds(since).to_string(),
            line.sent.to_string(),
        ]);
    }
    table.to_string()
}
