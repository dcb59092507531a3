//! `arauto cursors`: prints the cursors that the server remembers, and removes one.

use arauto::Client;
use arauto::wire::CursorLine;
use clap::Subcommand;

use super::connect::{ConnectArgs, log_in_to_ask};
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
    /// Remove a cursor. A session that has it goes on; the next login with its name begins anew.
    Remove(RemoveArgs),
}

#[derive(clap::Args)]
struct RemoveArgs {
    /// The account that the cursor belongs to.
    account: String,

    /// The cursor's name.
    name: String,
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    match args.command {
        None => {
            let ask = async |client: &Client| Ok(client.cursors().await?);
            args.list.print(ask, |cursors| table(cursors)).await
        }
        Some(Command::Remove(command)) => remove(&args.list.connect, &command).await,
    }
}

async fn remove(connect: &ConnectArgs, args: &RemoveArgs) -> Result<u8, Failure> {
    let RemoveArgs { account, name } = args;
    let client = log_in_to_ask(connect).await?;
    let was_there = client.remove_cursor(account, name).await?;
    client.fim().await?;
    if was_there {
        return Ok(0);
    }
    let message = format!(
        "{} has no cursor {}: `arauto cursors` lists them",
        one_line(account),
        one_line(name)
    );
    Err(Failure::new(sysexits::DATAERR, message))
}

fn table(cursors: &[CursorLine<'_>]) -> String {
    let mut table = plain_table(["account", "cursor", "seq", "messages", "bytes", "session"]);
    for line in cursors {
        let session = line.session.map(|session| session.to_string());
        table.add_row([
            one_line(&line.account).into_owned(),
            one_line(&line.name).into_owned(),
            line.seq.to_string(),
            line.messages.to_string(),
            line.bytes.to_string(),
            session.unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    format!("{table}\n")
}
