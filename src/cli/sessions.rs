//! `arauto sessions`: prints the server's sessions, and ends one.

use std::time::{Duration, UNIX_EPOCH};

use arauto::Client;
use arauto::wire::SessionLine;
use clap::Subcommand;

use super::admin_client::AdminArgs;
use super::escape::one_line;
use super::exit::{Failure, sysexits};
use super::list::ListArgs;
use super::table::plain_table;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    list: ListArgs,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// End a session, through the server's admin endpoint. Its client gets the error `revoked`, and
    /// one of arauto's own does not connect again. Its user may log in again: `arauto users` removes
    /// one.
    End(EndArgs),
}

#[derive(clap::Args)]
struct EndArgs {
    /// The session's number, as `arauto sessions` prints it.
    session: u64,

    /// The reason that the client is told.
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,

    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    match args.command {
        None => {
            let ask = async |client: &Client| Ok(client.sessions().await?);
            args.list.print(ask, |sessions| table(sessions)).await
        }
        Some(Command::End(args)) => end(args).await,
    }
}

async fn end(args: EndArgs) -> Result<u8, Failure> {
    let EndArgs {
        session,
        why,
        admin,
    } = args;
    let path = format!("/sessions/{session}/end");
    if admin.post(&path, why.unwrap_or_default()).await? {
        return Ok(0);
    }
    let message = format!("there is no session {session}: `arauto sessions` lists them");
    Err(Failure::new(sysexits::DATAERR, message))
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
