//! Commands that ask a server for a list, and print it.

use arauto::Client;
use serde::Serialize;

use super::connect::{ConnectArgs, log_in_to_ask};
use super::exit::Failure;
use super::output::Output;

#[derive(clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) connect: ConnectArgs,

    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
}

impl ListArgs {
    /// Logs in, and prints what the server answers: as a table, or each line as JSON.
    pub(super) async fn print<T: Serialize>(
        &self,
        ask: impl AsyncFnOnce(&Client) -> Result<Vec<T>, Failure>,
        table: impl FnOnce(&[T]) -> String,
    ) -> Result<u8, Failure> {
        let client = log_in_to_ask(&self.connect).await?;
        let list = ask(&client).await?;
        client.fim().await?;
        let mut out = Output::stdout();
        if self.json {
            for line in &list {
                out.json(line)?;
            }
        } else {
            out.text(&table(&list))?;
        }
        out.finish()
    }
}
