//! `arauto sessions`: prints the server's sessions.

use std::time::{Duration, UNIX_EPOCH};

use arauto::wire::SessionLine;

use super::connect::{ConnectArgs, log_in_to_ask};
use super::escape::one_line;
use super::exit::Failure;
use super::output::Output;
use super::table::plain_table;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,

    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    let client = log_in_to_ask(&args.connect).await?;
    let sessions = client.sessions().await?;
    client.fim().await?;
    let mut out = Output::stdout();
    if args.json {
        for line in &sessions {
            out.json(line)?;
        }
    } else {
        out.text(&table(&sessions))?;
    }
    out.finish()
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
